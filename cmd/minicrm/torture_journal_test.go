package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"minicrm/persistence/journalpb"
)

// keeper keeps the whole journal, also what the server has truncated: it links each of its files to a second name as
// soon as it appears. The examiner then reads every record there ever was, at least once.
type keeper struct {
	t          *testing.T
	live, kept string
}

func newKeeper(t *testing.T, data, kept string) *keeper {
	t.Helper()
	check(t, os.MkdirAll(kept, 0o750))
	return &keeper{t: t, live: filepath.Join(data, "journal"), kept: kept}
}

// keep links what is there now.
func (k *keeper) keep() error {
	files, err := os.ReadDir(k.live)
	if err != nil {
		return fmt.Errorf("list the journal: %w", err)
	}
	for _, file := range files {
		if _, err := strconv.ParseUint(file.Name(), 10, 64); err != nil {
			continue // no segment, or not yet
		}
		from, to := filepath.Join(k.live, file.Name()), filepath.Join(k.kept, file.Name())
		now, err := os.Stat(from)
		if err != nil {
			continue // truncated just now: it was linked before
		}
		if before, err := os.Stat(to); err == nil {
			if os.SameFile(now, before) {
				continue
			}
			check(k.t, os.Remove(to)) // written anew, from the same entry on
		}
		if err := os.Link(from, to); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("keep a segment: %w", err)
		}
	}
	return nil
}

// watch keeps until stop is closed.
func (k *keeper) watch(stop <-chan struct{}) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return k.keep()
		case <-ticker.C:
			if err := k.keep(); err != nil {
				return err
			}
		}
	}
}

// records hands over all records from this entry on, and returns the entry that is due next. No record may be missing.
func (k *keeper) records(entry, record uint64, see func(index uint64, r *journalpb.Record) error) (uint64, uint64, error) {
	segments, err := filepath.Glob(filepath.Join(k.kept, "[0-9]*"))
	if err != nil {
		return entry, record, err
	}
	slices.Sort(segments)
	for i, name := range segments {
		if i+1 < len(segments) && firstEntry(segments[i+1]) <= entry && firstEntry(name) < entry {
			continue // all of it was seen
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return entry, record, err
		}
		if i == len(segments)-1 {
			b = withoutRoom(b)
		}
		for at := firstEntry(name); len(b) > 0; at++ {
			size, n := binary.Uvarint(b)
			frame := b[n : n+int(size)]
			b = b[n+int(size):]
			checkFrame(k.t, frame, at)
			if at < entry {
				continue
			}
			if at > entry {
				return entry, record, fmt.Errorf("%s: entry %d is due: the server truncated it sooner than it was kept", name, entry)
			}
			entry++
			if record, err = readEntry(frame, record, see); err != nil {
				return entry, record, fmt.Errorf("%s: entry %d: %w", name, at, err)
			}
		}
	}
	return entry, record, nil
}

func firstEntry(name string) uint64 {
	n, _ := strconv.ParseUint(filepath.Base(name), 10, 64) // the pattern lets only digits pass
	return n
}

// readEntry decodes a frame with protobuf's own code, and returns the record that is due after it.
func readEntry(frame []byte, record uint64, see func(index uint64, r *journalpb.Record) error) (uint64, error) {
	var group journalpb.Group
	if err := proto.Unmarshal(frame[18:len(frame)-1], &group); err != nil { // 17 bytes of header, 1 of format version
		return record, err
	}
	if group.First != record {
		return record, fmt.Errorf("it begins with record %d instead of %d", group.First, record)
	}
	for _, r := range group.Records {
		if err := see(record, r); err != nil {
			return record, fmt.Errorf("record %d, %v: %w", record, r.Events, err)
		}
		record++
	}
	return record, nil
}

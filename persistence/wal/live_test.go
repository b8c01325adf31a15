package wal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Walks while another goroutine appends and rolls, also where no segment is full, and a third drops what is old. Large payloads
// are copied to the file in many pieces, so a reader can meet a record that is there in part.
func TestWalkLive(t *testing.T) {
	dir := t.TempDir()
	l, err := open(dir, Options{SegmentSize: 20 * smallSegment}, quick())
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, l)
	entries := uint64(rounds(500, 5000))
	var group sync.WaitGroup
	due := make(chan struct{}, 1)
	var dropping sync.Mutex // a drop and a roll must not meet
	group.Go(func() {
		defer close(due)
		for l.LastIndex() < entries {
			if l.LastIndex()%7 == 0 && dropping.TryLock() {
				if err := l.Roll(); err != nil {
					t.Error(err)
				}
				dropping.Unlock()
			}
			if _, err := l.Append(livePayload(l.LastIndex() + 1)); err != nil {
				t.Error(err)
				return
			}
			select {
			case due <- struct{}{}:
			default: // a drop is at work
			}
		}
	})
	drops := 0
	group.Go(func() {
		for range due {
			dropping.Lock()
			n, err := dropBefore(dir, l.LastIndex()-min(l.LastIndex(), 100), quick())
			dropping.Unlock()
			if err != nil {
				t.Error(err)
			}
			drops += n
		}
	})
	var walks, torn, dropped int
	for l.LastIndex() < entries && !t.Failed() {
		walks++
		switch err := walkLive(dir, l); {
		case errors.Is(err, ErrDropped):
			dropped++
		case isTorn(err):
			torn++
		case err != nil:
			t.Error(err)
		}
	}
	group.Wait()
	t.Logf("%d walks, %d met a record under way, %d were overtaken by one of %d drops", walks, torn, dropped, drops)
	if err := walkLive(dir, l); err != nil {
		t.Fatalf("at rest: %v", err)
	}
	if walks == 0 || drops == 0 {
		t.Error("nothing happened at the same time")
	}
}

func isTorn(err error) bool {
	bad, ok := errors.AsType[*CorruptError](err)
	return ok && bad.Torn
}

// Walks while a log is opened again and again, which cuts a torn tail each time and writes something else in its place.
func TestWalkWhileTailsAreCut(t *testing.T) {
	dir := t.TempDir()
	mustClose(t, mustOpen(t, dir, Options{}))
	var group sync.WaitGroup
	done := make(chan struct{})
	group.Go(func() {
		defer close(done)
		for range rounds(50, 2000) {
			if err := leaveTornTail(dir); err != nil {
				t.Error(err)
			}
		}
	})
	var walks, torn int
	for running := true; running && !t.Failed(); walks++ {
		switch err := Walk(dir, func(Entry) error { return nil }); {
		case isTorn(err):
			torn++
		case err != nil && !errors.Is(err, ErrDropped):
			t.Error(err)
		}
		select {
		case <-done:
			running = false
		default:
		}
	}
	group.Wait()
	t.Logf("%d walks, of which %d met a torn tail", walks, torn)
}

func leaveTornTail(dir string) error {
	l, err := open(dir, Options{SegmentSize: 10 * smallSegment}, quick())
	if err != nil {
		return err
	}
	for range 3 {
		if _, err := l.Append(livePayload(l.LastIndex() + 1)); err != nil {
			return err
		}
	}
	if err := l.Close(); err != nil {
		return err
	}
	torn := record(l.LastIndex()+1, liveBytes[:100+l.LastIndex()%1000])
	f, err := os.OpenFile(filepath.Join(dir, segmentName(l.newest)), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(torn[:len(torn)-int(l.LastIndex()%50)-1])
	if _, dropErr := dropBefore(dir, l.LastIndex()-min(l.LastIndex(), 10), quick()); dropErr != nil {
		return dropErr
	}
	return errors.Join(err, f.Close())
}

// walkLive wants whole entries of one log, without a gap, from one not after the oldest that must be there up to one
// not before the last that was there when it began.
func walkLive(dir string, l *Log) error {
	last, due := l.LastIndex(), uint64(0)
	err := Walk(dir, func(e Entry) error {
		if due != 0 && e.Index != due {
			return fmt.Errorf("entry %d is due, not this", due)
		}
		if !bytes.Equal(e.Payload, livePayload(e.Index)) {
			return errors.New("it has another payload")
		}
		due = e.Index + 1
		return nil
	})
	if err == nil && last > 0 && due <= last {
		return fmt.Errorf("the walk ended before entry %d, and entry %d was there", due, last)
	}
	return err
}

var liveBytes = randomBytes(rand.New(rand.NewPCG(9, 9)), 600_000)

// livePayload has up to 2000 bytes, and now and then hundreds of thousands.
func livePayload(index uint64) []byte {
	size := 1 + index*7919%2000
	if index%50 == 0 {
		size *= 250
	}
	return liveBytes[index : index+size]
}

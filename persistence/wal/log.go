package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/gofrs/flock"
)

// keptBuffer is the largest buffer that is kept for the next append.
const keptBuffer = 1 << 20

var (
	// ErrFailed is what every call returns once the log has failed, along with the first cause. Only reopening
	// helps.
	ErrFailed = errors.New("the log has failed")
	// ErrClosed is what a closed log returns.
	ErrClosed = errors.New("the log is closed")
	// ErrPayloadSize refuses a payload that is empty or larger than MaxPayload. The log goes on.
	ErrPayloadSize = fmt.Errorf("a payload must have 1 to %d bytes", MaxPayload)
	// ErrReplayOrder refuses a Replay after an Append or a Roll.
	ErrReplayOrder = errors.New("replay comes before the first append or roll")
	// ErrMissing refuses a log that does not hold all entries that a Replay asked for.
	ErrMissing = errors.New("entries are missing from the log")
)

// Log is an open log. It belongs to one goroutine.
type Log struct {
	dir         string
	sys         system
	segmentSize int
	logger      *slog.Logger
	lock        *flock.Flock
	backend     backend   // nil: a Roll that failed has closed it
	room        *room     // of the newest segment
	segments    []Segment // as Open found or made them
	repair      *Cut      // of the torn tail that Open found

	last     atomic.Uint64 // index of the last entry
	newest   uint64        // first index of the newest segment whose directory entry is durable
	frame    []byte        // buffer
	appended bool          // or rolled
	closed   bool
	failure  error // the first one, for good
}

// LastIndex is the index of the last entry, 0 when there never was one. It may be called from any goroutine.
func (l *Log) LastIndex() uint64 { return l.last.Load() }

// Repaired is how many bytes of a torn tail Open cut off. It may be called from any goroutine.
func (l *Log) Repaired() (cutBytes int64) {
	if l.repair == nil {
		return 0
	}
	return l.repair.Bytes
}

// Replay is ReplayFrom(1, fn): of the whole log, for whoever has no snapshot.
func (l *Log) Replay(fn func(index uint64, payload []byte) error) error { return l.ReplayFrom(1, fn) }

// ReplayFrom calls fn for every entry from an index on, in order. A payload is valid during the call only. It checks
// every byte of the files that it reads, so it finds the damage that Open did not look for; files that hold only
// entries before from are not read. Whoever holds a snapshot of the entries up to N asks for those from N+1 on: a log
// that starts later, or ends before N, is refused with ErrMissing. An error, be it of the files or of fn, fails the
// log: nobody may append to what could not be read.
func (l *Log) ReplayFrom(from uint64, fn func(index uint64, payload []byte) error) error {
	if err := l.usable(); err != nil {
		return err
	}
	if l.appended {
		return ErrReplayOrder
	}
	from = max(from, 1)
	segments, err := l.segmentsFrom(from)
	if err == nil {
		err = l.replay(segments, func(e Entry) error {
			if e.Index < from {
				return nil
			}
			return fn(e.Index, e.Payload)
		})
	}
	if err != nil {
		return l.fail(fmt.Errorf("replay from entry %d: %w", from, err))
	}
	return nil
}

// segmentsFrom are the segments that hold the entries from an index on, if the log has them all.
func (l *Log) segmentsFrom(from uint64) ([]Segment, error) {
	first, last := l.segments[0].First, l.last.Load()
	if from < first {
		return nil, fmt.Errorf("%w: it starts with entry %d, so it lacks %d to %d, between the snapshot (or the "+
			"beginning) and the log", ErrMissing, first, from, first-1)
	}
	if from > last+1 {
		return nil, fmt.Errorf("%w: it ends with entry %d, so it is shorter than the snapshot and lacks %d to %d",
			ErrMissing, last, last+1, from-1)
	}
	return l.segments[len(wholeBefore(l.segments, from)):], nil
}

func (l *Log) replay(segments []Segment, fn func(Entry) error) error {
	next, err := walk(segments, fn)
	if bad, ok := errors.AsType[*CorruptError](err); ok {
		return refusal(bad, false)
	}
	if err == nil && next != l.last.Load()+1 {
		err = fmt.Errorf("the log ended with entry %d when it was opened and ends with %d now", l.last.Load(), next-1)
	}
	return err
}

// Append stores a payload. When it returns without an error, the payload is on the disk under the index that it
// returns. After an error other than ErrPayloadSize it may be there or not: reopening tells.
func (l *Log) Append(payload []byte) (index uint64, err error) {
	if err := l.usable(); err != nil {
		return 0, err
	}
	if len(payload) == 0 || len(payload) > MaxPayload {
		return 0, fmt.Errorf("append %d bytes: %w", len(payload), ErrPayloadSize)
	}
	l.appended = true
	index = l.last.Load() + 1
	l.frame = appendFrame(l.frame[:0], index, payload)
	if err := l.store(index); err != nil {
		return 0, l.fail(fmt.Errorf("append entry %d: %w", index, err))
	}
	if cap(l.frame) > keptBuffer {
		l.frame = nil
	}
	l.last.Store(index)
	return index, nil
}

// store writes the frame and makes it durable. The library rolls within the write of a frame that fills the segment, and
// fsyncs the old file by itself.
func (l *Log) store(index uint64) error {
	fills := l.room.isFilledBy(l.frame)
	if err := l.room.prepare(l.frame); err != nil {
		return err
	}
	if err := guarded("write", func() error { return l.backend.Write(index, l.frame) }); err != nil {
		return err
	}
	if err := guarded("fsync", l.backend.Sync); err != nil {
		return err
	}
	if !fills {
		l.room.take(l.frame)
		return nil
	}
	return l.followRoll(index)
}

// followRoll makes the name of a segment that the library has begun durable at once, so before any record in it is
// acknowledged.
func (l *Log) followRoll(index uint64) error {
	newest, err := l.findNewest(index)
	if err != nil {
		return err
	}
	if err := l.sys.syncDir(l.dir); err != nil {
		return fmt.Errorf("fsync the directory: %w", err)
	}
	l.newest = newest
	return l.moveRoom()
}

// findNewest looks for the segment that the library began with the entry of this index, because the one before it was
// full already, or behind it.
func (l *Log) findNewest(index uint64) (first uint64, err error) {
	for _, first := range []uint64{index + 1, index} {
		_, err := os.Lstat(filepath.Join(l.dir, segmentName(first)))
		if err == nil {
			return first, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("look for a new segment: %w", err)
		}
	}
	return 0, fmt.Errorf("the library did not roll with entry %d, which filled the segment", index)
}

// Close cuts the room off, closes the files and gives up the lock. A log that has failed is left as it is, for Open to
// look at. A second Close does nothing.
func (l *Log) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	var err error
	if l.failure == nil {
		err = l.room.cut()
	}
	if l.backend != nil {
		err = errors.Join(err, guarded("close", l.backend.Close))
	}
	err = errors.Join(err, l.room.file.Close())
	if err = errors.Join(err, l.lock.Unlock()); err != nil {
		return fmt.Errorf("close the log %s: %w", l.dir, err)
	}
	return nil
}

func (l *Log) usable() error {
	switch {
	case l.closed:
		return ErrClosed
	case l.failure != nil:
		return l.failure
	}
	return nil
}

// fail notes the first error, which is what the log returns from now on.
func (l *Log) fail(cause error) error {
	l.failure = fmt.Errorf("%w: %w", ErrFailed, cause)
	return l.failure
}

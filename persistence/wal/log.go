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
	// ErrReplayOrder refuses a Replay after an Append.
	ErrReplayOrder = errors.New("replay comes before the first append")
)

// Log is an open log. It belongs to one goroutine.
type Log struct {
	dir      string
	sys      system
	logger   *slog.Logger
	lock     *flock.Flock
	backend  backend
	segments []Segment // as Open found or made them
	repaired int64

	last     atomic.Uint64 // index of the last entry
	newest   uint64        // first index of the newest segment whose directory entry is durable
	frame    []byte        // buffer
	appended bool
	closed   bool
	failure  error // the first one, for good
}

// LastIndex is the index of the last entry, 0 when there never was one. It may be called from any goroutine.
func (l *Log) LastIndex() uint64 { return l.last.Load() }

// Repaired is how many bytes of a torn tail Open cut off. It may be called from any goroutine.
func (l *Log) Repaired() (cutBytes int64) { return l.repaired }

// Replay calls fn for every entry in order. A payload is valid during the call only. It checks every byte of every
// file, so it finds the damage that Open did not look for. An error, be it of the files or of fn, fails the log:
// nobody may append to what could not be read.
func (l *Log) Replay(fn func(index uint64, payload []byte) error) error {
	if err := l.usable(); err != nil {
		return err
	}
	if l.appended {
		return ErrReplayOrder
	}
	next, err := walk(l.segments, func(e Entry) error { return fn(e.Index, e.Payload) })
	if err == nil && next != l.last.Load()+1 {
		err = fmt.Errorf("the log ended with entry %d when it was opened and ends with %d now", l.last.Load(), next-1)
	}
	if bad, ok := errors.AsType[*CorruptError](err); ok {
		err = refusal(bad, false)
	}
	if err != nil {
		return l.fail(fmt.Errorf("replay: %w", err))
	}
	return nil
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

// store writes the frame and makes it durable. A roll within the write fsyncs the old file by itself; the name of
// the new file is made durable at once, so before any record in it is acknowledged.
func (l *Log) store(index uint64) error {
	err := guarded("write", func() error { return l.backend.Write(index, l.frame) })
	if err != nil {
		return err
	}
	if err := guarded("fsync", l.backend.Sync); err != nil {
		return err
	}
	newest, err := l.findNewest(index)
	if err != nil || newest == l.newest {
		return err
	}
	if err := l.sys.syncDir(l.dir); err != nil {
		return fmt.Errorf("fsync the directory: %w", err)
	}
	l.newest = newest
	return nil
}

// findNewest looks for a segment that the library began with the entry of this index, or behind it. The directory
// is asked, so that this does not depend on when the library rolls; beside an fsync that costs nothing.
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
	return l.newest, nil
}

// Close closes the files and gives up the lock. A second Close does nothing.
func (l *Log) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	err := errors.Join(guarded("close", l.backend.Close), l.lock.Unlock())
	if err != nil {
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

package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

const (
	// DefaultSegmentSize is where a segment is full, in bytes. The library keeps the last segment in memory.
	DefaultSegmentSize = 4 << 20

	lockName = "LOCK" // too short for the library to take it for a segment
)

// ErrLocked is what Open returns when the directory has an owner already.
var ErrLocked = errors.New("the log is in use by another process or by another part of this one")

// Options are what Open needs to know; the zero value is good.
type Options struct {
	SegmentSize int          // in bytes; 0 is DefaultSegmentSize
	Logger      *slog.Logger // nil discards
}

// Open opens the log in a directory, and creates both if needed. It refuses a log that another Log has open, and
// one whose last segment is corrupt; a torn tail is cut.
func Open(dir string, o Options) (*Log, error) { return open(dir, o, realSystem()) }

func open(dir string, o Options, sys system) (*Log, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	if o.SegmentSize <= 0 {
		o.SegmentSize = DefaultSegmentSize
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := makeDir(dir, sys); err != nil {
		return nil, fmt.Errorf("open the log %s: %w", dir, err)
	}
	lock, err := Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("open the log %s: %w", dir, err)
	}
	l := &Log{dir: dir, sys: sys, segmentSize: o.SegmentSize, logger: o.Logger, lock: lock}
	if err := l.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the log %s: %w", dir, err), lock.Unlock())
	}
	return l, nil
}

// load finds out what the log holds, repairs it, and opens it for appending.
func (l *Log) load() error {
	segments, err := Segments(l.dir)
	if err != nil {
		return err
	}
	first := uint64(1)
	if len(segments) > 0 {
		first = segments[0].First
		if err := l.inspect(segments); err != nil {
			return err
		}
	}
	err = guarded("open the segments for appending", func() (err error) {
		l.backend, err = l.sys.openBackend(l.dir, l.segmentSize, first, l.last.Load())
		return err
	})
	if err != nil {
		return err
	}
	if err := l.loaded(); err != nil {
		return errors.Join(err, l.backend.Close())
	}
	return nil
}

// inspect looks at the files before the library may touch them: it cannot load a torn tail, and it deletes files on
// the word of a .START, so that must be whole. (It was fsynced before it got its name, so it is never torn.)
func (l *Log) inspect(segments []Segment) error {
	if oldest := segments[0]; oldest.start {
		l.logger.Warn("wal: finishing a truncation that was interrupted", "file", oldest.Path)
		if _, err := readSegment(Segment{}, oldest, false, nil); err != nil {
			return fmt.Errorf("an unfinished truncation cannot be finished: %w. Remove this file if all segments before it "+
				"are still there, or restore it from a backup", err)
		}
	}
	for _, seg := range segments[:len(segments)-1] {
		if seg.Size == 0 {
			return refusal(emptySegment(seg), false)
		}
	}
	return l.recoverTail(segments[len(segments)-1])
}

// loaded makes durable which files there are, after the library has created, deleted or renamed some, and notes
// their names for Replay.
func (l *Log) loaded() error {
	if err := l.sys.syncDir(l.dir); err != nil {
		return fmt.Errorf("fsync the directory: %w", err)
	}
	segments, err := Segments(l.dir)
	if err != nil {
		return err
	}
	l.segments = segments
	l.newest = segments[len(segments)-1].First
	l.room, err = l.openRoom()
	return err
}

// Lock locks the directory of a log, which must exist: no Log can be opened in it until Unlock. It refuses with ErrLocked
// while somebody has it.
func Lock(dir string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(fileMode))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if !locked {
		return nil, ErrLocked
	}
	return lock, nil
}

// makeDir creates the directory and makes its name durable, and those of the directories above it that were missing
// too. If it exists, whoever made it may have died before that, so its parent is fsynced all the same; if we may
// not, then it was made by somebody else.
func makeDir(dir string, sys system) error {
	parents, err := missingParents(dir)
	if err != nil {
		return err
	}
	if len(parents) == 0 {
		if err := sys.syncDir(filepath.Dir(dir)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("fsync the parent directory: %w", err)
		}
		return nil
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	for _, parent := range parents {
		if err := sys.syncDir(parent); err != nil {
			return fmt.Errorf("fsync the parent directory: %w", err)
		}
	}
	return nil
}

// missingParents are the parents of dir and of those of its ancestors that do not exist.
func missingParents(dir string) (parents []string, err error) {
	for ; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(dir)
		if err == nil {
			return parents, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("look for the directory: %w", err)
		}
		parents = append(parents, filepath.Dir(dir))
	}
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

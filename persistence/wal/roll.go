package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Roll ends the newest segment: the next entry goes into a new one. So DropBefore of that entry's index leaves nothing of
// what is there now. It does nothing while the newest segment is empty. DropBefore must not run beside it.
//
// An error with ErrFailed has failed the log for good, as one of Append does; any other left everything as it was.
//
// The library rolls only when a segment is full. So the file is made here, as the library makes it, and the library opened
// anew: it goes on in the last file that it finds. All that was appended is durable by now, so the old file needs nothing
// more than that its room is cut off, durably, before there is a new one. The new one's name is made durable before
// anything is written to it; without it, a crash leaves the log as it was, with it, the log with an empty last segment,
// which Open finds after some rolls of the library's, too.
func (l *Log) Roll() error {
	if err := l.usable(); err != nil {
		return err
	}
	next := l.last.Load() + 1
	if l.newest == next {
		return nil
	}
	l.appended = true // what Open found is not all any more
	if err := l.room.cut(); err != nil {
		return l.fail(fmt.Errorf("roll: %w", err))
	}
	path := filepath.Join(l.dir, segmentName(next))
	if err := l.sys.create(path); err != nil {
		err = fmt.Errorf("roll: make a segment: %w", err)
		if _, there := os.Lstat(path); errors.Is(there, fs.ErrNotExist) {
			return err
		}
		return l.fail(err)
	}
	if err := l.goOnIn(next); err != nil {
		return l.fail(fmt.Errorf("roll: %w", err))
	}
	return nil
}

// goOnIn makes a new segment's name durable, and has the library append to it.
func (l *Log) goOnIn(next uint64) error {
	if err := l.sys.syncDir(l.dir); err != nil {
		return fmt.Errorf("fsync the directory: %w", err)
	}
	segments, err := Segments(l.dir)
	if err != nil {
		return err
	}
	old := l.backend
	l.backend = nil // whatever comes, it is not closed twice
	if err := guarded("close the segment that ends", old.Close); err != nil {
		return err
	}
	l.newest = next
	err = guarded("open the segment that begins", func() error {
		library, err := l.sys.openBackend(l.dir, l.segmentSize, segments[0].First, next-1)
		if err == nil {
			l.backend = library
		}
		return err
	})
	if err != nil {
		return err
	}
	return l.moveRoom()
}

// createEmpty makes a file that was not there.
func createEmpty(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	return f.Close()
}

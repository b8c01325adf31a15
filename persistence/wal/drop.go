package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// DropBefore removes the segments that hold nothing but entries before an index, and returns how many. The last
// segment always stays, so the log keeps its last index. Only the owner of the log may drop: it must have a snapshot
// of what those entries did, and must not be in Open, Replay or Roll. Appends may go on meanwhile, in another goroutine:
// neither Append nor the library under it touches a file that is not the last.
//
// The oldest goes first, and each removal is made durable before the next, so whenever the process dies or the power
// goes, what is left is the log without some of its oldest files. The names of the files that stay are made durable
// before the first removal.
//
// What Open cut off segments that are gone by then goes too, after them: nobody was ever told of it, but it is of the
// same people.
func DropBefore(dir string, index uint64) (segments int, err error) {
	return dropBefore(dir, index, realSystem())
}

func dropBefore(dir string, index uint64, sys system) (dropped int, err error) {
	segments, err := Segments(dir)
	if err != nil {
		return 0, fmt.Errorf("drop segments: %w", err)
	}
	old := wholeBefore(segments, index)
	dropped, err = dropOld(dir, old, sys)
	if err == nil && len(segments) > 0 {
		err = dropTorn(dir, segments[len(old)].First, sys)
	}
	return dropped, err
}

func dropOld(dir string, old []Segment, sys system) (dropped int, err error) {
	if len(old) == 0 {
		return 0, nil
	}
	if old[0].start {
		return 0, fmt.Errorf("drop segments: %s is an unfinished truncation, which only Open can finish", old[0].Path)
	}
	if err := sys.syncDir(dir); err != nil {
		return 0, fmt.Errorf("drop segments: fsync the directory: %w", err)
	}
	for _, seg := range old {
		if err := sys.remove(seg.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return dropped, fmt.Errorf("drop a segment: %w", err)
		}
		if err := sys.syncDir(dir); err != nil {
			return dropped, fmt.Errorf("drop segments: fsync the directory: %w", err)
		}
		dropped++
	}
	return dropped, nil
}

// dropTorn removes what was saved of torn records that were cut off segments before the one that begins with first.
func dropTorn(dir string, first uint64, sys system) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("drop what was cut off: %w", err)
	}
	removed := false
	for _, file := range files {
		if of, saved := parseTorn(file.Name()); !saved || of >= first {
			continue
		}
		if err := sys.remove(filepath.Join(dir, file.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop what was cut off: %w", err)
		}
		removed = true
	}
	if !removed {
		return nil
	}
	if err := sys.syncDir(dir); err != nil {
		return fmt.Errorf("drop what was cut off: fsync the directory: %w", err)
	}
	return nil
}

// wholeBefore are the segments all of whose entries lie before an index: those that the next one shows to end there.
func wholeBefore(segments []Segment, index uint64) []Segment {
	n := 0
	for n+1 < len(segments) && segments[n+1].First <= index {
		n++
	}
	return segments[:n]
}

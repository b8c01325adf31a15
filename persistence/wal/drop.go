package wal

import (
	"errors"
	"fmt"
	"io/fs"
)

// DropBefore removes the segments that hold nothing but entries before an index, and returns how many. The last
// segment always stays, so the log keeps its last index. Only the owner of the log may drop: it must have a snapshot
// of what those entries did, and must not be in Open or Replay. Appends may go on meanwhile, in another goroutine:
// neither Append nor the library under it touches a file that is not the last.
//
// The oldest goes first, and each removal is made durable before the next, so whenever the process dies or the power
// goes, what is left is the log without some of its oldest files. The names of the files that stay are made durable
// before the first removal.
func DropBefore(dir string, index uint64) (segments int, err error) {
	return dropBefore(dir, index, realSystem())
}

func dropBefore(dir string, index uint64, sys system) (dropped int, err error) {
	segments, err := Segments(dir)
	if err != nil {
		return 0, fmt.Errorf("drop segments: %w", err)
	}
	old := wholeBefore(segments, index)
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

// wholeBefore are the segments all of whose entries lie before an index: those that the next one shows to end there.
func wholeBefore(segments []Segment, index uint64) []Segment {
	n := 0
	for n+1 < len(segments) && segments[n+1].First <= index {
		n++
	}
	return segments[:n]
}

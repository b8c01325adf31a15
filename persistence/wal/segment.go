package wal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	nameSize    = 20       // digits of a segment's name
	startSuffix = ".START" // the library's mark of an unfinished truncation at the front
	endSuffix   = ".END"   // and of one at the back
)

// Segment is one file of the log.
type Segment struct {
	Path  string
	First uint64 // index of its first entry
	Size  int64

	start bool // named .START
}

func segmentName(first uint64) string { return fmt.Sprintf("%0*d", nameSize, first) }

// Segments lists the files of the log in a directory, in order, as the library will see them once it has finished
// what it had begun. Files of other names are not the log's. It changes nothing.
//
// A truncation at the front writes what remains of one segment to N.START, then deletes the segments up to that
// one, then renames N.START to N. So whatever sorts before a .START is on its way out, and is left off here. A
// truncation at the back would leave an .END, for which the library deletes what follows. Nothing in this program
// removes the newest entries, so an .END is refused: its maker has to say what is right.
func Segments(dir string) ([]Segment, error) {
	files, err := os.ReadDir(dir) // sorted by name, so by index, N before N.START
	if err != nil {
		return nil, fmt.Errorf("list the segments: %w", err)
	}
	var segments []Segment
	started := false
	for _, file := range files {
		first, suffix, ok := parseName(file.Name())
		if !ok {
			continue
		}
		path := filepath.Join(dir, file.Name())
		info, err := file.Info()
		switch {
		case err != nil:
			return nil, fmt.Errorf("list the segments: %w", err)
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("%s has the name of a segment and is not a regular file", path)
		case suffix == endSuffix:
			return nil, fmt.Errorf("%s is an unfinished truncation at the back, which this log never does: "+
				"move it away, or the segments that it replaces", path)
		case suffix == startSuffix && started:
			return nil, fmt.Errorf("%s is the second %s file: only one truncation can be unfinished", path, startSuffix)
		case suffix == startSuffix:
			started = true
			segments = segments[:0]
		}
		segments = append(segments, Segment{Path: path, First: first, Size: info.Size(), start: suffix == startSuffix})
	}
	return segments, nil
}

// parseName takes the names that the library takes, and no others.
func parseName(name string) (first uint64, suffix string, ok bool) {
	if len(name) < nameSize {
		return 0, "", false
	}
	suffix = name[nameSize:]
	if suffix != "" && suffix != startSuffix && suffix != endSuffix {
		return 0, "", false
	}
	first, err := strconv.ParseUint(strings.TrimSuffix(name, suffix), 10, 64)
	return first, suffix, err == nil && first > 0
}

// Walk calls fn for each entry of the log in a directory, in order, and stops at the first error: of fn, of the
// disk, or a *CorruptError. It takes no lock and changes nothing, so it serves tools. On a live directory the last
// record may be found torn because it is being written, and a file may vanish because the log is truncated.
func Walk(dir string, fn func(Entry) error) error {
	segments, err := Segments(dir)
	if err != nil {
		return err
	}
	_, err = walk(segments, fn)
	return err
}

// walk returns the index that is due after the last entry.
func walk(segments []Segment, fn func(Entry) error) (next uint64, err error) {
	for i, seg := range segments {
		if i > 0 && seg.First != next {
			reason := fmt.Sprintf("the segment starts with index %d: entries are missing before it, or there twice", seg.First)
			return 0, &CorruptError{File: seg.Path, Index: next, Reason: reason}
		}
		ext, err := scanSegment(seg, i == len(segments)-1, fn)
		if err != nil {
			return 0, err
		}
		next = ext.next
	}
	return next, nil
}

// extent is what a scan found valid of a segment, before it ended or failed.
type extent struct {
	next uint64 // index that is due at end
	last int64  // offset of the last record; end if there is none
	end  int64
}

// scanSegment calls fn, which may be nil, for each entry of a segment. In the last segment of a log a bad record is
// judged by the tail rule; in any other it is corrupt.
func scanSegment(seg Segment, last bool, fn func(Entry) error) (extent, error) {
	ext := extent{next: seg.First}
	f, err := os.Open(seg.Path)
	if err != nil {
		return ext, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	scanner := NewScanner(f, seg.Path, seg.Size, seg.First)
	for {
		e, err := scanner.Next()
		if err == io.EOF {
			return ext, nil
		}
		if bad, ok := errors.AsType[*CorruptError](err); ok && last {
			if readErr := judgeTail(f, seg.Size, bad); readErr != nil {
				err = readErr
			}
		}
		if err != nil {
			return ext, err
		}
		ext = extent{next: e.Index + 1, last: e.Offset, end: scanner.Offset()}
		if fn == nil {
			continue
		}
		if err := fn(e); err != nil {
			return ext, fmt.Errorf("entry %d: %w", e.Index, err)
		}
	}
}

package wal

import (
	"errors"
	"fmt"
	"io/fs"
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
//
// On a live log a list is not of one moment: it may lack files in the middle or at the end, which came or went
// while it was made, and may have some at the front that are gone by now. Each size but that of the last is final: a
// file gets its successor when nothing is added to it any more, and it has no room by then, and sizes are taken after
// the names. The last file may grow, or lose its room.
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
		case errors.Is(err, fs.ErrNotExist):
			continue // DropBefore is at work, on a live log
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

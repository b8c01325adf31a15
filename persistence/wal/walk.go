package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrDropped says that DropBefore removed entries while they were about to be read. To walk again starts with the
// oldest entry that is left.
var ErrDropped = errors.New("entries were dropped before they were read")

// Walk calls fn for each entry of the log in a directory, in order and without gaps, and stops at the first error:
// of fn, of the disk, ErrDropped or a *CorruptError. A payload is valid during the call only. Walk takes no lock and
// changes nothing, so it serves tools.
//
// On a live directory it shows the log as it was at some moment between the call and the return, or more. What
// happens meanwhile is not taken for damage: a record that is being written is the end of the log, or torn if it
// does not get finished; the oldest files may go before the first entry was handed out; if they go later, and the
// walk had not reached them, then that is ErrDropped.
func Walk(dir string, fn func(Entry) error) error {
	return walkListed(func() ([]Segment, error) { return Segments(dir) }, fn)
}

// walkListed lists anew when the oldest file is gone before it was opened, as long as another one is the oldest then.
func walkListed(list func() ([]Segment, error), fn func(Entry) error) error {
	for oldest := ""; ; {
		segments, err := list()
		if err != nil {
			return err
		}
		begun := false
		_, err = walk(segments, func(e Entry) error {
			begun = true
			return fn(e)
		})
		if begun || !errors.Is(err, ErrDropped) || segments[0].Path == oldest {
			return err
		}
		oldest = segments[0].Path
	}
}

// walk reads segments as they were listed. It returns the index that is due after the last entry.
func walk(segments []Segment, fn func(Entry) error) (next uint64, err error) {
	var before Segment // that was read last
	for len(segments) > 0 {
		seg := segments[0]
		if before.Path == "" || seg.First == next {
			segments = segments[1:]
		} else if seg, err = unlisted(before, seg, next); err != nil {
			return 0, err
		}
		ext, err := readSegment(before, seg, len(segments) == 0, fn)
		if err != nil {
			return 0, err
		}
		before, next = seg, ext.next
	}
	return next, nil
}

// unlisted finds the segment that is due after one that was read, when another comes next in the list. That one's
// entries were written after the ones that are due, so the log had these, and either the list lacks their file, or
// it was dropped, or something is wrong.
func unlisted(before, listed Segment, next uint64) (Segment, error) {
	if next == before.First {
		return Segment{}, emptySegment(before)
	}
	reason := fmt.Sprintf("the segment starts with index %d: entries are missing before it, or there twice", listed.First)
	bad := &CorruptError{File: listed.Path, Index: next, Reason: reason}
	if listed.First < next {
		return Segment{}, bad
	}
	path := filepath.Join(filepath.Dir(listed.Path), segmentName(next))
	info, err := os.Lstat(path)
	if err != nil {
		return Segment{}, vanished(before, err, bad)
	}
	return Segment{Path: path, First: next, Size: info.Size()}, nil
}

// emptySegment is for one that is not the last: only the last can be there before its first entry.
func emptySegment(seg Segment) *CorruptError {
	return &CorruptError{File: seg.Path, Index: seg.First, Reason: "the segment is empty and not the last"}
}

// vanished tells a file that was dropped from one that should be there. Files are dropped from the oldest on, so if
// the one before it is still there now, then the file was not dropped before.
func vanished(before Segment, err, otherwise error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open segment: %w", err)
	}
	if before.Path == "" {
		return fmt.Errorf("%w: %w", ErrDropped, err)
	}
	if _, statErr := os.Lstat(before.Path); errors.Is(statErr, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrDropped, err)
	}
	return otherwise
}

// readSegment opens a segment and scans it. before is the one that was read before it, if any.
func readSegment(before, seg Segment, last bool, fn func(Entry) error) (extent, error) {
	f, err := os.Open(seg.Path)
	if err != nil {
		return extent{}, vanished(before, err, fmt.Errorf("open segment: %w", err))
	}
	defer func() { _ = f.Close() }() // it was only read
	return scan(f, seg, last, fn)
}

// End is where the records of the last segment end, for who copies it: what lies before does not change any more, and
// behind it is room, or a record that is not whole. Of a damaged segment it is the end of the file, damage and all.
func (s Segment) End() (int64, error) {
	ext, err := readSegment(Segment{}, s, true, nil)
	bad, isBad := errors.AsType[*CorruptError](err)
	switch {
	case isBad && bad.Torn:
		return ext.end, nil
	case isBad:
		return s.Size, nil
	}
	return ext.end, err
}

// extent is what a scan found valid of a segment, before it ended or failed.
type extent struct {
	next uint64 // index that is due at end
	last int64  // offset of the last record; end if there is none
	end  int64
}

// scan calls fn, which may be nil, for each entry of a segment. In the last segment of a log a bad record gets a
// second look, and is judged by the tail rule, or is no record but room. In any other it is corrupt; so it is in a
// .START, which was fsynced before it got its name.
func scan(f *os.File, seg Segment, last bool, fn func(Entry) error) (extent, error) {
	ext := extent{next: seg.First}
	scanner := NewScanner(f, seg.Path, seg.Size, seg.First)
	for {
		e, err := scanner.Next()
		switch {
		case errors.Is(err, io.EOF):
			return ext, nil
		case err != nil && last && !seg.start && mayChange(err):
			return ext, lookAgain(f, seg, ext)
		case err != nil:
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

// mayChange says whether a finding may be of a moment only, if the log is live. A torn record may get finished, too,
// but is no damage, so it is not waited for.
func mayChange(err error) bool {
	if bad, ok := errors.AsType[*CorruptError](err); ok {
		return !bad.Torn
	}
	return errors.Is(err, io.ErrUnexpectedEOF)
}

// maxLooks bounds how often a bad record is looked at again. doc.go needs two; one more is for a log that is opened, or
// cut, meanwhile.
const maxLooks = 3

// lookAgain looks once more at the bad record at ext.end, with the size that the file has now. If there is room, or
// nothing, then the log ends there; if the record is whole, then the first look met one that was being written, or one
// that an Open was about to cut to write another in its place, and the log ended there. Otherwise the last finding counts.
func lookAgain(f *os.File, seg Segment, ext extent) (err error) {
	for range maxLooks {
		if err = look(f, seg, ext); err == nil || !mayChange(err) {
			return err
		}
	}
	return err
}

func look(f *os.File, seg Segment, ext extent) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("measure the last segment: %w", err)
	}
	size := info.Size()
	s := NewScanner(io.NewSectionReader(f, ext.end, size-ext.end), seg.Path, size, ext.next)
	s.offset = ext.end
	_, err = s.Next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if bad, ok := errors.AsType[*CorruptError](err); ok {
		room, judgeErr := judgeTail(f, size, bad)
		if room || judgeErr != nil {
			return judgeErr
		}
	}
	return err
}

package wal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Cut is a torn record that is to be cut off the end of the log, or was.
type Cut struct {
	File   string
	Offset int64  // where the file ends then
	Bytes  int64  // that are cut off
	Index  uint64 // of the entry that did not get finished
	Reason string
	Saved  string // name of the file beside it that got the bytes; empty before the cut, and if that failed
}

// PlanRepair reads all of the log in a directory and says what Open would cut off as torn; nil when there is nothing.
// Any other damage is an error. It takes no lock and changes nothing. On a live log, what it finds may be a record
// that is being written.
func PlanRepair(dir string) (*Cut, error) {
	err := Walk(dir, func(Entry) error { return nil })
	bad, ok := errors.AsType[*CorruptError](err)
	if !ok {
		return nil, err
	}
	if bad.Torn {
		return newCut(bad), nil
	}
	segments, err := Segments(dir)
	if err != nil {
		return nil, errors.Join(bad, err)
	}
	last := segments[len(segments)-1]
	return nil, refusal(bad, bad.File == last.Path && bad.Left > 0 && !last.start)
}

// Repair does what PlanRepair says, as Open would, and makes it durable. It takes the lock meanwhile, and leaves a
// log with any other damage as it is.
func Repair(dir string) (*Cut, error) { return repair(dir, realSystem()) }

func repair(dir string, sys system) (done *Cut, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("repair the log: %w", err)
	}
	lock, err := Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("repair the log %s: %w", dir, err)
	}
	l := &Log{dir: dir, sys: sys, logger: slog.New(slog.DiscardHandler), lock: lock}
	if err := errors.Join(l.cutAsPlanned(), lock.Unlock()); err != nil {
		return l.repair, fmt.Errorf("repair the log %s: %w", dir, err)
	}
	return l.repair, nil
}

func (l *Log) cutAsPlanned() error {
	plan, err := PlanRepair(l.dir)
	if plan == nil {
		return err
	}
	segments, err := Segments(l.dir)
	if err != nil {
		return err
	}
	if err := l.inspect(segments); err != nil {
		return err
	}
	if err := l.sys.syncDir(l.dir); err != nil {
		return fmt.Errorf("fsync the directory: %w", err)
	}
	return nil
}

// recoverTail scans the last segment, cuts a torn record off it, and makes sure that what remains is on the disk.
func (l *Log) recoverTail(seg Segment) error {
	f, err := os.OpenFile(seg.Path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open the last segment: %w", err)
	}
	defer func() { _ = f.Close() }() // what counts is its fsync
	ext, err := scan(f, seg, true, nil)
	bad, isBad := errors.AsType[*CorruptError](err)
	if err != nil && !isBad {
		return err
	}
	if isBad && !bad.Torn {
		return refusal(bad, true)
	}
	l.last.Store(ext.next - 1)
	switch {
	case isBad:
		err = l.cut(f, seg, bad)
	case seg.Size > ext.end: // there is room: the log was not closed
		err = f.Truncate(ext.end)
	}
	if err != nil {
		return fmt.Errorf("cut the last segment: %w", err)
	}
	return l.settle(f, ext)
}

// refusal tells an operator what can be done about a record that we will not cut.
func refusal(bad *CorruptError, last bool) error {
	if !last {
		return fmt.Errorf("%w. Restore the file from a backup", bad)
	}
	return fmt.Errorf("%w. This is not an append that a crash cut off, so it may have been acknowledged. "+
		"Restore the file from a backup, or give up this entry and all behind it: "+
		"keep a copy and truncate the file to %d bytes", bad, bad.Offset)
}

func newCut(bad *CorruptError) *Cut {
	return &Cut{File: bad.File, Offset: bad.Offset, Bytes: bad.Left, Index: bad.Index, Reason: bad.Reason}
}

// cut truncates the file to where the torn record starts. What is cut off is kept aside if that works; the log does
// not need it.
func (l *Log) cut(f *os.File, seg Segment, bad *CorruptError) error {
	cut := newCut(bad)
	saved, saveErr := l.saveAside(f, seg, cut)
	if err := f.Truncate(cut.Offset); err != nil {
		return err
	}
	attrs := []any{"file", cut.File, "offset", cut.Offset, "index", cut.Index, "bytes", cut.Bytes, "why", cut.Reason}
	if saveErr != nil {
		attrs = append(attrs, "not_saved", saveErr)
	} else {
		cut.Saved = saved
		attrs = append(attrs, "saved", saved)
	}
	l.repair = cut
	l.logger.Warn("wal: cut a torn record off the log; it was never acknowledged", attrs...)
	return nil
}

const tornPrefix = "torn-"

// parseTorn takes the names of saveAside, and says which segment a torn record was cut off.
func parseTorn(name string) (segment uint64, ok bool) {
	rest, ok := strings.CutPrefix(name, tornPrefix)
	if !ok || len(rest) <= nameSize || rest[nameSize] != '-' {
		return 0, false
	}
	segment, err := strconv.ParseUint(rest[:nameSize], 10, 64)
	return segment, err == nil
}

// saveAside copies what is cut off to a file that neither we nor the library take for a segment.
func (l *Log) saveAside(f *os.File, seg Segment, cut *Cut) (name string, err error) {
	name = fmt.Sprintf("%s%s-%d-%d", tornPrefix, segmentName(seg.First), cut.Offset, time.Now().UnixNano())
	path := filepath.Join(l.dir, name)
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, io.NewSectionReader(f, cut.Offset, cut.Bytes))
	if err == nil {
		err = l.sys.syncFile(to)
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return name, l.sys.syncDir(l.dir)
}

// settle makes all of the last segment durable before anybody sees it. The last record may be in the page cache
// only: its writer may have died before the fsync, or died of a failed one, and after that the system may hold the
// pages for clean, so that no later fsync writes them. Hence it is written again, byte for byte. All before it was
// fsynced before it was begun.
func (l *Log) settle(f *os.File, ext extent) error {
	buf := make([]byte, min(tailWindow, ext.end-ext.last))
	for at := ext.last; at < ext.end; {
		b := buf[:min(int64(len(buf)), ext.end-at)]
		if _, err := f.ReadAt(b, at); err != nil {
			return fmt.Errorf("read the last record again: %w", err)
		}
		if _, err := f.WriteAt(b, at); err != nil {
			return fmt.Errorf("write the last record again: %w", err)
		}
		at += int64(len(b))
	}
	if err := l.sys.syncFile(f); err != nil {
		return fmt.Errorf("fsync the last segment: %w", err)
	}
	return nil
}

package wal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// recoverTail scans the last segment, cuts a torn record off it, and makes sure that what remains is on the disk.
func (l *Log) recoverTail(seg Segment) error {
	ext, err := scanSegment(seg, true, nil)
	bad, isBad := errors.AsType[*CorruptError](err)
	if err != nil && !isBad {
		return err
	}
	if isBad && !bad.Torn {
		return refusal(bad, true)
	}
	l.last.Store(ext.next - 1)
	f, err := os.OpenFile(seg.Path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open the last segment: %w", err)
	}
	defer f.Close()
	if isBad {
		if err := l.cut(f, seg, bad); err != nil {
			return err
		}
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

// cut truncates the file to where the torn record starts. What is cut off is kept aside if that works; the log does
// not need it.
func (l *Log) cut(f *os.File, seg Segment, bad *CorruptError) error {
	aside, asideErr := l.saveAside(f, seg, bad.Offset)
	if err := f.Truncate(bad.Offset); err != nil {
		return fmt.Errorf("cut a torn record: %w", err)
	}
	l.repaired = seg.Size - bad.Offset
	attrs := []any{"file", seg.Path, "offset", bad.Offset, "index", bad.Index, "bytes", l.repaired, "why", bad.Reason}
	if asideErr != nil {
		attrs = append(attrs, "not_saved", asideErr)
	} else {
		attrs = append(attrs, "saved", aside)
	}
	l.logger.Warn("wal: cut a torn record off the log; it was never acknowledged", attrs...)
	return nil
}

// saveAside copies the file from offset on to a file that neither we nor the library take for a segment.
func (l *Log) saveAside(f *os.File, seg Segment, offset int64) (name string, err error) {
	name = fmt.Sprintf("torn-%s-%d-%d", segmentName(seg.First), offset, time.Now().UnixNano())
	path := filepath.Join(l.dir, name)
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, io.NewSectionReader(f, offset, seg.Size-offset))
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

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"minicrm/persistence"
	"minicrm/persistence/wal"
)

const (
	backupDirMode  os.FileMode = 0o750
	backupFileMode os.FileMode = 0o640

	// backupTries bounds how often a copy begins anew because a server removed what was about to be copied. One more is
	// enough unless two snapshots are written in the time that one is copied.
	backupTries = 5
)

// target is where a backup goes. All is made in a directory within it, and moved out of that once it is known to be
// good: so whoever starts a server on half a backup finds an empty directory or is refused, and never half the data.
type target struct {
	dir, partial string
	made         bool // by us
}

// newTarget makes the directory, or takes an empty one.
func newTarget(dir string) (*target, error) {
	t := &target{dir: dir, partial: filepath.Join(dir, "partial")}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		t.made, err = true, os.Mkdir(dir, backupDirMode)
	}
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("it is not empty: it has %s", entries[0].Name())
	}
	if err == nil {
		err = os.Mkdir(t.partial, backupDirMode)
	}
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", dir, err)
	}
	return t, nil
}

// discard leaves the target as it was found.
func (t *target) discard() error {
	err := os.RemoveAll(t.partial)
	if t.made {
		err = errors.Join(err, os.Remove(t.dir))
	}
	return err
}

// copy copies until nothing was removed meanwhile.
func (t *target) copy(dir string) (err error) {
	for range backupTries {
		if err = t.tryCopy(dir); !errors.Is(err, errMoved) {
			return err
		}
		if err := os.RemoveAll(t.partial); err != nil {
			return err
		}
	}
	return err
}

// tryCopy copies the snapshot first: the journal, which goes on meanwhile, must have all that comes behind it.
func (t *target) tryCopy(dir string) error {
	from, err := persistence.JournalDir(dir)
	if err != nil {
		return err
	}
	journal, snapshots := filepath.Join(t.partial, filepath.Base(from)), filepath.Join(t.partial, "snapshots")
	for _, d := range []string{journal, snapshots} {
		if err := os.MkdirAll(d, backupDirMode); err != nil {
			return err
		}
	}
	entry, err := copySnapshot(dir, snapshots)
	if err != nil {
		return err
	}
	segments, err := settledSegments(from)
	if err != nil {
		return err
	}
	if len(segments) > 0 && segments[0].First > entry+1 {
		return fmt.Errorf("%w: the journal begins with entry %d, and the snapshot ends with %d", errMoved, segments[0].First, entry)
	}
	for i, seg := range segments {
		if i+1 < len(segments) && segments[i+1].First <= entry {
			continue // all its entries are before the snapshot's
		}
		size := seg.Size
		if i+1 == len(segments) {
			if size, err = seg.End(); err != nil {
				return moved(err)
			}
		}
		if err := copyFile(seg.Path, size, journal); err != nil {
			return err
		}
	}
	return syncDirs(journal, snapshots, t.partial)
}

// copySnapshot copies the newest snapshot that is good, and returns the entry behind which a start goes on; 0 = there
// is none.
func copySnapshot(dir, to string) (entry uint64, err error) {
	files, err := persistence.Snapshots(dir)
	if err != nil {
		return 0, err
	}
	for _, file := range slices.Backward(files) {
		if err := copyFile(file.Path, math.MaxInt64, to); err != nil {
			return 0, err
		}
		copied := filepath.Join(to, filepath.Base(file.Path))
		_, info, err := persistence.ReadSnapshot(copied)
		if err == nil {
			return info.Entry, nil
		}
		fmt.Fprintf(os.Stderr, "warning: %s is not good, so the one before it is taken: %v\n", file.Path, err)
		if err := os.Remove(copied); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// settledSegments lists the segments of a journal that may go on. A list that was made while two segments came may
// have the second and not the first; two equal ones in a row have all that there was before the second.
func settledSegments(journal string) (segments []wal.Segment, err error) {
	sameFile := func(a, b wal.Segment) bool { return a.Path == b.Path }
	var before []wal.Segment
	for range backupTries {
		if segments, err = wal.Segments(journal); err != nil || before != nil && slices.EqualFunc(before, segments, sameFile) {
			return segments, err
		}
		before = segments
	}
	return nil, fmt.Errorf("%w: the segments in %s change all the time", errMoved, journal)
}

// moved marks the error of a file that was there when it was listed.
func moved(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", errMoved, err)
	}
	return err
}

// copyFile copies the first bytes of a file, as many as there are, into a directory, and makes them durable.
func copyFile(path string, size int64, dir string) error {
	from, err := os.Open(path)
	if err != nil {
		return moved(err)
	}
	defer func() { _ = from.Close() }() // it was only read
	to, err := os.OpenFile(filepath.Join(dir, filepath.Base(path)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, backupFileMode)
	if err != nil {
		return err
	}
	if _, err = io.Copy(to, io.LimitReader(from, size)); err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", path, err)
	}
	return nil
}

// publish moves the copy to where a server looks for it: the snapshots first, since a server refuses them without
// their journal.
func (t *target) publish() error {
	entries, err := os.ReadDir(t.partial)
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(entries) {
		if err := os.Rename(filepath.Join(t.partial, e.Name()), filepath.Join(t.dir, e.Name())); err != nil {
			return err
		}
		if err := syncDirs(t.dir); err != nil {
			return err
		}
	}
	if err := os.Remove(t.partial); err != nil {
		return err
	}
	return syncDirs(t.dir, filepath.Dir(filepath.Clean(t.dir)))
}

func syncDirs(dirs ...string) error {
	for _, dir := range dirs {
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return fmt.Errorf("fsync the directory %s: %w", dir, err)
		}
	}
	return nil
}

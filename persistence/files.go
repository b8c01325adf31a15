package persistence

import (
	"errors"
	"io"
	"os"
)

const (
	dirMode  os.FileMode = 0o750
	fileMode os.FileMode = 0o640
)

// files is what snapshots ask of the file system, so that tests can put faults and crashes behind it.
type files interface {
	create(path string) (output, error) // a new file, to be written
	open(path string) (input io.ReadCloser, size int64, err error)
	rename(from, to string) error
	remove(path string) error
	syncDir(dir string) error
}

// output is a file that is being written.
type output interface {
	io.WriteCloser
	Sync() error
}

type realFiles struct{}

func (realFiles) create(path string) (output, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
}

func (realFiles) open(path string) (io.ReadCloser, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

func (realFiles) rename(from, to string) error { return os.Rename(from, to) }
func (realFiles) remove(path string) error     { return os.Remove(path) }

func (realFiles) syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// steadyBytes is how much of a snapshot is written between two fsyncs.
const steadyBytes = 1 << 20

// steady fsyncs as it goes, since one fsync of a whole snapshot would hold up those of the journal.
type steady struct {
	output
	unsynced int
}

func (s *steady) Write(b []byte) (n int, err error) {
	n, err = s.output.Write(b)
	if s.unsynced += n; err == nil && s.unsynced >= steadyBytes {
		s.unsynced = 0
		err = s.Sync()
	}
	return n, err
}

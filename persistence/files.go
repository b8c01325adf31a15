package persistence

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

const (
	dirMode  os.FileMode = 0o750
	fileMode os.FileMode = 0o640
)

// files is what snapshots and archives ask of the file system, so that tests can put faults and crashes behind it.
type files interface {
	create(path string) (output, error) // a new file, to be written
	open(path string) (input io.ReadCloser, size int64, err error)
	edit(path string) (file editable, size int64, err error) // made if it is not there
	rename(from, to string) error
	remove(path string) error
	syncDir(dir string) error
}

// output is a file that is being written.
type output interface {
	io.WriteCloser
	Sync() error
}

// editable is a file that can be read and written anywhere.
type editable interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

type realFiles struct{}

func (realFiles) create(path string) (output, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
}

func (realFiles) open(path string) (io.ReadCloser, int64, error) { return sized(path, os.O_RDONLY) }

func (realFiles) edit(path string) (editable, int64, error) {
	return sized(path, os.O_RDWR|os.O_CREATE)
}

// sized opens a file and says how long it is.
func sized(path string, flag int) (*os.File, int64, error) {
	f, err := os.OpenFile(path, flag, fileMode)
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

// A snapshot is written beside the commits, and must not hold them up: neither by one long fsync, which those of the
// journal would wait for, nor by keeping one of few processors to itself. So it is fsynced as it goes, and rests.
const (
	// steadyBytes is how much is written between two fsyncs. Smaller and larger ones measured the same or worse.
	steadyBytes = 1 << 20
	// restShare is how long it rests for each stretch of work: with it, commits beside a snapshot take what they take
	// without (p50), or little more (p99); more rest measured no better.
	restShare = 4
	restAfter = time.Millisecond // the shortest stretch: a small snapshot does not rest at all
)

// steady writes like that. Its rests end with its context.
type steady struct {
	output
	ctx      context.Context
	busy     func() bool // says whether there is somebody to rest for
	unsynced int
	began    time.Time // of the stretch
}

func newSteady(ctx context.Context, file output, busy func() bool) *steady {
	return &steady{output: file, ctx: ctx, busy: busy, began: time.Now()}
}

func (s *steady) Write(b []byte) (n int, err error) {
	n, err = s.output.Write(b)
	if s.unsynced += n; err == nil && s.unsynced >= steadyBytes {
		s.unsynced = 0
		err = s.Sync()
	}
	s.rest()
	return n, err
}

func (s *steady) rest() {
	worked := time.Since(s.began)
	if worked < restAfter {
		return
	}
	if s.busy() {
		select {
		case <-time.After(restShare * worked):
		case <-s.ctx.Done():
		}
	}
	s.began = time.Now()
}

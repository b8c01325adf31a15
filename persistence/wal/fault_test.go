package wal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// faulty is the library with faults: each field that is set takes the place of a call.
type faulty struct {
	backend
	write func(index uint64, data []byte) error
	sync  func() error
	close func() error // after the real one
}

func (f *faulty) Close() error {
	err := f.backend.Close()
	if f.close != nil {
		err = errors.Join(f.close(), err)
	}
	return err
}

func (f *faulty) Write(index uint64, data []byte) error {
	if f.write != nil {
		return f.write(index, data)
	}
	return f.backend.Write(index, data)
}

func (f *faulty) Sync() error {
	if f.sync != nil {
		return f.sync()
	}
	return f.backend.Sync()
}

var errDisk = errors.New("broken disk")

// openFaulty opens a log with two entries, whose backend can be broken.
func openFaulty(t *testing.T, dir string, sys system) (*Log, *faulty) {
	t.Helper()
	f := &faulty{}
	library := sys.openBackend
	sys.openBackend = func(dir string, segmentSize int, first, last uint64) (b backend, err error) {
		f.backend, err = library(dir, segmentSize, first, last)
		return f, err
	}
	l, err := open(dir, Options{SegmentSize: smallSegment}, sys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // it may have failed
	mustAppend(t, l, []byte("first"), []byte("second"))
	return l, f
}

// wantFailed wants an append to fail with the cause, and all later calls too, with the same cause and without a
// write.
func wantFailed(t *testing.T, l *Log, f *faulty, cause error) {
	t.Helper()
	_, err := l.Append([]byte("third"))
	wantError(t, err, cause)
	wantError(t, err, ErrFailed)
	f.write = func(uint64, []byte) error { t.Error("wrote to a failed log"); return nil }
	f.sync = nil
	for range 2 {
		_, err := l.Append([]byte("fourth"))
		wantError(t, err, ErrFailed)
		wantError(t, err, cause)
	}
	wantError(t, l.Replay(func(uint64, []byte) error { return nil }), ErrFailed)
	if l.LastIndex() != 2 {
		t.Fatalf("last index %d after a failure", l.LastIndex())
	}
}

// wantReopened wants the two first entries, and at most whole of the third.
func wantReopened(t *testing.T, dir string, entries int, cut int64) {
	t.Helper()
	l := mustOpen(t, dir, Options{})
	want := [][]byte{[]byte("first"), []byte("second"), []byte("third")}[:entries]
	wantReplay(t, l, 1, want)
	if l.Repaired() != cut {
		t.Fatalf("cut %d bytes, want %d", l.Repaired(), cut)
	}
	mustAppend(t, l, []byte("afterwards"))
}

// A full disk takes part of a record, and has no room.
func TestShortWrite(t *testing.T) {
	full := quick()
	full.zero = func(*os.File, int64, int64) (int64, error) { return 0, errDisk }
	whole := record(3, []byte("third"))
	for part := range len(whole) + 1 {
		dir := t.TempDir()
		l, f := openFaulty(t, dir, full)
		f.write = func(uint64, []byte) error {
			file, err := os.OpenFile(filepath.Join(dir, segmentName(1)), os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			_, err = file.Write(whole[:part])
			return errors.Join(errDisk, err, file.Close())
		}
		wantFailed(t, l, f, errDisk)
		mustClose(t, l)
		if part == len(whole) {
			wantReopened(t, dir, 3, 0)
		} else {
			wantReopened(t, dir, 2, int64(part))
		}
	}
}

func TestFailedWrite(t *testing.T) {
	dir := t.TempDir()
	l, f := openFaulty(t, dir, realSystem())
	f.write = func(uint64, []byte) error { return errDisk }
	wantFailed(t, l, f, errDisk)
	mustClose(t, l)
	wantReopened(t, dir, 2, 0)
}

func TestFailedFsync(t *testing.T) {
	dir := t.TempDir()
	l, f := openFaulty(t, dir, realSystem())
	f.sync = func() error { return errDisk }
	wantFailed(t, l, f, errDisk)
	mustClose(t, l)
	wantReopened(t, dir, 3, 0) // it happens to be whole
}

func TestPanicOfTheLibrary(t *testing.T) {
	dir := t.TempDir()
	l, f := openFaulty(t, dir, realSystem())
	f.write = func(uint64, []byte) error { panic("index out of range") }
	_, err := l.Append([]byte("third"))
	wantError(t, err, ErrFailed, "panic in the library", "index out of range")
	f.write = nil
	_, err = l.Append([]byte("third"))
	wantError(t, err, ErrFailed, "index out of range")
}

// The library cannot create the next file.
func TestFailedRoll(t *testing.T) {
	dir := t.TempDir()
	l, _ := openFaulty(t, dir, realSystem())
	obstacle := filepath.Join(dir, segmentName(4))
	if err := os.Mkdir(obstacle, 0o700); err != nil {
		t.Fatal(err)
	}
	large := make([]byte, smallSegment)
	_, err := l.Append(large)
	wantError(t, err, ErrFailed)
	_ = l.Close() // the library has no file to close any more, and says so
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	wantReplay(t, mustOpen(t, dir, Options{}), 1, [][]byte{[]byte("first"), []byte("second"), large})
}

// The name of a new segment must be durable before an entry in it is acknowledged; without a roll no such fsync is
// needed.
func TestRollFsyncsDirectory(t *testing.T) {
	dir := t.TempDir()
	sys := realSystem()
	syncs, broken := 0, false
	sys.syncDir = func(dir string) error {
		if syncs++; broken {
			return errDisk
		}
		return syncDir(dir)
	}
	l, f := openFaulty(t, dir, sys)
	if syncs != 2 {
		t.Fatalf("%d fsyncs of directories by Open (this one and its parent) and appends without a roll", syncs)
	}
	mustAppend(t, l, make([]byte, smallSegment))
	mustAppend(t, l, []byte("in the new file"))
	if syncs != 3 || len(names(t, dir, "0*")) != 2 {
		t.Fatalf("%d fsyncs of the directory at a roll", syncs)
	}
	broken = true
	_, err := l.Append(make([]byte, smallSegment))
	wantError(t, err, errDisk)
	f.write = func(uint64, []byte) error { t.Error("wrote to a failed log"); return nil }
	_, err = l.Append([]byte("x"))
	wantError(t, err, ErrFailed)
}

// A log that was opened with a full last segment rolls before its first write: the record is in the new file at once.
func TestRollBeforeWriteFsyncsDirectory(t *testing.T) {
	dir := t.TempDir()
	writeSegment(t, dir, 1, record(1, make([]byte, 2*smallSegment)))
	sys := realSystem()
	syncs := 0
	sys.syncDir = func(dir string) error {
		syncs++
		return syncDir(dir)
	}
	l, err := open(dir, Options{SegmentSize: smallSegment}, sys)
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, l)
	syncs = 0
	mustAppend(t, l, []byte("in the new file"))
	if rolled := len(names(t, dir, segmentName(2))) == 1; !rolled || syncs != 1 {
		t.Fatalf("rolled: %v, with %d fsyncs of the directory", rolled, syncs)
	}
}

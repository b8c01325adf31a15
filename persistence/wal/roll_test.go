package wal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Catches: an entry before a roll that a drop leaves behind, a last index that is lost with the last entry, and rolls of
// an empty segment that leave files.
func TestRollThenDrop(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{})
	mustRoll(t, l)
	mustAppend(t, l, []byte("first"), []byte("second"))
	for range 2 {
		mustRoll(t, l)
		if got := names(t, dir, "0*"); !slices.Equal(got, []string{segmentName(1), segmentName(3)}) {
			t.Fatalf("segments %q", got)
		}
	}
	if n, err := DropBefore(dir, 3); n != 1 || err != nil {
		t.Fatalf("dropped %d, %v", n, err)
	}
	mustClose(t, l)
	l = mustOpen(t, dir, Options{})
	mustRoll(t, l) // what Open found is empty, too
	wantReplay(t, l, 3, nil)
	mustAppend(t, l, []byte("third"))
	mustRoll(t, l)
	mustAppend(t, l, []byte("fourth"))
	mustClose(t, l)
	l = mustOpen(t, dir, Options{})
	wantReplay(t, l, 3, [][]byte{[]byte("third"), []byte("fourth")})
	mustRoll(t, l)
	_, err := replayed(l, 3)
	wantError(t, err, ErrReplayOrder)
}

func mustRoll(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Roll(); err != nil {
		t.Fatal(err)
	}
}

// A segment that the library has just begun by itself is not rolled again.
func TestRollAfterTheLibraryRolled(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{SegmentSize: smallSegment})
	mustAppend(t, l, make([]byte, smallSegment))
	mustRoll(t, l)
	if got := names(t, dir, "0*"); !slices.Equal(got, []string{segmentName(1), segmentName(2)}) {
		t.Fatalf("segments %q", got)
	}
	mustAppend(t, l, make([]byte, smallSegment), []byte("third"))
	mustClose(t, l)
	wantReplay(t, mustOpen(t, dir, Options{}), 1, [][]byte{make([]byte, smallSegment), make([]byte, smallSegment), []byte("third")})
}

// Each call of a roll fails once, before or after it did what it should. The log either goes on as if nothing had been, or
// has failed for good; opened anew it has all that it had, and goes on, whether or not the new file has kept its name.
func TestRollFails(t *testing.T) {
	cases := map[string]struct {
		fault func(sys *system, f *faulty)
		soft  bool
	}{
		"no file": {func(sys *system, _ *faulty) { sys.create = func(string) error { return errDisk } }, true},
		"a file": {func(sys *system, _ *faulty) {
			sys.create = func(path string) error { return errors.Join(createEmpty(path), errDisk) }
		}, false},
		"directory": {func(sys *system, _ *faulty) { sys.syncDir = func(string) error { return errDisk } }, false},
		"close":     {func(_ *system, f *faulty) { f.close = func() error { return errDisk } }, false},
		"panic":     {func(_ *system, f *faulty) { f.close = func() error { panic(errDisk.Error()) } }, false},
		"open": {func(sys *system, _ *faulty) {
			sys.openBackend = func(string, int, uint64, uint64) (backend, error) { return nil, errDisk }
		}, false},
	}
	for name, c := range cases {
		for _, named := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				l, f := openFaulty(t, dir, realSystem())
				good := l.sys
				c.fault(&l.sys, f)
				wantError(t, l.Roll(), nil, errDisk.Error(), "roll")
				want := [][]byte{[]byte("first"), []byte("second"), []byte("third")}
				if l.sys = good; c.soft {
					mustAppend(t, l, want[2])
				} else {
					want = want[:2]
					wantFailed(t, l, f, errors.Unwrap(l.failure))
				}
				_ = l.Close() // the backend was made to fail
				if path := filepath.Join(dir, segmentName(3)); !named {
					_ = os.Remove(path) // a power loss takes the name, if there is one
				}
				l = mustOpen(t, dir, Options{})
				wantReplay(t, l, 1, want)
				mustRoll(t, l)
				mustAppend(t, l, []byte("afterwards"))
				mustClose(t, l)
				wantReplay(t, mustOpen(t, dir, Options{}), 1, append(want, []byte("afterwards")))
			})
		}
	}
}

// What was cut off a segment goes with that segment, and not before.
func TestDropTakesWhatWasCutOff(t *testing.T) {
	dir, _ := threeSegments(t)
	for _, name := range []string{"torn-" + segmentName(1) + "-9-1", "torn-" + segmentName(9) + "-9-1", "torn-1-1", "torn-x"} {
		writeFile(t, filepath.Join(dir, name), []byte("cut off"))
	}
	for _, want := range []struct {
		before uint64
		left   int
	}{{4, 4}, {5, 3}, {1000, 3}} {
		if _, err := DropBefore(dir, want.before); err != nil || len(names(t, dir, "torn-*")) != want.left {
			t.Fatalf("before %d: left %q, %v", want.before, names(t, dir, "torn-*"), err)
		}
	}
	l := mustOpen(t, dir, Options{})
	mustRoll(t, l)
	sys := realSystem()
	sys.remove = func(path string) error {
		if filepath.Base(path)[0] == 't' {
			return errDisk
		}
		return os.Remove(path)
	}
	_, err := dropBefore(dir, 13, sys)
	wantError(t, err, errDisk, "cut off")
	if _, err := DropBefore(dir, 13); err != nil || len(names(t, dir, "torn-*")) != 2 {
		t.Fatalf("left %q, %v", names(t, dir, "torn-*"), err)
	}
}

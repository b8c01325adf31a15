package wal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAppendReplay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "is", "made")
	payloads := append(somePayloads(40, 2000), []byte{0}, []byte{0xFF}, make([]byte, 100_000))
	l := mustOpen(t, dir, Options{})
	wantReplay(t, l, 1, nil)
	mustAppend(t, l, payloads...)
	mustClose(t, l)
	for range 2 {
		l = mustOpen(t, dir, Options{})
		if l.Repaired() != 0 {
			t.Fatalf("cut %d bytes of a whole log", l.Repaired())
		}
		wantReplay(t, l, 1, payloads)
		wantReplay(t, l, 1, payloads) // as often as one likes
		mustClose(t, l)
	}
}

// The frame is built in a buffer that is used again: the caller's bytes must not be kept, nor changed.
func TestAppendKeepsNothing(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{})
	payload := []byte("first")
	mustAppend(t, l, payload)
	if string(payload) != "first" {
		t.Fatalf("the payload is %q now", payload)
	}
	copy(payload, "other")
	mustAppend(t, l, payload)
	mustClose(t, l)
	wantReplay(t, mustOpen(t, dir, Options{}), 1, [][]byte{[]byte("first"), []byte("other")})
}

func TestPayloadSize(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{})
	largest := bytes.Repeat([]byte{1}, MaxPayload)
	for _, bad := range [][]byte{nil, {}, append(largest, 1)} {
		_, err := l.Append(bad)
		wantError(t, err, ErrPayloadSize)
	}
	mustAppend(t, l, []byte("before"), largest)
	if cap(l.frame) > keptBuffer {
		t.Error("one large payload holds its memory for ever")
	}
	mustAppend(t, l, []byte("after"))
	mustClose(t, l)
	wantReplay(t, mustOpen(t, dir, Options{}), 1, [][]byte{[]byte("before"), largest, []byte("after")})
}

func TestReplayComesFirst(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{})
	mustAppend(t, l, []byte("x"))
	_, err := replayed(l, 1)
	wantError(t, err, ErrReplayOrder)
	mustAppend(t, l, []byte("and the log goes on"))
}

func TestReplayStopsAtError(t *testing.T) {
	dir := t.TempDir()
	writeSegment(t, dir, 1, records(1, somePayloads(3, 50)))
	l := mustOpen(t, dir, Options{})
	stop, calls := errors.New("stop"), 0
	err := l.Replay(func(uint64, []byte) error { calls++; return stop })
	wantError(t, err, stop, "entry 1")
	if calls != 1 {
		t.Fatalf("%d calls", calls)
	}
	_, err = l.Append([]byte("x"))
	wantError(t, err, ErrFailed, "stop")
}

// Replay notices what happened to the files since Open.
func TestReplayNoticesChanges(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"longer":  func(path string) error { return os.WriteFile(path, records(1, somePayloads(3, 50)), 0o600) },
		"shorter": func(path string) error { return os.Truncate(path, 5) },
		"gone":    os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			payloads := somePayloads(3, 50)
			path := writeSegment(t, dir, 1, records(1, payloads[:2]))
			l := mustOpen(t, dir, Options{})
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			if name == "longer" {
				l.segments[0].Size = int64(len(records(1, payloads)))
			}
			_, err := replayed(l, 1)
			wantError(t, err, ErrFailed)
		})
	}
}

func TestClosed(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{})
	mustClose(t, l)
	mustClose(t, l)
	_, err := l.Append([]byte("x"))
	wantError(t, err, ErrClosed)
	wantError(t, l.Replay(func(uint64, []byte) error { return nil }), ErrClosed)
}

// A new directory is lost with power unless its parent was fsynced, and so on upwards.
func TestNewDirectoriesAreMadeDurable(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b", "c")
	var synced []string
	sys := quick()
	sys.syncDir = func(dir string) error {
		synced = append(synced, dir)
		return nil
	}
	for _, want := range [][]string{
		{filepath.Join(root, "a", "b"), filepath.Join(root, "a"), root, dir},
		{filepath.Join(root, "a", "b"), dir}, // the parent again: the one who made it may have died before
	} {
		synced = nil
		l, err := open(dir, Options{}, sys)
		if err != nil {
			t.Fatal(err)
		}
		mustClose(t, l)
		if !slices.Equal(synced, want) {
			t.Errorf("fsynced %q, want %q", synced, want)
		}
	}
	sys.syncDir = func(dir string) error {
		if dir == filepath.Join(root, "a", "b") {
			return fs.ErrPermission
		}
		return nil
	}
	l, err := open(dir, Options{}, sys)
	if err != nil {
		t.Fatalf("a parent that others own: %v", err)
	}
	mustClose(t, l)
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, filepath.Join(dir, "file"), nil)
	if _, err := Open(file, Options{}); err == nil {
		t.Fatal("opened a file")
	}
	if _, err := Open(filepath.Join(file, "below"), Options{}); err == nil {
		t.Fatal("opened a directory below a file")
	}
}

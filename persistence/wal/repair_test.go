package wal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wantRepaired opens a log whose last segment, of entries from 1, holds data, and wants that kept entries are left,
// that cut bytes were cut before the room, and that the log goes on from there and can be opened again.
func wantRepaired(t *testing.T, data []byte, kept [][]byte, cut int) {
	t.Helper()
	dir := t.TempDir()
	path := writeSegment(t, dir, 1, data)
	l, err := open(dir, Options{}, quick())
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, l)
	if l.Repaired() != int64(cut) {
		t.Fatalf("cut %d bytes, want %d", l.Repaired(), cut)
	}
	wantReplay(t, l, 1, kept)
	valid := records(1, kept)
	if !bytes.Equal(readFile(t, path), valid) {
		t.Fatal("the file does not hold just what was kept")
	}
	saved := names(t, dir, "torn-*")
	if cut == 0 && len(saved) > 0 || cut > 0 && len(saved) != 1 {
		t.Fatalf("set aside: %q", saved)
	}
	if cut > 0 && !bytes.Equal(readFile(t, filepath.Join(dir, saved[0])), data[len(valid):len(valid)+cut]) {
		t.Fatal("what was set aside is not what was cut")
	}
	mustAppend(t, l, []byte("afterwards"))
	mustClose(t, l)

	again, err := open(dir, Options{}, quick())
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, again)
	wantReplay(t, again, 1, append(kept[:len(kept):len(kept)], []byte("afterwards")))
	if again.Repaired() != 0 {
		t.Fatalf("cut %d more bytes", again.Repaired())
	}
	mustClose(t, again)
	if !bytes.Equal(readFile(t, path), append(valid, record(again.LastIndex(), []byte("afterwards"))...)) {
		t.Fatal("the closed file does not hold just its records")
	}
}

func TestRepairTruncatedAtEveryByte(t *testing.T) {
	payloads := somePayloads(5, 150)
	whole := make([]int, len(payloads)+1) // bytes of the first n records
	for n := range payloads {
		whole[n+1] = len(records(1, payloads[:n+1]))
	}
	data := records(1, payloads)
	for size := whole[3]; size <= whole[5]; size++ {
		n := 3
		for n < 5 && whole[n+1] <= size {
			n++
		}
		wantRepaired(t, data[:size], payloads[:n], size-whole[n])
	}
}

// A first record that is torn leaves an empty segment.
func TestRepairFirstRecord(t *testing.T) {
	data := record(1, []byte("the first"))
	for size := range len(data) {
		wantRepaired(t, data[:size], nil, size)
	}
}

// Zeros alone are room, and nothing to repair.
func TestRepairNoRoom(t *testing.T) {
	payloads := somePayloads(3, 150)
	for _, zeros := range []int{1, 511, 512, 4096, 100_000} {
		wantRepaired(t, append(records(1, payloads), make([]byte, zeros)...), payloads, 0)
	}
	wantRepaired(t, make([]byte, 4096), nil, 0)
}

func TestRepairLostSector(t *testing.T) {
	payloads := somePayloads(3, 150)
	data := records(1, payloads)
	at := len(data)
	data = append(data, record(4, randomBytes(rand.New(rand.NewPCG(1, 1)), 20_000))...)
	loseSector(data, at, 21)
	wantRepaired(t, data, payloads, len(data)-at)
	room := make([]byte, 5000)
	wantRepaired(t, append(bytes.Clone(data), room...), payloads, len(data)-at)
	last := (len(data) - 1) / sectorSize
	loseSector(data, at, last)
	wantRepaired(t, append(data, room...), payloads, last*sectorSize-at)
}

// An empty last segment is what a roll leaves.
func TestRepairTailOfLaterSegment(t *testing.T) {
	for _, tail := range [][]byte{nil, {0}, record(4, []byte("torn"))[:12]} {
		dir := t.TempDir()
		payloads := somePayloads(3, 50)
		writeSegment(t, dir, 1, records(1, payloads))
		writeSegment(t, dir, 4, tail)
		l := mustOpen(t, dir, Options{})
		wantReplay(t, l, 1, payloads)
		mustAppend(t, l, []byte("fourth"))
		mustClose(t, l)
		if got := readFile(t, filepath.Join(dir, segmentName(4))); !bytes.Equal(got, record(4, []byte("fourth"))) {
			t.Fatalf("the last segment holds %x", got)
		}
	}
}

// Damage is never cut: each single bit, and all bits of each byte, of a small log.
func TestChangedBytesAreRefused(t *testing.T) {
	payloads := [][]byte{[]byte("first"), make([]byte, 3), []byte("the third entry"), make([]byte, 150)}
	data := records(1, payloads)
	dir := t.TempDir()
	path := filepath.Join(dir, segmentName(1))
	for i := range data {
		for _, flip := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 0xFF} {
			changed := bytes.Clone(data)
			changed[i] ^= flip
			writeFile(t, path, changed)
			l, err := open(dir, Options{}, quick())
			if err == nil {
				got, replayErr := replayed(l, 1)
				mustClose(t, l)
				if err = replayErr; err == nil {
					t.Fatalf("byte %d with flip %#x was read, as %q", i, flip, got)
				}
			}
			if _, ok := errors.AsType[*CorruptError](err); !ok {
				t.Fatalf("byte %d with flip %#x: %v", i, flip, err)
			}
			if !bytes.Equal(readFile(t, path), changed) {
				t.Fatalf("byte %d with flip %#x: the file was changed", i, flip)
			}
		}
	}
	if saved := names(t, dir, "torn-*"); len(saved) > 0 {
		t.Fatalf("set aside: %q", saved)
	}
}

// The error must say where, and what can be done.
func TestCorruptTailNamesFileAndOffset(t *testing.T) {
	dir := t.TempDir()
	data := records(1, [][]byte{[]byte("first"), []byte("second")})
	data[len(data)-3] ^= 1
	path := writeSegment(t, dir, 1, data)
	_, err := Open(dir, Options{})
	offset := len(record(1, []byte("first")))
	wantCorrupt(t, err, path, int64(offset))
	wantError(t, err, nil, path, fmt.Sprintf("offset %d", offset), "checksum mismatch", "from a backup",
		fmt.Sprintf("truncate the file to %d bytes", offset))
	if _, err := Open(dir, Options{}); errors.Is(err, ErrLocked) {
		t.Fatal("a refused Open kept the lock")
	}
}

func TestRepairIsLogged(t *testing.T) {
	dir := t.TempDir()
	path := writeSegment(t, dir, 1, record(1, []byte("torn"))[:10])
	var log strings.Builder
	mustOpen(t, dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, says := range []string{"level=WARN", "file=" + path, "offset=0", "bytes=10", "saved=torn-"} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("log %q does not say %q", log.String(), says)
		}
	}
}

// To keep the cut bytes is a courtesy: when the disk refuses, the log opens all the same.
func TestRepairWithoutSaving(t *testing.T) {
	dir := t.TempDir()
	path := writeSegment(t, dir, 1, record(1, []byte("torn"))[:10])
	sys := realSystem()
	sys.syncFile = func(f *os.File) error {
		if f.Name() != path {
			return errors.New("no space")
		}
		return f.Sync()
	}
	var log strings.Builder
	l, err := open(dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, sys)
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, l)
	said := strings.Contains(log.String(), `not_saved="no space"`)
	if saved := names(t, dir, "torn-*"); len(saved) > 0 || l.Repaired() != 10 || !said {
		t.Fatalf("set aside %q, cut %d, log %q", saved, l.Repaired(), log.String())
	}
}

// What Replay shows must be on the disk by then, also if the writer died before or in its fsync: so Open writes the
// last record again, then fsyncs the file, then the directory.
func TestOpenMakesDurableWhatItFound(t *testing.T) {
	dir := t.TempDir()
	data := records(1, [][]byte{[]byte("first"), bytes.Repeat([]byte("second"), tailWindow)})
	path := writeSegment(t, dir, 1, data)
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	var synced []string
	sys := quick()
	sys.syncDir = func(dir string) error {
		synced = append(synced, dir)
		return nil
	}
	sys.syncFile = func(f *os.File) error {
		info, err := f.Stat()
		if err != nil || time.Since(info.ModTime()) > time.Minute {
			t.Errorf("the file was not written before its fsync (%v)", err)
		}
		synced = append(synced, f.Name())
		return nil
	}
	l, err := open(dir, Options{}, sys)
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, l)
	if want := []string{filepath.Dir(dir), path, dir}; fmt.Sprint(synced) != fmt.Sprint(want) {
		t.Errorf("fsynced %q, want %q", synced, want)
	}
	if !bytes.Equal(readFile(t, path), data) {
		t.Error("the file was changed")
	}
}

func TestOpenReportsFailedFsync(t *testing.T) {
	broken := errors.New("broken disk")
	for name, fail := range map[string]func(*system){
		"file":      func(s *system) { s.syncFile = func(*os.File) error { return broken } },
		"directory": func(s *system) { s.syncDir = func(string) error { return broken } },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeSegment(t, dir, 1, record(1, []byte("x")))
			sys := realSystem()
			fail(&sys)
			_, err := open(dir, Options{}, sys)
			wantError(t, err, broken, dir)
			wantReplay(t, mustOpen(t, dir, Options{}), 1, [][]byte{[]byte("x")})
		})
	}
}

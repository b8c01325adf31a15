package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// full makes the tests that could go on for ever go on for longer: go test ./persistence/wal -wal.full
var full = flag.Bool("wal.full", false, "run the exhaustive and random tests at full length")

// rounds is how often a test does what it does: some, or all with -wal.full.
func rounds(some, all int) int {
	if *full {
		return all
	}
	return some
}

// record is what the file holds for one entry.
func record(index uint64, payload []byte) []byte {
	frame := appendFrame(nil, index, payload)
	return append(binary.AppendUvarint(nil, uint64(len(frame))), frame...)
}

// records is a segment that starts with the entry of index first.
func records(first uint64, payloads [][]byte) (data []byte) {
	for i, p := range payloads {
		data = append(data, record(first+uint64(i), p)...)
	}
	return data
}

// somePayloads are n payloads of random bytes, of 1 to most bytes each; equal for equal arguments.
func somePayloads(n, most int) [][]byte {
	rng := rand.New(rand.NewPCG(uint64(n), uint64(most)))
	payloads := make([][]byte, n)
	for i := range payloads {
		payloads[i] = randomBytes(rng, 1+rng.IntN(most))
	}
	return payloads
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// scanBytes scans a last segment in memory, with the tail rule.
func scanBytes(t testing.TB, data []byte, first uint64) (payloads [][]byte, bad *CorruptError) {
	t.Helper()
	s := NewScanner(bytes.NewReader(data), "memory", int64(len(data)), first)
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return payloads, nil
		}
		if bad, ok := errors.AsType[*CorruptError](err); ok {
			room, err := judgeTail(bytes.NewReader(data), int64(len(data)), bad)
			if err != nil {
				t.Fatal(err)
			}
			if room {
				return payloads, nil
			}
			return payloads, bad
		}
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, bytes.Clone(e.Payload))
	}
}

// quick is the real system without our fsyncs, for tests that open thousands of logs and crash none.
func quick() system {
	sys := realSystem()
	sys.syncFile = func(*os.File) error { return nil }
	sys.syncDir = func(string) error { return nil }
	return sys
}

func mustOpen(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // some have failed by then
	return l
}

func mustClose(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustAppend(t testing.TB, l *Log, payloads ...[]byte) {
	t.Helper()
	for _, p := range payloads {
		want := l.LastIndex() + 1
		index, err := l.Append(p)
		if err != nil {
			t.Fatal(err)
		}
		if index != want || l.LastIndex() != want {
			t.Fatalf("appended as %d, last index %d; want %d", index, l.LastIndex(), want)
		}
	}
}

// replayed are the payloads of a log from the entry first on, as its indexes must say.
func replayed(l *Log, first uint64) (payloads [][]byte, err error) {
	err = l.ReplayFrom(first, func(index uint64, payload []byte) error {
		if want := first + uint64(len(payloads)); index != want {
			return fmt.Errorf("replayed index %d, want %d", index, want)
		}
		payloads = append(payloads, bytes.Clone(payload))
		return nil
	})
	return payloads, err
}

func wantReplay(t testing.TB, l *Log, first uint64, want [][]byte) {
	t.Helper()
	got, err := replayed(l, first)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, want)
	if last := first + uint64(len(want)) - 1; l.LastIndex() != last {
		t.Fatalf("last index %d, want %d", l.LastIndex(), last)
	}
}

func wantEqual(t testing.TB, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d entries, want %d", len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("entry number %d differs", i)
		}
	}
}

// wantSuffix wants a log without gaps that ends as payloads do.
func wantSuffix(t *testing.T, dir string, payloads [][]byte) {
	t.Helper()
	segments, err := Segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := walked(dir, nothing)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, payloads[segments[0].First-1:])
}

// wantError is for errors that must be of a kind and say certain things.
func wantError(t testing.TB, err, kind error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Fatalf("error %q is not %q", err, kind)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Fatalf("error %q does not say %q", err, s)
		}
	}
}

func wantCorrupt(t testing.TB, err error, file string, offset int64) {
	t.Helper()
	bad, ok := errors.AsType[*CorruptError](err)
	if !ok {
		t.Fatalf("error %v is not a CorruptError", err)
	}
	if bad.File != file || bad.Offset != offset {
		t.Fatalf("%v; want it in %s at %d", bad, file, offset)
	}
}

// writeSegment writes a segment file as a whole and returns its path.
func writeSegment(t testing.TB, dir string, first uint64, data []byte) string {
	t.Helper()
	return writeFile(t, filepath.Join(dir, segmentName(first)), data)
}

func writeFile(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustRemove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// names are the files of a directory that match a pattern.
func names(t testing.TB, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths
}

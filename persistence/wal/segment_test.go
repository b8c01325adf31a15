package wal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	tidwall "github.com/tidwall/wal"
)

const smallSegment = 1000

func TestRollOverManySegments(t *testing.T) {
	dir := t.TempDir()
	payloads := somePayloads(300, 400)
	l := mustOpen(t, dir, Options{SegmentSize: smallSegment})
	for i, p := range payloads {
		mustAppend(t, l, p)
		if i%50 != 49 {
			continue
		}
		mustClose(t, l)
		l = mustOpen(t, dir, Options{SegmentSize: smallSegment})
		wantReplay(t, l, 1, payloads[:i+1])
	}
	if n := len(names(t, dir, "0*")); n < 30 {
		t.Fatalf("only %d segments", n)
	}
}

// A log that was written with large segments is rolled before the write, not after it.
func TestSegmentSizeMayChange(t *testing.T) {
	dir := t.TempDir()
	payloads := somePayloads(30, 400)
	l := mustOpen(t, dir, Options{})
	mustAppend(t, l, payloads[:20]...)
	mustClose(t, l)
	l = mustOpen(t, dir, Options{SegmentSize: 100})
	mustAppend(t, l, payloads[20:]...)
	mustClose(t, l)
	wantReplay(t, mustOpen(t, dir, Options{}), 1, payloads)
	if files := names(t, dir, "0*"); !slices.Contains(files, segmentName(21)) {
		t.Fatalf("no segment starts with entry 21: %q", files)
	}
}

// threeSegments writes a log of 12 entries in three segments.
func threeSegments(t *testing.T) (dir string, payloads [][]byte) {
	t.Helper()
	dir = t.TempDir()
	payloads = somePayloads(12, 100)
	for _, first := range []uint64{1, 5, 9} {
		writeSegment(t, dir, first, records(first, payloads[first-1:first+3]))
	}
	return dir, payloads
}

// openAndReplay is what a service does at its start.
func openAndReplay(t *testing.T, dir string, first uint64) ([][]byte, error) {
	t.Helper()
	l, err := Open(dir, Options{})
	if err != nil {
		return nil, err
	}
	payloads, err := replayed(l, first)
	return payloads, errors.Join(err, l.Close())
}

func TestDamagedSegmentsAreRefused(t *testing.T) {
	edit := func(first uint64, change func(data []byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			data := readFile(t, filepath.Join(dir, segmentName(first)))
			writeSegment(t, dir, first, change(bytes.Clone(data)))
		}
	}
	remove := func(t *testing.T, dir string) { mustRemove(t, filepath.Join(dir, segmentName(5))) }
	early := func(t *testing.T, dir string) { writeSegment(t, dir, 3, record(3, []byte("x"))) }
	eighth := len(record(8, somePayloads(12, 100)[7]))
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		file   uint64 // that the error must name
		says   string
	}{
		{"middle file deleted", remove, 9, "missing"},
		{"middle file empty", edit(5, func([]byte) []byte { return nil }), 5, "empty"},
		{"first file empty", edit(1, func([]byte) []byte { return nil }), 1, "empty"},
		{"middle file torn", edit(5, func(b []byte) []byte { return b[:len(b)-1] }), 5, "corrupt record"},
		{"middle file ends early", edit(5, func(b []byte) []byte { return b[:len(b)-eighth] }), 9, "missing"},
		{"middle file with zeros", edit(5, func(b []byte) []byte { return append(b, 0) }), 5, "corrupt record"},
		{"middle file goes on", edit(5, func(b []byte) []byte { return append(b, record(9, []byte("x"))...) }), 9, "twice"},
		{"first file flipped", edit(1, func(b []byte) []byte { b[30] ^= 1; return b }), 1, "corrupt record"},
		{"middle file of another place", edit(5, func([]byte) []byte { return record(1, []byte("x")) }), 5, "says index 1"},
		{"a file named too early", early, 3, "twice"},
		{"last file flipped", edit(9, func(b []byte) []byte { b[len(b)-5] ^= 1; return b }), 9, "truncate the file to"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _ := threeSegments(t)
			c.damage(t, dir)
			_, err := openAndReplay(t, dir, 1)
			wantError(t, err, nil, filepath.Join(dir, segmentName(c.file)), c.says, "from a backup")
			if _, ok := errors.AsType[*CorruptError](err); !ok {
				t.Fatalf("%v is not a CorruptError", err)
			}
			plan, planErr := PlanRepair(dir)
			if bad, ok := errors.AsType[*CorruptError](planErr); !ok || plan != nil || bad.Torn {
				t.Fatalf("planned %+v: %v", plan, planErr)
			}
			wantError(t, planErr, nil, filepath.Join(dir, segmentName(c.file)), "from a backup")
		})
	}
}

// A log that could not be replayed takes no entries.
func TestFailedReplayFailsTheLog(t *testing.T) {
	dir, _ := threeSegments(t)
	if err := os.Remove(filepath.Join(dir, segmentName(5))); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, dir, Options{})
	_, err := replayed(l, 1)
	wantError(t, err, ErrFailed)
	_, err = l.Append([]byte("x"))
	wantError(t, err, ErrFailed, "missing")
}

func TestOtherNamesAreIgnored(t *testing.T) {
	dir, payloads := threeSegments(t)
	for _, name := range []string{
		"0", "1.wal", "0000000000000000001", "000000000000000000001", "0000000000000000000x", "00000000000000000000",
		"99999999999999999999", "+0000000000000000001", "00000000000000000005.TEMP", "00000000000000000005.START.TEMP",
		"00000000000000000005.start", "torn-00000000000000000001-0-1", "snapshot-00000000000000000009",
	} {
		writeFile(t, filepath.Join(dir, name), []byte("garbage"))
	}
	if err := os.Mkdir(filepath.Join(dir, "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, dir, Options{})
	wantReplay(t, l, 1, payloads)
	mustAppend(t, l, []byte("x"))
}

func TestSegmentsRefuses(t *testing.T) {
	for _, c := range []struct{ name, says string }{
		{segmentName(13), "not a regular file"}, // made as a directory
		{segmentName(9) + endSuffix, "move it away"},
		{segmentName(9) + startSuffix, "second"},
	} {
		dir, _ := threeSegments(t)
		path := filepath.Join(dir, c.name)
		if c.name == segmentName(13) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		} else {
			writeFile(t, path, record(9, []byte("x")))
			writeFile(t, filepath.Join(dir, segmentName(7)+startSuffix), record(7, []byte("x")))
		}
		_, err := Open(dir, Options{})
		wantError(t, err, nil, path, c.says)
		if n := len(names(t, dir, "0*")); n < 4 {
			t.Fatalf("%s: only %d segments are left", c.name, n)
		}
	}
}

// The library truncates the front in steps; the process may die after each.
func TestInterruptedTruncationIsFinished(t *testing.T) {
	for _, first := range []uint64{5, 7, 9, 11, 12} {
		for died := range 4 {
			t.Run(fmt.Sprintf("%d after step %d", first, died), func(t *testing.T) {
				dir, payloads := threeSegments(t)
				held := uint64(len(payloads)) // last entry of the segment that holds entry first
				if first < 9 {
					held = 8
				}
				start := filepath.Join(dir, segmentName(first)+startSuffix)
				writeFile(t, start, records(first, payloads[first-1:held]))
				for step, seg := range []uint64{1, 5, 9} {
					if step < died && seg <= first {
						mustRemove(t, filepath.Join(dir, segmentName(seg)))
					}
				}
				got, err := openAndReplay(t, dir, first)
				if err != nil {
					t.Fatal(err)
				}
				wantEqual(t, got, payloads[first-1:])
				if left := names(t, dir, "0*"); left[0] != segmentName(first) {
					t.Fatalf("files left: %q", left)
				}
			})
		}
	}
}

// The library deletes by the word of a .START, so a bad one must stop us before.
func TestBadStartDeletesNothing(t *testing.T) {
	for _, first := range []uint64{7, 11} { // the second replaces the last segment
		dir, payloads := threeSegments(t)
		data := records(first, payloads[first-1:8+first/9*4])
		start := writeFile(t, filepath.Join(dir, segmentName(first)+startSuffix), data[:len(data)-1])
		_, err := Open(dir, Options{})
		wantError(t, err, nil, start, "unfinished truncation")
		if left := names(t, dir, "0*"); len(left) != 4 {
			t.Fatalf("files left: %q", left)
		}
		if len(readFile(t, start)) != len(data)-1 {
			t.Fatal("the .START was changed")
		}
	}
}

// Truncations that the library really did.
func TestTruncatedFront(t *testing.T) {
	for _, first := range []uint64{1, 4, 5, 9, 12, 13} { // 13: all
		dir, payloads := threeSegments(t)
		lib, err := tidwall.Open(dir, &tidwall.Options{NoSync: true, AllowEmpty: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(lib.TruncateFront(first), lib.Close()); err != nil {
			t.Fatal(err)
		}
		l := mustOpen(t, dir, Options{})
		wantReplay(t, l, first, payloads[first-1:])
		mustAppend(t, l, []byte("x"))
		mustClose(t, l)
		wantReplay(t, mustOpen(t, dir, Options{}), first, append(payloads[first-1:len(payloads):len(payloads)], []byte("x")))
	}
}

// If the library ever saw another log than our scan, appending would overwrite.
func TestLibraryMustAgree(t *testing.T) {
	dir, _ := threeSegments(t)
	for _, c := range []struct{ first, last uint64 }{{1, 11}, {1, 13}, {2, 12}} {
		_, err := openLibrary(dir, smallSegment, c.first, c.last)
		wantError(t, err, nil, "the library found entries 1 to 12")
	}
}

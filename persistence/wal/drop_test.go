package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDropBefore(t *testing.T) {
	for _, c := range []struct {
		index   uint64
		dropped int
		first   uint64
	}{
		{0, 0, 1}, {1, 0, 1}, {4, 0, 1}, {5, 1, 5}, {8, 1, 5}, {9, 2, 9}, {12, 2, 9}, {13, 2, 9}, {1000, 2, 9},
	} {
		dir, payloads := threeSegments(t)
		writeFile(t, filepath.Join(dir, "snapshot-00000000000000000003"), nil)
		dropped, err := DropBefore(dir, c.index)
		if err != nil || dropped != c.dropped {
			t.Fatalf("before %d: dropped %d, want %d; %v", c.index, dropped, c.dropped, err)
		}
		l := mustOpen(t, dir, Options{})
		wantReplay(t, l, c.first, payloads[c.first-1:])
		mustAppend(t, l, []byte("goes on"))
		mustClose(t, l)
		wantReplay(t, mustOpen(t, dir, Options{}), c.first, append(payloads, []byte("goes on"))[c.first-1:])
		if len(names(t, dir, "*")) != 3-c.dropped+2 {
			t.Fatalf("files left: %q", names(t, dir, "*"))
		}
	}
}

func TestDropBeforeOfNothing(t *testing.T) {
	if n, err := DropBefore(t.TempDir(), 10); n != 0 || err != nil {
		t.Fatalf("an empty directory: %d, %v", n, err)
	}
	_, err := DropBefore(filepath.Join(t.TempDir(), "nowhere"), 10)
	wantError(t, err, fs.ErrNotExist, "drop segments")
}

// A full log leaves an empty last file, which keeps the last index.
func TestDropBeforeAll(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{SegmentSize: smallSegment})
	mustAppend(t, l, make([]byte, smallSegment), make([]byte, smallSegment))
	if n, err := DropBefore(dir, 3); n != 2 || err != nil {
		t.Fatalf("dropped %d, %v", n, err)
	}
	mustAppend(t, l, []byte("third"))
	mustClose(t, l)
	l = mustOpen(t, dir, Options{})
	wantReplay(t, l, 3, [][]byte{[]byte("third")})
	mustClose(t, l)

	dir = t.TempDir()
	writeSegment(t, dir, 9, nil)
	l = mustOpen(t, dir, Options{})
	wantReplay(t, l, 9, nil)
	mustAppend(t, l, []byte("ninth"))
}

// traced is a system that notes the removals and fsyncs, and fails from one of them on.
func traced(fail int) (sys system, calls *[]string) {
	sys, calls = realSystem(), &[]string{}
	note := func(what string) error {
		if *calls = append(*calls, what); len(*calls) > fail {
			return errDisk
		}
		return nil
	}
	sys.syncDir = func(string) error { return note("fsync") }
	sys.remove = func(path string) error {
		if err := note("remove " + strings.TrimLeft(filepath.Base(path), "0")); err != nil {
			return err
		}
		return os.Remove(path)
	}
	return sys, calls
}

// The names that stay, first; then each removal is durable before the next, the oldest first. The first error ends it.
func TestDropBeforeOrder(t *testing.T) {
	want := []string{"fsync", "remove 1", "fsync", "remove 5", "fsync"}
	for fail := range len(want) + 1 {
		dir, _ := threeSegments(t)
		sys, calls := traced(fail)
		n, err := dropBefore(dir, 12, sys)
		if !slices.Equal(*calls, want[:min(fail+1, len(want))]) {
			t.Fatalf("failing call %d: did %q", fail, *calls)
		}
		if fail == len(want) {
			if n != 2 || err != nil {
				t.Fatalf("dropped %d, %v", n, err)
			}
			continue
		}
		wantError(t, err, errDisk, "drop")
		if n != max(0, fail-1)/2 {
			t.Fatalf("failing call %d: dropped %d", fail, n)
		}
		if n, err := DropBefore(dir, 12); n > 2 || err != nil { // and the rest, another time
			t.Fatalf("dropped %d, %v", n, err)
		}
		wantReplay(t, mustOpen(t, dir, Options{}), 9, somePayloads(12, 100)[8:])
	}
	dir, _ := threeSegments(t)
	sys, calls := traced(100)
	if _, err := dropBefore(dir, 4, sys); err != nil || len(*calls) > 0 {
		t.Fatalf("nothing to drop: did %q, %v", *calls, err)
	}
}

// Two may drop at once: who finds a file gone goes on.
func TestDropBeforeTwice(t *testing.T) {
	dir, _ := threeSegments(t)
	sys := quick()
	sys.remove = func(path string) error {
		mustRemove(t, path)
		return os.Remove(path)
	}
	if n, err := dropBefore(dir, 12, sys); n != 2 || err != nil {
		t.Fatalf("dropped %d, %v", n, err)
	}
}

// A listing may find names whose files go before it has measured them.
func TestSegmentsWhileFilesGo(t *testing.T) {
	dir := t.TempDir()
	const files = 500
	for i := range uint64(files) {
		writeSegment(t, dir, i+1, nil)
	}
	done := make(chan error, 1)
	go func() {
		_, err := dropBefore(dir, files, quick())
		done <- err
	}()
	for {
		if _, err := Segments(dir); err != nil {
			t.Error(err)
		}
		select {
		case err := <-done:
			if left := len(names(t, dir, "0*")); err != nil || left != 1 {
				t.Fatalf("%d files left, %v", left, err)
			}
			return
		default:
		}
	}
}

// The power may go at each step. A removal that was not made durable may then have happened or not, each by itself.
func TestDropBeforePowerLoss(t *testing.T) {
	const steps = 7 // fsync, and two for each of three files
	for fail := range steps + 1 {
		for undone := range 8 {
			t.Run(fmt.Sprintf("step %d, undone %03b", fail, undone), func(t *testing.T) {
				dir, payloads := threeSegments(t)
				writeSegment(t, dir, 13, record(13, []byte("thirteenth")))
				payloads = append(payloads, []byte("thirteenth"))
				removed := map[string][]byte{} // not durable yet
				sys, _ := traced(fail)
				fsync, remove := sys.syncDir, sys.remove
				sys.syncDir = func(dir string) error {
					err := fsync(dir)
					if err == nil {
						clear(removed)
					}
					return err
				}
				sys.remove = func(path string) error {
					data := readFile(t, path)
					err := remove(path)
					if err == nil {
						removed[path] = data
					}
					return err
				}
				_, err := dropBefore(dir, 13, sys)
				if (err == nil) != (fail == steps) {
					t.Fatal(err)
				}
				for i, first := range []uint64{1, 5, 9} {
					path := filepath.Join(dir, segmentName(first))
					if data, ok := removed[path]; ok && undone&(1<<i) != 0 {
						writeFile(t, path, data)
					}
				}
				wantTail(t, dir, payloads, 13)
			})
		}
	}
}

// wantTail wants a log without gaps that ends as payloads do and has the entries from must on.
func wantTail(t *testing.T, dir string, payloads [][]byte, must uint64) {
	t.Helper()
	wantSuffix(t, dir, payloads)
	l := mustOpen(t, dir, Options{})
	wantReplay(t, l, must, payloads[must-1:])
	mustClose(t, l)
}

// Only Open can finish what the library had begun, and until then the files in front of a .START count for nothing.
func TestDropBeforeUnfinishedTruncation(t *testing.T) {
	dir, payloads := threeSegments(t)
	start := writeFile(t, filepath.Join(dir, segmentName(7)+startSuffix), records(7, payloads[6:8]))
	_, err := DropBefore(dir, 9)
	wantError(t, err, nil, start, "only Open")
	if left := names(t, dir, "0*"); len(left) != 4 {
		t.Fatalf("files left: %q", left)
	}
	mustClose(t, mustOpen(t, dir, Options{}))
	if n, err := DropBefore(dir, 9); n != 1 || err != nil {
		t.Fatalf("dropped %d, %v", n, err)
	}
	wantTail(t, dir, payloads, 9)
}

// Files before the index that is asked for are not read, whatever is in them, or if they are gone.
func TestReplayFrom(t *testing.T) {
	dir, payloads := threeSegments(t)
	for from := uint64(0); from <= 13; from++ {
		l := mustOpen(t, dir, Options{})
		var got [][]byte
		err := l.ReplayFrom(from, func(index uint64, payload []byte) error {
			if want := max(from, 1) + uint64(len(got)); index != want {
				return fmt.Errorf("index %d, want %d", index, want)
			}
			got = append(got, slices.Clone(payload))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, got, payloads[max(from, 1)-1:])
		mustClose(t, l)
	}
	writeSegment(t, dir, 1, []byte("garbage"))
	for from, good := range map[uint64]bool{0: false, 4: false, 5: true, 13: true} {
		l := mustOpen(t, dir, Options{})
		_, err := replayed(l, from)
		if (err == nil) != good {
			t.Fatalf("from %d: %v", from, err)
		}
		mustClose(t, l)
	}
	l := mustOpen(t, dir, Options{})
	mustRemove(t, filepath.Join(dir, segmentName(1)))
	wantReplay(t, l, 5, payloads[4:])
}

// A log that does not fit the snapshot is refused, for good: nobody may append to it.
func TestReplayFromMissing(t *testing.T) {
	for _, c := range []struct {
		from uint64
		says []string
	}{
		{0, []string{"starts with entry 5", "lacks 1 to 4"}},
		{1, []string{"starts with entry 5", "lacks 1 to 4"}},
		{4, []string{"starts with entry 5", "lacks 4 to 4", "between the snapshot"}},
		{5, nil},
		{13, nil},
		{14, []string{"ends with entry 12", "shorter than the snapshot", "lacks 13 to 13"}},
		{1 << 63, []string{"ends with entry 12", "shorter than the snapshot"}},
	} {
		dir, payloads := threeSegments(t)
		if _, err := DropBefore(dir, 5); err != nil {
			t.Fatal(err)
		}
		l := mustOpen(t, dir, Options{})
		got, err := replayed(l, c.from)
		if c.says == nil {
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, got, payloads[c.from-1:])
			continue
		}
		wantError(t, err, ErrMissing, c.says...)
		if len(got) > 0 {
			t.Fatalf("handed out %d entries", len(got))
		}
		_, err = l.Append([]byte("x"))
		wantError(t, err, ErrFailed)
		if !errors.Is(err, ErrMissing) {
			t.Fatalf("the first cause is lost: %v", err)
		}
	}
	l := mustOpen(t, t.TempDir(), Options{})
	_, err := replayed(l, 2)
	wantError(t, err, ErrMissing, "ends with entry 0")
}

package wal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Whichever sectors of a record are lost in room, it is torn, or the room begins with it: at each place in a sector, and
// with whatever the system has written of the room.
func TestRoomShowsEveryTear(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	payloads := tailPayloads()
	for _, size := range []int{100, 130, 488, 489, 490, 491, 492, 493, 600, 1500} {
		payloads[fmt.Sprint(size, " bytes")] = randomBytes(rng, size)
	}
	room, hidden := make([]byte, 3000), 0
	for name, payload := range payloads {
		for align := range sectorSize {
			data, at := aligned(align, payload)
			if !tearShows(int64(at), appendFrame(nil, 2, payload)) {
				hidden++
				continue
			}
			sectors := (len(data)-1)/sectorSize - at/sectorSize + 1
			for lost := 1; lost < 1<<sectors; lost++ {
				torn := append(bytes.Clone(data), room...)
				for s := range sectors {
					if lost&(1<<s) != 0 {
						loseSector(torn[:len(data)], at, at/sectorSize+s)
					}
				}
				size := at + 1 + rng.IntN(len(torn)-at)
				wantTorn(t, torn, at, lost == 1<<sectors-1, "%s at %d, lost %b", name, at, lost)
				wantTorn(t, torn[:len(data)], at, lost == 1<<sectors-1, "%s at %d, lost %b, no room", name, at, lost)
				wantTorn(t, torn[:size], at, allZero(torn[at:size]), "%s at %d, lost %b, %d bytes of it", name, at, lost, size-at)
			}
		}
	}
	// Of 512 places, a prefix of n bytes ends a sector or lies across two at n, and a trailer begins one at one.
	if dense := len(payloads) - 2; hidden < 2*sectorSize+2*dense || hidden > 2*sectorSize+5*dense+130 {
		t.Errorf("%d of %d payloads and places are not written to room", hidden, len(payloads)*sectorSize)
	}
}

func wantTorn(t *testing.T, data []byte, at int, room bool, format string, args ...any) {
	t.Helper()
	bad := judgeSecond(t, data, at)
	if room != (bad == nil) || bad != nil && !bad.Torn {
		t.Fatalf("%s: %v", fmt.Sprintf(format, args...), bad)
	}
	if filled := len(bytes.TrimRight(data, "\x00")) - at; bad != nil && bad.Left < int64(filled) {
		t.Fatalf("%s: %d bytes left of %d", fmt.Sprintf(format, args...), bad.Left, filled)
	}
}

// What a record that would not show is spared, does happen.
func TestRoomWouldHideSomeTears(t *testing.T) {
	room, sparse := make([]byte, 1000), make([]byte, 1200)
	for name, c := range map[string]struct {
		align, lost int
		payload     []byte
	}{
		"prefix":            {sectorSize - 1, 0, []byte("x")},
		"part of a prefix":  {sectorSize - 1, 0, bytes.Repeat([]byte("x"), 300)},
		"trailer":           {sectorSize - 1 - frameExtra, 1, []byte("x")},
		"zeros and trailer": {sectorSize - 1 - frameExtra, 1, append([]byte("x"), make([]byte, 100)...)},
		"sparse":            {0, 2, append(sparse, 1)},
	} {
		data, at := aligned(c.align, c.payload)
		loseSector(data, at, at/sectorSize+c.lost)
		if bad := judgeSecond(t, append(data, room...), at); bad == nil || bad.Torn {
			t.Errorf("%s: %v", name, bad)
		}
		if tearShows(int64(at), appendFrame(nil, 2, c.payload)) {
			t.Errorf("%s: it is said to show", name)
		}
	}
}

// roomLog is a log whose file is seen at each write and each fsync of ours.
func roomLog(t *testing.T, o Options, sys system) (l *Log, calls *[]string) {
	t.Helper()
	calls = &[]string{}
	library, sync := sys.openBackend, sys.syncFile
	size := func() int64 {
		info, err := l.room.file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	sys.openBackend = func(dir string, segmentSize int, first, last uint64) (backend, error) {
		b, err := library(dir, segmentSize, first, last)
		f := &faulty{backend: b}
		f.write = func(index uint64, data []byte) error {
			*calls = append(*calls, fmt.Sprintf("write %d at %d of %d", index, l.room.end, size()))
			return b.Write(index, data)
		}
		return f, err
	}
	sys.syncFile = func(f *os.File) error {
		if l != nil {
			*calls = append(*calls, fmt.Sprintf("fsync %d", size()))
		}
		return sync(f)
	}
	l, err := open(t.TempDir(), o, sys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // it may have failed
	return l, calls
}

// Records go into room; one that would not show there makes the file grow, after the room was cut off durably; and so
// does what fills the segment. A closed log has none.
func TestRoomIsMadeAndCut(t *testing.T) {
	l, calls := roomLog(t, Options{SegmentSize: 5000}, realSystem())
	payloads := [][]byte{[]byte("first"), []byte("second"), make([]byte, 200), []byte("fourth")}
	whole := func(n int) int { return len(records(1, payloads[:n])) }
	payloads = append(payloads, bytes.Repeat([]byte{1}, 5000-whole(4)-2-frameExtra), []byte("sixth")) // a segment to the byte
	mustAppend(t, l, payloads...)
	want := []string{
		"write 1 at 0 of 5000", fmt.Sprintf("write 2 at %d of 5000", whole(1)),
		fmt.Sprintf("fsync %d", whole(2)), fmt.Sprintf("write 3 at %d of %d", whole(2), whole(2)),
		fmt.Sprintf("write 4 at %d of 5000", whole(3)), fmt.Sprintf("write 5 at %d of 5000", whole(4)),
		"write 6 at 0 of 5000",
	}
	if !slices.Equal(*calls, want) {
		t.Errorf("did %q, want %q", *calls, want)
	}
	for _, name := range []string{segmentName(1), segmentName(6)} {
		if data := readFile(t, filepath.Join(l.dir, name)); len(data) != 5000 {
			t.Errorf("%s has %d bytes", name, len(data))
		}
	}
	mustClose(t, l)
	for name, data := range map[string][]byte{segmentName(1): records(1, payloads[:5]), segmentName(6): record(6, payloads[5])} {
		if !bytes.Equal(readFile(t, filepath.Join(l.dir, name)), data) {
			t.Errorf("%s has more than its records", name)
		}
	}
	wantReplay(t, mustOpen(t, l.dir, Options{}), 1, payloads)
}

// A process that was killed leaves room. Nothing is wrong with that, and nobody is told.
func TestKilledLogHasRoom(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{})
	mustAppend(t, l, []byte("first"))
	_ = l.fail(errDisk)
	mustClose(t, l)
	if size := len(readFile(t, filepath.Join(l.dir, segmentName(1)))); size != roomStep {
		t.Fatalf("the file has %d bytes", size)
	}
	plan, err := PlanRepair(l.dir)
	done, doneErr := repair(l.dir, quick())
	if plan != nil || done != nil || err != nil || doneErr != nil {
		t.Fatalf("planned %+v, %v; did %+v, %v", plan, err, done, doneErr)
	}
	for _, entries := range []int{0, 1} { // one more kill, with nothing appended
		var log strings.Builder
		again := mustOpen(t, l.dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if again.Repaired() != 0 || log.Len() > 0 || len(names(t, l.dir, "torn-*")) > 0 {
			t.Fatalf("cut %d bytes, and said %q", again.Repaired(), log.String())
		}
		wantReplay(t, again, 1, [][]byte{[]byte("first")})
		for range entries {
			mustAppend(t, again, []byte("second"))
		}
		_ = again.fail(errDisk)
		mustClose(t, again)
	}
	wantReplay(t, mustOpen(t, l.dir, Options{}), 1, [][]byte{[]byte("first"), []byte("second")})
}

// Where there is no space for room, the log goes on without, with what it got, and says so once in a segment.
func TestNoSpaceForRoom(t *testing.T) {
	var log strings.Builder
	sys, tries := quick(), 0
	sys.zero = func(f *os.File, from, _ int64) (int64, error) {
		tries++
		n, err := writeZeros(f, from, from+100)
		return n, errors.Join(err, errDisk)
	}
	l, calls := roomLog(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, sys)
	payloads := somePayloads(20, 90)
	mustAppend(t, l, payloads...)
	if tries != 1 || strings.Count(log.String(), "no space") != 1 || (*calls)[0] != "write 1 at 0 of 100" {
		t.Errorf("%d tries, said %q, did %q", tries, log.String(), *calls)
	}
	mustRoll(t, l)
	mustAppend(t, l, []byte("in the new file"))
	if tries != 2 {
		t.Errorf("%d tries with the next segment", tries)
	}
	mustClose(t, l)
	wantReplay(t, mustOpen(t, l.dir, Options{}), 1, append(payloads, []byte("in the new file")))
}

// Who copies a segment gets its whole records, or all of it where it is damaged.
func TestSegmentEnd(t *testing.T) {
	whole, third := records(1, somePayloads(2, 100)), record(3, []byte("third"))
	flipped := bytes.Clone(third)
	flipped[20] ^= 1
	for name, c := range map[string]struct {
		tail []byte
		end  int
	}{
		"nothing": {nil, 0},
		"room":    {make([]byte, 3000), 0},
		"torn":    {third[:15], 0},
		"damage":  {append(flipped, make([]byte, 10)...), len(third) + 10},
		"whole":   {append(bytes.Clone(third), make([]byte, 3000)...), len(third)},
	} {
		dir := t.TempDir()
		path := writeSegment(t, dir, 1, append(bytes.Clone(whole), c.tail...))
		segments, err := Segments(dir)
		if err != nil {
			t.Fatal(err)
		}
		if end, err := segments[0].End(); err != nil || end != int64(len(whole)+c.end) {
			t.Errorf("%s: %d, want %d; %v", name, end, len(whole)+c.end, err)
		}
		mustRemove(t, path)
		_, err = segments[0].End()
		wantError(t, err, fs.ErrNotExist)
	}
}

// A cut that may not be durable, or was not made, fails whoever wanted it, before anything is written.
func TestFailedCut(t *testing.T) {
	for name, fault := range map[string]func(*Log){
		"fsync":    func(l *Log) { l.sys.syncFile, l.room.sys.syncFile = brokenSync, brokenSync },
		"truncate": func(l *Log) { _ = l.room.file.Close() },
	} {
		for what, do := range map[string]func(*Log) error{
			"append": func(l *Log) error { _, err := l.Append(make([]byte, 200)); return err },
			"roll":   (*Log).Roll,
			"close":  (*Log).Close,
		} {
			t.Run(name+" of "+what, func(t *testing.T) {
				l, calls := roomLog(t, Options{}, quick())
				mustAppend(t, l, []byte("first"))
				fault(l)
				wantError(t, do(l), nil, "cut the room off")
				if what != "close" {
					wantError(t, l.usable(), ErrFailed)
				}
				if n := strings.Count(strings.Join(*calls, ","), "write"); n != 1 || len(names(t, l.dir, "0*")) != 1 {
					t.Errorf("did %q", *calls)
				}
				_ = l.Close() // it says again what is wrong
				wantReplay(t, mustOpen(t, l.dir, Options{}), 1, [][]byte{[]byte("first")})
			})
		}
	}
}

func brokenSync(*os.File) error { return errDisk }

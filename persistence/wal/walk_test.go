package wal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// walked are the payloads that a walk hands out. at is called before each of them is taken, with its index.
func walked(dir string, at func(index uint64)) (payloads [][]byte, err error) {
	err = Walk(dir, func(e Entry) error {
		at(e.Index)
		payloads = append(payloads, bytes.Clone(e.Payload))
		return nil
	})
	return payloads, err
}

func nothing(uint64) {}

// A tool reads a live log, without the lock.
func TestWalkNeedsNoLock(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{SegmentSize: smallSegment})
	payloads := somePayloads(20, 300)
	mustAppend(t, l, payloads...)
	got, err := walked(dir, nothing)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, payloads)

	newest := filepath.Join(dir, segmentName(l.newest))
	writeFile(t, newest, append(readFile(t, newest)[:l.room.end], record(21, []byte("under way"))[:20]...))
	got, err = walked(dir, nothing)
	bad, ok := errors.AsType[*CorruptError](err)
	if !ok || !bad.Torn || bad.Index != 21 || bad.Left != 20 || len(got) != 20 {
		t.Fatalf("%d entries, then %v", len(got), err)
	}
	if got, err := walked(t.TempDir(), nothing); err != nil || len(got) > 0 {
		t.Fatalf("an empty directory: %d entries, %v", len(got), err)
	}
	_, err = walked(filepath.Join(dir, "nowhere"), nothing)
	wantError(t, err, fs.ErrNotExist)
}

// Errors of fn are not mistaken for what Walk itself meets.
func TestWalkStopsAtErrorOfCaller(t *testing.T) {
	dir, _ := threeSegments(t)
	ours := []error{io.EOF, io.ErrUnexpectedEOF, fs.ErrNotExist, ErrDropped, &CorruptError{}}
	for _, stop := range append(ours, errors.New("stop")) {
		for _, at := range []uint64{1, 6, 12} {
			var calls uint64
			err := Walk(dir, func(e Entry) error {
				if calls++; e.Index == at {
					return stop
				}
				return nil
			})
			wantError(t, err, stop, fmt.Sprintf("entry %d", at))
			if calls != at {
				t.Fatalf("%d calls, want %d", calls, at)
			}
		}
	}
}

// What happens to the last record between the first look at the directory and the second at the record.
func TestWalkRecordUnderWay(t *testing.T) {
	whole := records(1, somePayloads(3, 100))
	third := len(records(1, somePayloads(3, 100)[:2]))
	next := record(3, bytes.Repeat([]byte("another"), 100))
	flipped := bytes.Clone(whole)
	flipped[third+10] ^= 4
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	room, long := make([]byte, 20_000), record(3, bytes.Repeat([]byte("long"), 4000))
	for _, c := range []struct {
		name         string
		first, later []byte
		torn, bad    bool
	}{
		{"it gets finished", whole[:third+8], whole, false, false},
		{"and another is begun", whole[:third+8], join(whole, record(4, []byte("fourth"))[:10]), false, false},
		{"it gets finished, and room is made", whole[:third+8], join(whole, room), false, false},
		{"and another is begun in room", whole[:third+8], join(whole, record(4, []byte("x"))[:10], room), false, false},
		{"it is cut, and there is room", whole[:third+8], join(whole[:third], room), false, false},
		{"the room is cut", join(whole[:third], room), whole[:third], false, false},
		{"the room is cut, and a record begun", join(whole[:third], room), whole[:third+8], true, true},
		{"it stays in room, cut within a sector", join(whole[:third+8], room), join(whole[:third+8], room), false, true},
		{"a long one gets on in room", join(whole[:third], long[:4096], room), join(whole[:third], long[:8192], room), true, true},
		{"it gets on", whole[:third+8], whole[:third+12], true, true},
		{"it stays", whole[:third+8], whole[:third+8], true, true},
		{"it is cut", whole[:third+8], whole[:third], false, false},
		{"it is cut, and another written", whole[:third+8], join(whole[:third], next), false, false},
		{"it is cut, and another begun", whole[:third+8], join(whole[:third], next[:50]), true, true},
		{"it is cut, and another begun with less", whole[:third+8], join(whole[:third], next[:3]), true, true},
		{"it is damaged", flipped, flipped, false, true},
		{"it is damaged, and another written", flipped, join(flipped, record(4, []byte("fourth"))), false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := writeSegment(t, dir, 1, c.first)
			segments, err := Segments(dir)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, c.later)
			entries := 0
			_, err = walk(segments, func(Entry) error { entries++; return nil })
			if entries != 2 || (err != nil) != c.bad {
				t.Fatalf("%d entries, then %v", entries, err)
			}
			if bad, ok := errors.AsType[*CorruptError](err); c.bad && (!ok || bad.Torn != c.torn || bad.Offset != int64(third)) {
				t.Fatalf("want it torn: %v; got %v", c.torn, err)
			}
		})
	}
}

// A list that was made while files came and went may lack some.
func TestWalkIncompleteList(t *testing.T) {
	dir, payloads := threeSegments(t)
	writeSegment(t, dir, 13, record(13, []byte("x")))
	all, err := Segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		list []Segment
		want uint64 // next index
	}{
		{[]Segment{all[0], all[3]}, 14},
		{[]Segment{all[0], all[2]}, 13},
		{[]Segment{all[1], all[3]}, 14},
		{[]Segment{all[0]}, 5},
		{nil, 0},
	} {
		due := uint64(1)
		if len(c.list) > 0 {
			due = c.list[0].First
		}
		next, err := walk(c.list, func(e Entry) error {
			if e.Index != due || e.Index <= 12 && !bytes.Equal(e.Payload, payloads[e.Index-1]) {
				return errors.New("another entry is due")
			}
			due++
			return nil
		})
		if err != nil || next != c.want {
			t.Fatalf("next is %d, want %d; %v", next, c.want, err)
		}
	}
}

// DropBefore may remove files that a walk has not reached.
func TestWalkDropped(t *testing.T) {
	for _, c := range []struct {
		at, before uint64 // at this entry, drop before that one
		entries    int
		want       error
	}{
		{1, 5, 12, nil}, // the file that is open stays readable
		{4, 5, 12, nil},
		{5, 9, 12, nil},
		{1, 9, 4, ErrDropped},
		{4, 100, 4, ErrDropped},
	} {
		dir, payloads := threeSegments(t)
		got, err := walked(dir, func(index uint64) {
			if index != c.at {
				return
			}
			if _, err := DropBefore(dir, c.before); err != nil {
				t.Error(err)
			}
		})
		if !errors.Is(err, c.want) {
			t.Fatalf("%+v: %v", c, err)
		}
		wantEqual(t, got, payloads[:c.entries])
	}
}

// What is removed before the first entry is handed out counts as removed before the walk: it lists again, unless that
// brings up the same file.
func TestWalkOldestGone(t *testing.T) {
	dir, _ := threeSegments(t)
	stale, err := Segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	mustRemove(t, stale[0].Path)
	lists := [][]Segment{stale, stale[1:]}
	var got []uint64
	err = walkListed(func() (list []Segment, err error) {
		list, lists = lists[0], lists[1:]
		return list, nil
	}, func(e Entry) error {
		got = append(got, e.Index)
		return nil
	})
	if err != nil || len(got) != 8 || got[0] != 5 || len(lists) > 0 {
		t.Fatalf("entries %d, %v", got, err)
	}
	calls := 0
	err = walkListed(func() ([]Segment, error) { calls++; return stale, nil }, func(Entry) error { return nil })
	wantError(t, err, ErrDropped, stale[0].Path)
	if calls != 2 {
		t.Fatalf("listed %d times", calls)
	}
}

// A file whose entries are there twice ends the walk before any of them is handed out again, or a later one.
func TestWalkOverlap(t *testing.T) {
	dir, _ := threeSegments(t)
	path := writeSegment(t, dir, 3, record(3, []byte("twice")))
	got, err := walked(dir, nothing)
	wantCorrupt(t, err, path, 0)
	if len(got) != 4 {
		t.Fatalf("%d entries", len(got))
	}
}

// Files in the middle are never dropped.
func TestWalkMiddleGone(t *testing.T) {
	for _, list := range [][]int{{0, 1, 2}, {0, 2}} {
		dir, payloads := threeSegments(t)
		all, err := Segments(dir)
		if err != nil {
			t.Fatal(err)
		}
		var segments []Segment
		for _, i := range list {
			segments = append(segments, all[i])
		}
		mustRemove(t, all[1].Path)
		n := 0
		_, err = walk(segments, func(Entry) error { n++; return nil })
		if err == nil || errors.Is(err, ErrDropped) || n != 4 {
			t.Fatalf("%d entries of %d, then %v", n, len(payloads), err)
		}
	}
}

// The sizes in a list are taken before the files are read. Were they not, this would read beyond what is written.
func TestWalkReadsToListedSize(t *testing.T) {
	dir := t.TempDir()
	path := writeSegment(t, dir, 1, records(1, somePayloads(3, 100)))
	n := 0
	err := Walk(dir, func(Entry) error {
		if n++; n == 1 {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			_, err = f.Write(record(4, []byte("later"))[:12])
			return errors.Join(err, f.Close())
		}
		return nil
	})
	if err != nil || n != 3 {
		t.Fatalf("%d entries, %v", n, err)
	}
}

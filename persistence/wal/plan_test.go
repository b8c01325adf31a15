package wal

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// contents are all files of a directory but the lock.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range names(t, dir, "*") {
		if name != lockName {
			files[name] = string(readFile(t, filepath.Join(dir, name)))
		}
	}
	return files
}

// At each place of a cut, the plan says what Open would do, changes nothing, and Repair does just that.
func TestPlanAndRepair(t *testing.T) {
	payloads := somePayloads(6, 60)
	old, data := records(1, payloads[:3]), records(4, payloads[3:])
	whole := map[int]int{0: 0} // sizes of the last file at which nothing is torn, and the entries in it
	for n := range 3 {
		whole[len(records(4, payloads[3:4+n]))] = n + 1
	}
	for size, offset := 0, 0; size <= len(data); size++ {
		if _, ok := whole[size]; ok {
			offset = size
		}
		dir := t.TempDir()
		writeSegment(t, dir, 1, old)
		path := writeSegment(t, dir, 4, data[:size])
		before := contents(t, dir)
		plan, err := PlanRepair(dir)
		if err != nil || !maps.Equal(contents(t, dir), before) || len(names(t, dir, lockName)) > 0 {
			t.Fatalf("planning for %d bytes changed the directory, or %v", size, err)
		}
		done, err := repair(dir, quick())
		if err != nil {
			t.Fatal(err)
		}
		if size == offset {
			if plan != nil || done != nil || !maps.Equal(contents(t, dir), before) {
				t.Fatalf("nothing is torn, and planned %+v and did %+v", plan, done)
			}
			continue
		}
		wantCut(t, plan, done, path, offset, size)
		saved := readFile(t, filepath.Join(dir, done.Saved))
		if !bytes.Equal(saved, data[offset:size]) || !bytes.Equal(readFile(t, path), data[:offset]) {
			t.Fatalf("%d bytes: the file or what was set aside is not as it should be", size)
		}
		l, err := open(dir, Options{}, quick())
		if err != nil || l.Repaired() != 0 {
			t.Fatalf("cut %d bytes after the repair; %v", l.Repaired(), err)
		}
		wantReplay(t, l, 1, payloads[:3+whole[offset]])
		mustClose(t, l)
	}
}

// wantCut wants that the plan and what was done are the same, but for where the bytes were saved.
func wantCut(t *testing.T, plan, done *Cut, path string, offset, size int) {
	t.Helper()
	if plan == nil || done == nil || plan.Saved != "" || done.Saved == "" || plan.Reason == "" {
		t.Fatalf("planned %+v and did %+v", plan, done)
	}
	same := *done
	same.Saved = ""
	if *plan != same || plan.File != path || plan.Offset != int64(offset) || plan.Bytes != int64(size-offset) {
		t.Fatalf("planned %+v and did %+v", plan, done)
	}
}

// Open tells of the same cut.
func TestPlanIsWhatOpenDoes(t *testing.T) {
	dir := t.TempDir()
	path := writeSegment(t, dir, 1, append(record(1, []byte("first")), record(2, make([]byte, 100))[:90]...))
	plan, err := PlanRepair(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, dir, Options{})
	wantCut(t, plan, l.repair, path, len(record(1, []byte("first"))), len(record(1, []byte("first")))+90)
}

// A log that is corrupt is left as it is, also if its tail is torn as well.
func TestRepairLeavesCorruptLogs(t *testing.T) {
	torn := record(9, []byte("torn"))[:12]
	flipped := record(9, []byte("flipped"))
	flipped[len(flipped)-3] ^= 1
	for _, c := range []struct {
		name string
		file string
		data []byte
		tail []byte
		says string
	}{
		{"flipped tail", segmentName(1), records(1, somePayloads(8, 50)), flipped, "truncate the file to"},
		{"torn tail, cut middle", segmentName(1), records(1, somePayloads(8, 50))[:100], torn, "from a backup"},
		{"torn tail, gap", segmentName(2), records(2, somePayloads(8, 50)[:5]), torn, "missing"},
		{"torn tail, empty middle", segmentName(1), nil, torn, "empty"},
		{"torn .START", segmentName(9) + startSuffix, torn, nil, "needs"},
		{"an .END", segmentName(9) + endSuffix, torn, torn, "unfinished truncation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, c.file), c.data)
			if c.tail != nil {
				writeSegment(t, dir, 9, c.tail)
			}
			before := contents(t, dir)
			plan, err := PlanRepair(dir)
			wantError(t, err, nil, c.says)
			done, err := Repair(dir)
			wantError(t, err, nil, c.says, dir)
			if strings.Contains(err.Error(), "truncate the file") != (c.name == "flipped tail") {
				t.Fatalf("%q advises wrongly", err)
			}
			if plan != nil || done != nil || !maps.Equal(contents(t, dir), before) {
				t.Fatalf("planned %+v and did %+v", plan, done)
			}
		})
	}
}

func TestRepairNeedsTheLock(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{})
	mustAppend(t, l, []byte("first"))
	path := filepath.Join(dir, segmentName(1))
	data := append(record(1, []byte("first")), record(2, []byte("under way"))[:20]...)
	writeFile(t, path, data)
	if plan, err := PlanRepair(dir); err != nil || plan == nil || plan.Index != 2 || plan.Bytes != 20 {
		t.Fatalf("planned %+v, %v", plan, err)
	}
	_, err := Repair(dir)
	wantError(t, err, ErrLocked, dir)
	if !bytes.Equal(readFile(t, path), data) {
		t.Fatal("the file of a live log was changed")
	}
	_ = l.fail(errDisk) // so it leaves the file as it is, as a killed one does
	mustClose(t, l)
	if done, err := Repair(dir); err != nil || done == nil {
		t.Fatalf("did %+v, %v", done, err)
	}
	wantReplay(t, mustOpen(t, dir, Options{}), 1, [][]byte{[]byte("first")})
}

func TestRepairOfNothing(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		plan, err := PlanRepair(dir)
		done, doneErr := Repair(dir)
		if plan != nil || done != nil || err != nil || doneErr != nil {
			t.Fatalf("planned %+v, %v; did %+v, %v", plan, err, done, doneErr)
		}
	}
	nowhere := filepath.Join(dir, "nowhere")
	_, err := PlanRepair(nowhere)
	wantError(t, err, fs.ErrNotExist)
	_, err = Repair(nowhere)
	wantError(t, err, fs.ErrNotExist)
	if len(names(t, dir, "nowhere")) > 0 {
		t.Fatal("Repair made the directory")
	}
}

// A repair is on the disk when it returns, and says so if it may not be.
func TestRepairFsyncs(t *testing.T) {
	broken := errors.New("broken disk")
	for _, failing := range []string{"", "file", "directory"} {
		dir := t.TempDir()
		first := record(1, []byte("first"))
		path := writeSegment(t, dir, 1, append(first, record(2, []byte("torn"))[:9]...))
		var synced []string
		sys := quick()
		sys.syncFile = func(f *os.File) error {
			if failing == "file" && f.Name() == path {
				return broken
			}
			synced = append(synced, f.Name())
			return nil
		}
		sys.syncDir = func(dir string) error {
			if failing == "directory" {
				return broken
			}
			synced = append(synced, dir)
			return nil
		}
		done, err := repair(dir, sys)
		if done == nil || done.Bytes != 9 || (err != nil) != (failing != "") {
			t.Fatalf("failing %s: did %+v, %v", failing, done, err)
		}
		if failing != "" {
			wantError(t, err, broken, dir)
			continue
		}
		if n := len(synced); n < 2 || synced[n-2] != path || synced[n-1] != dir {
			t.Fatalf("fsynced %q", synced)
		}
	}
}

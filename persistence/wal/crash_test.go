package wal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// disk tells, of the files in a directory, what a power loss cannot take: the bytes that were fsynced, and the
// names of files whose directory was fsynced.
type disk struct {
	dir     string
	rng     *rand.Rand
	durable map[string][]byte
	named   map[string]bool
	removed map[string][]byte // what was in files whose removal is not durable
	lose    moment            // the next append meets a power loss then
	syncs   int               // more fsyncs of the directory before that
	rolls   int               // power losses that met a new file whose name was not durable
	undone  int               // removals that one undid
	inRoom  int               // records that it met in room that was durable
	growing int               // and such that made the file grow
}

func newDisk(rng *rand.Rand, dir string) *disk {
	return &disk{dir: dir, rng: rng, durable: map[string][]byte{}, named: map[string]bool{}, removed: map[string][]byte{}}
}

// moment is when, within an append, the power goes. The call at that point does nothing and fails.
type moment int

const (
	never       moment = iota
	beforeWrite        // and after room was made or cut for it
	beforeFsync
	beforeFsyncOfCut
	beforeDirectoryFsync
	moments
)

var errPower = errors.New("power lost")

// crashing is the library over a disk.
type crashing struct {
	backend
	disk *disk
}

// Write notes what the library itself makes durable at a roll: all of the old file.
func (c *crashing) Write(index uint64, data []byte) error {
	if c.disk.lose == beforeWrite {
		return errPower
	}
	before := c.disk.newest()
	if err := c.backend.Write(index, data); err != nil {
		return err
	}
	if before != c.disk.newest() {
		c.disk.durable[before] = c.disk.content(before)
	}
	return nil
}

func (c *crashing) Sync() error {
	if c.disk.lose == beforeFsync {
		return errPower
	}
	newest := c.disk.newest()
	c.disk.durable[newest] = c.disk.content(newest)
	return c.backend.Sync()
}

// system is the real one, with all its fsyncs seen by the disk.
func (d *disk) system() system {
	sys := quick()
	library := sys.openBackend
	sys.openBackend = func(dir string, segmentSize int, first, last uint64) (backend, error) {
		b, err := library(dir, segmentSize, first, last)
		return &crashing{backend: b, disk: d}, err
	}
	sys.syncFile = d.syncFile
	sys.zero = d.zero
	sys.syncDir = func(string) error {
		if d.lose == beforeDirectoryFsync && d.syncs == 0 {
			return errPower
		}
		d.syncs--
		for _, name := range d.files() {
			d.named[name] = true
		}
		clear(d.removed)
		return nil
	}
	sys.remove = d.remove
	return sys
}

func (d *disk) remove(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	name := filepath.Base(path)
	if strings.HasPrefix(name, tornPrefix) {
		return os.Remove(path) // if a power loss brings it back, no harm is done
	}
	if !d.named[name] || !bytes.Equal(d.durable[name], data) {
		return errors.New("a file is removed that is not durable itself")
	}
	d.removed[name] = data
	return os.Remove(path)
}

// zero may meet a full disk.
func (d *disk) zero(f *os.File, from, to int64) (int64, error) {
	if d.rng.IntN(6) > 0 {
		return writeZeros(f, from, to)
	}
	n, err := writeZeros(f, from, from+d.rng.Int64N(to-from))
	return n, errors.Join(err, syscall.ENOSPC)
}

// syncFile makes durable what was written since the last try only: after a failed fsync the system may take the
// pages for clean. restarted sets the time by which we know.
func (d *disk) syncFile(f *os.File) error {
	if d.lose == beforeFsyncOfCut {
		return errPower
	}
	info, err := f.Stat()
	if err == nil && time.Since(info.ModTime()) < time.Hour {
		name := filepath.Base(f.Name())
		d.durable[name] = d.content(name)
	}
	return err
}

// restarted is what a restart of the process, and not of the machine, leaves: all bytes, seen but not durable.
func (d *disk) restarted(t *testing.T) {
	long := time.Now().Add(-2 * time.Hour)
	for _, name := range d.files() {
		if err := os.Chtimes(filepath.Join(d.dir, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *disk) files() (files []string) {
	paths, err := filepath.Glob(filepath.Join(d.dir, "0*"))
	if err != nil {
		panic(err)
	}
	for _, path := range paths {
		files = append(files, filepath.Base(path))
	}
	return files
}

func (d *disk) newest() string {
	files := d.files()
	return files[len(files)-1]
}

func (d *disk) content(name string) []byte {
	data, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		panic(err)
	}
	return data
}

// powerLoss takes some of what was not durable, and gives back some of what was removed and still is on the disk.
func (d *disk) powerLoss(t *testing.T) {
	for name, data := range d.removed {
		if d.rng.IntN(2) == 0 {
			writeFile(t, filepath.Join(d.dir, name), data)
			d.undone++
		}
	}
	clear(d.removed)
	for _, name := range d.files() {
		path := filepath.Join(d.dir, name)
		if !d.named[name] {
			d.rolls++
			if d.rng.IntN(2) == 0 {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				delete(d.durable, name)
				continue
			}
		}
		d.durable[name] = d.settled(t, name)
		writeFile(t, path, d.durable[name])
		d.named[name] = true
	}
}

// settled is what a power loss leaves of a file: of its sizes, the one that was fsynced, or that was seen, or one
// between; of its sectors, each as it was fsynced or as it was seen. The tears that doc.go names as refused are left
// out: a lost sector of a record that made the file grow, if it would not show.
func (d *disk) settled(t *testing.T, name string) []byte {
	old, now := d.durable[name], d.content(name)
	if bytes.Equal(old, now) {
		return now
	}
	at, _, shows := lastRecord(t, name, now)
	least, most := min(len(old), len(now)), max(len(old), len(now))
	settled := make([]byte, []int{least, most, least + d.rng.IntN(most-least+1)}[d.rng.IntN(3)])
	copy(settled, now)
	switch {
	case len(old) > at:
		d.inRoom++
	case !shows:
		d.growing++
		return settled
	}
	for sector := 0; sector < len(settled); sector += sectorSize {
		if d.rng.IntN(3) == 0 {
			clear(settled[sector:min(len(settled), sector+sectorSize)])
			if sector < len(old) {
				copy(settled[sector:], old[sector:min(len(old), sector+sectorSize)])
			}
		}
	}
	return settled
}

// lastRecord finds the last record of a segment, and whether all its tears show.
func lastRecord(t *testing.T, name string, data []byte) (at, end int, shows bool) {
	t.Helper()
	first, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	s := NewScanner(bytes.NewReader(data), name, int64(len(data)), first)
	for {
		e, err := s.Next()
		if err != nil {
			return at, end, shows
		}
		at, end = int(e.Offset), int(s.Offset())
		shows = tearShows(e.Offset, appendFrame(nil, e.Index, e.Payload))
	}
}

// kill ends the process in the middle of the write of a record: in room, with some of its sectors; else with some of its
// bytes.
func (d *disk) kill(t *testing.T) {
	name := d.newest()
	data := d.content(name)
	at, end, _ := lastRecord(t, name, data)
	if cut := at + d.rng.IntN(end-at+1); end == len(data) {
		data = data[:cut]
	} else {
		clear(data[max(at, cut/sectorSize*sectorSize):])
	}
	writeFile(t, filepath.Join(d.dir, name), data)
}

// TestPowerLoss runs logs through power losses and restarts at random points. Acknowledged entries must survive all
// of them, and so must entries that a replay has shown; one that was never acknowledged may be there whole, or not
// at all.
func TestPowerLoss(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("WAL_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d: rerun with WAL_TEST_SEED=%d", seed, seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var repaired, kept, rolls, undone, dropped, rolled, cutShort, inRoom, growing int
	for range rounds(50, 1000) {
		run := &crashRun{rng: rng, disk: newDisk(rng, t.TempDir())}
		for range 12 {
			run.life(t)
		}
		repaired, kept, dropped = repaired+run.repaired, kept+run.kept, dropped+run.dropped
		rolls, undone = rolls+run.disk.rolls, undone+run.disk.undone
		rolled, cutShort = rolled+run.rolled, cutShort+run.cutShort
		inRoom, growing = inRoom+run.disk.inRoom, growing+run.disk.growing
	}
	t.Logf("%d torn tails, %d unacknowledged entries kept, %d new files without a durable name", repaired, kept, rolls)
	t.Logf("%d files dropped, %d removals undone; %d rolls asked for, %d cut short", dropped, undone, rolled, cutShort)
	t.Logf("%d files with unfinished records in room, %d with such as made them grow", inRoom, growing)
	if inRoom == 0 || growing == 0 || repaired == 0 || kept == 0 || rolls == 0 || dropped == 0 || undone == 0 || rolled == cutShort || cutShort == 0 {
		t.Error("the faults were not met")
	}
}

// crashRun is one log and what it must hold.
type crashRun struct {
	rng            *rand.Rand
	disk           *disk
	must           [][]byte // acknowledged, or shown by a replay; all since the first ever
	maybe          []byte   // of the append that failed
	snapshot       uint64   // entries up to this one need not be there
	repaired, kept int
	dropped        int
	rolled         int // by us
	cutShort       int // of those, by a power loss
}

// life is from one opening to the next fault.
func (r *crashRun) life(t *testing.T) {
	t.Helper()
	r.disk.lose = never
	l, err := open(r.disk.dir, Options{SegmentSize: 12_000}, r.disk.system())
	if err != nil {
		t.Fatal(err)
	}
	got, err := replayed(l, r.snapshot+1)
	if err != nil {
		t.Fatal(err)
	}
	got = append(r.must[:r.snapshot:r.snapshot], got...)
	wantSuffix(t, r.disk.dir, got)
	if l.Repaired() > 0 {
		r.repaired++
	}
	if r.maybe != nil && len(got) == len(r.must)+1 {
		r.must = append(r.must, r.maybe)
		r.kept++
	}
	wantEqual(t, got, r.must)
	r.maybe = nil
	for range r.rng.IntN(12) {
		if r.rng.IntN(10) == 0 {
			r.roll(t, l)
		}
		r.append(t, l)
	}
	r.disk.lose, r.disk.syncs = moment(r.rng.IntN(int(moments))), 0
	if r.rng.IntN(2) == 0 {
		if r.disk.syncs = r.rng.IntN(6); r.rng.IntN(2) == 0 {
			r.disk.lose = beforeDirectoryFsync
		}
		r.drop(t)
	}
	for range r.rng.IntN(8) {
		if r.rng.IntN(5) == 0 && !r.roll(t, l) || !r.append(t, l) {
			break
		}
	}
	r.end(t, l)
}

// end is a clean one, or the process is killed, or the power goes, or two of that.
func (r *crashRun) end(t *testing.T, l *Log) {
	t.Helper()
	if r.rng.IntN(3) > 0 {
		_ = l.fail(errPower) // so Close leaves the room
	}
	failed := r.disk.lose
	r.disk.lose = never
	_ = l.Close() // frees the files; what the library fsyncs is not counted as durable
	if r.rng.IntN(3) > 0 {
		r.disk.powerLoss(t)
		return
	}
	if failed == beforeFsync && r.maybe != nil && r.disk.newest() == segmentName(l.newest) {
		r.disk.kill(t)
	}
	r.disk.restarted(t)
}

// roll may meet the power loss, too; the file that it has made may then be there or not.
func (r *crashRun) roll(t *testing.T, l *Log) bool {
	t.Helper()
	r.rolled++
	if err := l.Roll(); err != nil {
		wantError(t, err, errPower)
		r.cutShort++
		return false
	}
	return true
}

// drop takes a snapshot, and drops what it covers, unless the power goes.
func (r *crashRun) drop(t *testing.T) {
	t.Helper()
	covers := uint64(len(r.must))
	r.snapshot = max(r.snapshot, covers-min(covers, r.rng.Uint64N(10)))
	n, err := dropBefore(r.disk.dir, r.snapshot+1, r.disk.system())
	if err != nil {
		wantError(t, err, errPower)
	}
	r.dropped += n
}

func (r *crashRun) append(t *testing.T, l *Log) bool {
	t.Helper()
	payload := randomBytes(r.rng, 1+r.rng.IntN(2000))
	if r.rng.IntN(8) == 0 {
		clear(payload[r.rng.IntN(len(payload)):])
	}
	index, err := l.Append(payload)
	if err != nil {
		wantError(t, err, errPower)
		r.maybe = payload
		return false
	}
	r.must = append(r.must, payload)
	if index != uint64(len(r.must)) {
		t.Fatalf("appended as %d, want %d", index, len(r.must))
	}
	return true
}

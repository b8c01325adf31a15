package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// disk tells, of the files in a directory, what a power loss cannot take: the bytes that were fsynced, and the
// names of files whose directory was fsynced.
type disk struct {
	dir     string
	durable map[string]int64
	named   map[string]bool
	removed map[string][]byte // what was in files whose removal is not durable
	lose    moment            // the next append meets a power loss then
	syncs   int               // more fsyncs of the directory before that
	rolls   int               // power losses that met a new file whose name was not durable
	undone  int               // removals that one undid
}

func newDisk(dir string) *disk {
	return &disk{dir: dir, durable: map[string]int64{}, named: map[string]bool{}, removed: map[string][]byte{}}
}

// moment is when, within an append, the power goes. The call at that point does nothing and fails.
type moment int

const (
	never moment = iota
	beforeFsync
	beforeDirectoryFsync
)

var errPower = errors.New("power lost")

// crashing is the library over a disk.
type crashing struct {
	backend
	disk *disk
}

// Write notes what the library itself makes durable at a roll: all of the old file.
func (c *crashing) Write(index uint64, data []byte) error {
	before := c.disk.newest()
	if err := c.backend.Write(index, data); err != nil {
		return err
	}
	if before != c.disk.newest() {
		c.disk.durable[before] = c.disk.size(before)
	}
	return nil
}

func (c *crashing) Sync() error {
	if c.disk.lose == beforeFsync {
		return errPower
	}
	newest := c.disk.newest()
	c.disk.durable[newest] = c.disk.size(newest)
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
	if !d.named[name] || d.durable[name] != int64(len(data)) {
		return errors.New("a file is removed that is not durable itself")
	}
	d.removed[name] = data
	return os.Remove(path)
}

// syncFile makes durable what was written since the last try only: after a failed fsync the system may take the
// pages for clean. restarted sets the time by which we know.
func (d *disk) syncFile(f *os.File) error {
	info, err := f.Stat()
	if err == nil && time.Since(info.ModTime()) < time.Hour {
		d.durable[filepath.Base(f.Name())] = info.Size()
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

func (d *disk) size(name string) int64 {
	info, err := os.Stat(filepath.Join(d.dir, name))
	if err != nil {
		panic(err)
	}
	return info.Size()
}

// powerLoss takes some of what was not durable, and gives back some of what was removed and still is on the disk.
func (d *disk) powerLoss(t *testing.T, rng *rand.Rand) {
	for name, data := range d.removed {
		if rng.IntN(2) == 0 {
			writeFile(t, filepath.Join(d.dir, name), data)
			d.undone++
		}
	}
	clear(d.removed)
	for _, name := range d.files() {
		path := filepath.Join(d.dir, name)
		if !d.named[name] {
			d.rolls++
			if rng.IntN(2) == 0 {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				delete(d.durable, name)
				continue
			}
		}
		data := readFile(t, path)
		if from := int(d.durable[name]); from < len(data) {
			writeFile(t, path, damaged(rng, data, from))
		}
		d.durable[name] = d.size(name)
		d.named[name] = true
	}
}

// damaged is a file of which the bytes from from on, one record, did not all reach the disk. The tears that doc.go
// names as refused are left out: a lost prefix, or a lost trailer, alone.
func damaged(rng *rand.Rand, data []byte, from int) []byte {
	_, prefix := binary.Uvarint(data[from:])
	for {
		torn := bytes.Clone(data)
		if rng.IntN(2) == 0 {
			for sector := from / sectorSize; sector*sectorSize < len(torn); sector++ {
				if rng.IntN(3) == 0 {
					loseSector(torn, from, sector)
				}
			}
		}
		if rng.IntN(2) == 0 {
			torn = torn[:from+rng.IntN(len(torn)-from+1)]
		}
		inner := func(b []byte) []byte { return b[from+prefix : len(data)-1] }
		if len(torn) < len(data) || bytes.Equal(torn, data) || !bytes.Equal(inner(torn), inner(data)) {
			return torn
		}
	}
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
	var repaired, kept, rolls, undone, dropped, rolled, cutShort int
	for range rounds(25, 1000) {
		run := &crashRun{rng: rng, disk: newDisk(t.TempDir())}
		for range 12 {
			run.life(t)
		}
		repaired, kept, dropped = repaired+run.repaired, kept+run.kept, dropped+run.dropped
		rolls, undone = rolls+run.disk.rolls, undone+run.disk.undone
		rolled, cutShort = rolled+run.rolled, cutShort+run.cutShort
	}
	t.Logf("%d torn tails, %d unacknowledged entries kept, %d new files without a durable name", repaired, kept, rolls)
	t.Logf("%d files dropped, %d removals undone; %d rolls asked for, %d cut short", dropped, undone, rolled, cutShort)
	if repaired == 0 || kept == 0 || rolls == 0 || dropped == 0 || undone == 0 || rolled == cutShort || cutShort == 0 {
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
	l, err := open(r.disk.dir, Options{SegmentSize: 4000}, r.disk.system())
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
	r.disk.lose, r.disk.syncs = moment(r.rng.IntN(3)), 0
	if r.rng.IntN(2) == 0 {
		r.disk.syncs = r.rng.IntN(6)
		r.drop(t)
	}
	for range r.rng.IntN(8) {
		if r.rng.IntN(5) == 0 && !r.roll(t, l) || !r.append(t, l) {
			break
		}
	}
	_ = l.Close() // frees the files; what it fsyncs is not counted as durable
	if r.rng.IntN(4) == 0 {
		r.disk.restarted(t)
	} else {
		r.disk.powerLoss(t, r.rng)
	}
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

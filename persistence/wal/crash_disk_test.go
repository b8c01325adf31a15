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

package persistence

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// crashFiles are the files of the snapshots, or of the archive, on a disk that fails and loses power. The directory shows what a program
// sees; beside it, crashFiles knows what a power loss cannot take: the bytes that were fsynced, and the names whose
// directory was fsynced.
type crashFiles struct {
	machine *machine
	dir     string            // where they are
	now     map[string]*inode // what a program sees, by base name
	durable map[string]*inode // what a power loss leaves for certain
}

// inode is a file, whatever it is called.
type inode struct {
	data  []byte // what a program sees
	disk  []byte // what no power loss takes
	dirty []span // of data, what the next fsync writes; a power loss leaves any of it
}

type span struct{ from, to int }

func (i *inode) write(b []byte, at int) {
	if grow := at + len(b) - len(i.data); grow > 0 {
		i.data = append(i.data, make([]byte, grow)...)
	}
	copy(i.data[at:], b)
	i.dirty = append(i.dirty, span{at / sectorSize * sectorSize, at + len(b)}) // the system writes whole sectors
}

// fsync makes all that is dirty durable. One that fails has done so with a part, and the system takes the rest for clean:
// no later fsync writes it, unless it is written again.
func (i *inode) fsync(fails bool, rng *rand.Rand) {
	if fails {
		i.disk = i.settled(some(rng), max(len(i.disk), len(i.data)))
	} else {
		i.disk = i.settled(func() bool { return true }, len(i.data))
	}
	i.dirty = nil
}

// settled is the file with this size, and of its dirty sectors those that are written.
func (i *inode) settled(written func() bool, size int) []byte {
	disk := make([]byte, size)
	copy(disk, i.disk)
	for _, s := range i.dirty {
		for at := s.from; at < s.to; at = (at/sectorSize + 1) * sectorSize {
			if to := min((at/sectorSize+1)*sectorSize, size, len(i.data)); at < to && written() {
				copy(disk[at:to], i.data[at:to])
			}
		}
	}
	return disk
}

func newCrashFiles(m *machine, dir string) *crashFiles {
	return &crashFiles{machine: m, dir: dir, now: map[string]*inode{}, durable: map[string]*inode{}}
}

// act is one call: a fault may come instead of it, or after it was done.
func (c *crashFiles) act(do func() error) error {
	done, fault := c.machine.fault()
	if fault == nil || done {
		if err := do(); err != nil {
			return err
		}
	}
	return fault
}

func (c *crashFiles) create(path string) (output, error) {
	out := &crashOutput{files: c, path: path, inode: &inode{}}
	err := c.act(func() error {
		f, err := realFiles{}.create(path)
		if err != nil {
			return err
		}
		c.now[filepath.Base(path)] = out.inode
		return f.Close()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// open decides at once when reading will fail: it is not the caller's goroutine that reads.
func (c *crashFiles) open(path string) (io.ReadCloser, int64, error) {
	done, fault := c.machine.fault()
	if fault != nil && !done {
		return nil, 0, fault
	}
	f, size, err := realFiles{}.open(path)
	if err != nil || fault == nil {
		return f, size, err
	}
	return &failingInput{f, c.machine.rng.Int64N(size + 1), fault}, size, nil
}

func (c *crashFiles) edit(path string) (file editable, size int64, err error) {
	err = c.act(func() error {
		if file, size, err = (realFiles{}).edit(path); err != nil {
			return err
		}
		name := filepath.Base(path)
		if c.now[name] == nil {
			c.now[name] = &inode{}
		}
		file = &crashEdit{editable: file, files: c, inode: c.now[name]}
		return nil
	})
	if err != nil && file != nil {
		err = errors.Join(err, file.(*crashEdit).editable.Close())
	}
	return file, size, err
}

func (c *crashFiles) rename(from, to string) error {
	return c.act(func() error {
		c.now[filepath.Base(to)] = c.now[filepath.Base(from)]
		delete(c.now, filepath.Base(from))
		return os.Rename(from, to)
	})
}

func (c *crashFiles) remove(path string) error {
	return c.act(func() error {
		delete(c.now, filepath.Base(path))
		return os.Remove(path)
	})
}

func (c *crashFiles) syncDir(dir string) error {
	return c.act(func() error {
		if dir == c.dir {
			c.durable = maps.Clone(c.now)
		}
		return nil
	})
}

// powerLoss leaves, of each name and of each file's bytes, what is certain, and of the rest what chance leaves.
func (c *crashFiles) powerLoss(rng *rand.Rand) error {
	names := map[string]bool{}
	for name := range c.now {
		names[name] = true
	}
	for name := range c.durable {
		names[name] = true
	}
	left := map[string]*inode{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		file := c.now[name]
		if rng.IntN(2) == 0 {
			file = c.durable[name]
		}
		path := filepath.Join(c.dir, name)
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
		if file == nil {
			continue
		}
		data := file.afterPowerLoss(rng)
		left[name] = &inode{data: data, disk: bytes.Clone(data)}
		if err := os.WriteFile(path, data, fileMode); err != nil {
			return err
		}
	}
	c.now, c.durable = left, maps.Clone(left)
	return nil
}

// afterPowerLoss is a file of the size that was fsynced, or that was seen, or one between, with sectors that were never
// written.
func (i *inode) afterPowerLoss(rng *rand.Rand) []byte {
	least, most := min(len(i.disk), len(i.data)), max(len(i.disk), len(i.data))
	size := []int{least, most, least + rng.IntN(most-least+1)}[rng.IntN(3)]
	return i.settled(some(rng), size)
}

func some(rng *rand.Rand) func() bool { return func() bool { return rng.IntN(3) > 0 } }

// crashOutput is a file that is being written.
type crashOutput struct {
	files *crashFiles
	path  string
	inode *inode
}

// Write may write a part only, as a full disk does.
func (o *crashOutput) Write(b []byte) (n int, err error) {
	done, fault := o.files.machine.fault()
	if o.files.machine.wasOff {
		return 0, fault
	}
	if fault != nil && !done {
		b = b[:o.files.machine.rng.IntN(len(b))]
	}
	o.inode.write(b, len(o.inode.data))
	f, err := os.OpenFile(o.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return 0, err
	}
	n, err = f.Write(b)
	return n, errors.Join(fault, err, f.Close())
}

func (o *crashOutput) Sync() error {
	return o.files.fsync(o.inode)
}

// fsync that fails may have written all, or a part.
func (c *crashFiles) fsync(i *inode) error {
	done, fault := c.machine.fault()
	if !c.machine.wasOff {
		i.fsync(fault != nil && !done, c.machine.rng)
	}
	return fault
}

func (o *crashOutput) Close() error {
	_, fault := o.files.machine.fault()
	return fault
}

// failingInput can be read up to some place.
type failingInput struct {
	io.ReadCloser
	left  int64
	fault error
}

func (i *failingInput) Read(b []byte) (int, error) {
	if i.left == 0 {
		return 0, i.fault
	}
	n, err := i.ReadCloser.Read(b[:min(int64(len(b)), i.left)])
	i.left -= int64(n)
	return n, err
}

// crashEdit is a file that is changed in its place: the real one, and what is known of it.
type crashEdit struct {
	editable
	files *crashFiles
	inode *inode
}

func (e *crashEdit) ReadAt(b []byte, at int64) (int, error) {
	if _, fault := e.files.machine.fault(); fault != nil {
		return 0, fault
	}
	return e.editable.ReadAt(b, at)
}

// WriteAt may write a part only, as a full disk does.
func (e *crashEdit) WriteAt(b []byte, at int64) (n int, err error) {
	done, fault := e.files.machine.fault()
	if e.files.machine.wasOff {
		return 0, fault
	}
	if fault != nil && !done {
		b = b[:e.files.machine.rng.IntN(len(b))]
	}
	e.inode.write(b, int(at))
	n, err = e.editable.WriteAt(b, at)
	return n, errors.Join(fault, err)
}

// Truncate is durable with the next fsync; the bytes that it takes may stay on the disk until then.
func (e *crashEdit) Truncate(size int64) error {
	return e.files.act(func() error {
		e.inode.data = e.inode.data[:size:size]
		return e.editable.Truncate(size)
	})
}

func (e *crashEdit) Sync() error { return e.files.fsync(e.inode) }

func (e *crashEdit) Close() error {
	_, fault := e.files.machine.fault()
	return errors.Join(fault, e.editable.Close())
}

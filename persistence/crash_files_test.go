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

// crashFiles are the files of the snapshots, on a disk that fails and loses power. The directory shows what a program
// sees; beside it, crashFiles knows what a power loss cannot take: the bytes that were fsynced, and the names whose
// directory was fsynced.
type crashFiles struct {
	machine *machine
	dir     string            // of the snapshots
	now     map[string]*inode // what a program sees, by base name
	durable map[string]*inode // what a power loss leaves for certain
}

// inode is a file, whatever it is called.
type inode struct {
	data   []byte
	synced int  // how many bytes of data no power loss takes
	broken bool // a failed fsync: no later one makes anything durable, whatever it says
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
		left[name] = &inode{data: data, synced: len(data)}
		if err := os.WriteFile(path, data, fileMode); err != nil {
			return err
		}
	}
	c.now, c.durable = left, maps.Clone(left)
	return nil
}

// afterPowerLoss is a file cut anywhere behind what was fsynced, with sectors that were never written.
func (i *inode) afterPowerLoss(rng *rand.Rand) []byte {
	const sector = 512
	data := bytes.Clone(i.data[:i.synced+rng.IntN(len(i.data)-i.synced+1)])
	for at := i.synced; at < len(data); at = (at/sector + 1) * sector {
		if rng.IntN(3) == 0 {
			clear(data[at:min(len(data), (at/sector+1)*sector)])
		}
	}
	return data
}

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
	o.inode.data = append(o.inode.data, b...)
	f, err := os.OpenFile(o.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return 0, err
	}
	n, err = f.Write(b)
	return n, errors.Join(fault, err, f.Close())
}

func (o *crashOutput) Sync() error {
	done, fault := o.files.machine.fault()
	if !o.inode.broken && (fault == nil || done) {
		o.inode.synced = len(o.inode.data)
	}
	o.inode.broken = o.inode.broken || fault != nil
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

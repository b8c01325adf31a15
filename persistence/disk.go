package persistence

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
)

// spaceEvery is how often a Space asks the file system.
const spaceEvery = 100 * time.Millisecond

// Space watches the free space of a file system, so that writes are refused before one of them fails. It may be shared.
type Space struct {
	dir   string
	least uint64
	free  func(dir string) (uint64, error)
	due   atomic.Int64 // when to ask again, in nanoseconds since 1970
	low   atomic.Bool
}

// NewSpace watches the file system of a directory, which must exist; fewer than least bytes are too few.
func NewSpace(dir string, least uint64) (*Space, error) {
	if _, err := freeBytes(dir); err != nil {
		return nil, fmt.Errorf("look for free space: %w", err)
	}
	return &Space{dir: dir, least: least, free: freeBytes}, nil
}

// Low says whether less is free than there should be. When the file system cannot be asked, it says what it said before.
func (s *Space) Low() bool {
	now, due := time.Now().UnixNano(), s.due.Load()
	if now < due || !s.due.CompareAndSwap(due, now+int64(spaceEvery)) {
		return s.low.Load() // just asked, or somebody else is asking
	}
	if free, err := s.free(s.dir); err == nil {
		s.low.Store(free < s.least)
	}
	return s.low.Load()
}

// freeBytes is what a process without privileges may still write.
func freeBytes(dir string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

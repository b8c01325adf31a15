package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine names what was measured on.
func (w *workplace) machine() string {
	return fmt.Sprintf("%s, %d cores, Linux %s, %s, data on %s", cpuModel(), runtime.NumCPU(), kernel(), runtime.Version(), fileSystem(w.dir))
}

func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "of unknown release"
	}
	return strings.TrimSpace(string(release))
}

// fileSystem matters: on one that is in memory, durable means nothing.
func fileSystem(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return "an unknown file system"
	}
	switch s.Type {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	case unix.TMPFS_MAGIC:
		return "tmpfs, WHERE FSYNC IS FREE"
	}
	return fmt.Sprintf("file system %#x", s.Type)
}

// fdatasync is the median time of a 4 KiB append with fdatasync, in milliseconds: what a commit cannot go below.
func (w *workplace) fdatasync() (float64, error) {
	const times = 200
	f, err := os.Create(filepath.Join(w.dir, "fdatasync"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }() // the figure is what counts
	block := make([]byte, 4<<10)
	took := make([]float64, times)
	for i := range took {
		begin := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		took[i] = time.Since(begin).Seconds() * 1e3
	}
	return median(took), nil
}

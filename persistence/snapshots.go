package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"minicrm/domain"
)

// The names within a data directory.
const (
	journalDir      = "journal"
	snapshotsDir    = "snapshots"
	snapshotSuffix  = ".snap"
	temporarySuffix = ".tmp"
	indexDigits     = 20
)

// SnapshotFile is a snapshot as a file: nothing but its name was looked at.
type SnapshotFile struct {
	Path  string
	Index uint64 // of the last record that it has
	Bytes int64
	Taken time.Time
}

// SnapshotInfo says what a snapshot has, and what it took to write or read it.
type SnapshotInfo struct {
	SnapshotFile
	Entry     uint64 // of the log, the one that has the record Index last
	Operators int
	Sources   int
	Leads     int
	Contacts  int
	Duration  time.Duration
}

// LogValue is the snapshot in a log line.
func (i SnapshotInfo) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("file", i.Path), slog.Uint64("index", i.Index), slog.Uint64("entry", i.Entry),
		slog.Int64("bytes", i.Bytes), slog.Duration("took", i.Duration), slog.Int("operators", i.Operators),
		slog.Int("sources", i.Sources), slog.Int("leads", i.Leads), slog.Int("contacts", i.Contacts),
	)
}

func snapshotPath(dir string, index uint64) string {
	return filepath.Join(dir, snapshotsDir, fmt.Sprintf("%0*d%s", indexDigits, index, snapshotSuffix))
}

// Snapshots lists the snapshots of a data directory, the oldest first. It opens none of them, and needs no Store. A
// directory without snapshots is no error.
func Snapshots(dir string) ([]SnapshotFile, error) {
	entries, err := os.ReadDir(filepath.Join(dir, snapshotsDir)) // sorted by name, so by index
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the snapshots: %w", err)
	}
	var files []SnapshotFile
	for _, e := range entries {
		digits, isSnapshot := strings.CutSuffix(e.Name(), snapshotSuffix)
		index, err := strconv.ParseUint(digits, 10, 64)
		if !isSnapshot || len(digits) != indexDigits || err != nil {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // a newer one has replaced it just now
		}
		if err != nil {
			return nil, fmt.Errorf("list the snapshots: %w", err)
		}
		files = append(files, SnapshotFile{snapshotPath(dir, index), index, info.Size(), info.ModTime()})
	}
	return files, nil
}

// ReadSnapshot reads and checks a whole snapshot, without a Store, and also while one is running.
func ReadSnapshot(path string) (*domain.Catalog, SnapshotInfo, error) {
	return loadSnapshot(realFiles{}, SnapshotFile{Path: path}, func(int64) {})
}

// loadSnapshot reads a snapshot from a file, whose name must be right about its index.
func loadSnapshot(d files, file SnapshotFile, read func(bytes int64)) (*domain.Catalog, SnapshotInfo, error) {
	start := time.Now()
	info := SnapshotInfo{SnapshotFile: file}
	input, size, err := d.open(file.Path)
	if err != nil {
		return nil, info, fmt.Errorf("open the snapshot: %w", err)
	}
	defer func() { _ = input.Close() }() // it was only read
	catalog, h, err := readSnapshot(input, size, read)
	if err != nil {
		return nil, info, fmt.Errorf("snapshot %s: %w", file.Path, err)
	}
	info.describe(h)
	if name := filepath.Base(snapshotPath("", info.Index)); filepath.Base(file.Path) != name {
		return nil, info, fmt.Errorf("snapshot %s: %w", file.Path, damaged("by what it has its name should be %s", name))
	}
	info.Bytes, info.Duration = size, time.Since(start)
	return catalog, info, nil
}

func (i *SnapshotInfo) describe(h snapshotHeader) {
	i.Index, i.Entry = h.progress.Index, h.entry
	i.Operators, i.Sources, i.Leads, i.Contacts = h.counts.operators, h.counts.sources, h.counts.leads, h.counts.contacts
}

package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"minicrm/domain"
	"minicrm/persistence/wal"
)

// The ways in for tools that look at a data directory without opening it.

// ErrNoJournal says that a directory is not a data directory.
var ErrNoJournal = errors.New("there is no journal in it; a data directory is what serve has as --data")

// JournalDir is where a data directory has its journal, and an error if it has none.
func JournalDir(dir string) (string, error) {
	path := filepath.Join(dir, journalDir)
	info, err := os.Stat(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	case err != nil || !info.IsDir():
		return "", fmt.Errorf("%s: %w", dir, ErrNoJournal)
	}
	return path, nil
}

// Lock keeps every Store out of a data directory until unlock is called. It refuses with ErrLocked of persistence/wal
// while somebody has it.
func Lock(dir string) (unlock func() error, err error) {
	journal, err := JournalDir(dir)
	if err != nil {
		return nil, err
	}
	lock, err := wal.Lock(journal)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory %s: %w", dir, err)
	}
	return lock.Unlock, nil
}

// Group is what one entry of the log holds: records that became durable together.
type Group struct {
	File    string // the segment
	Offset  int64  // of the entry in it
	Entry   uint64
	First   uint64 // index of the first record
	Records []domain.Record
}

// Inspect calls fn for each group of the journal in a data directory, in order, and stops at the first error. It checks
// what a start checks, frames, bytes and that no record is missing or repeated, but takes no lock and changes nothing:
// what it may meet on a live directory, and its errors, are those of wal.Walk. The first group need not have record 1.
func Inspect(dir string, fn func(Group) error) error {
	journal, err := JournalDir(dir)
	if err != nil {
		return err
	}
	next := uint64(0) // 0 = any will do
	return wal.Walk(journal, func(e wal.Entry) error {
		g := Group{File: e.File, Offset: e.Offset, Entry: e.Index}
		if g.First, g.Records, err = readGroup(e.Payload); err != nil {
			return fmt.Errorf("%s: offset %d: %w", e.File, e.Offset, err)
		}
		if e.Index == 1 {
			next = 1
		}
		if next != 0 && g.First != next {
			return fmt.Errorf("%s: offset %d: it begins with record %d instead of %d: records are missing or repeated",
				e.File, e.Offset, g.First, next)
		}
		next = g.First + uint64(len(g.Records))
		return fn(g)
	})
}

// oldestRecord is the index of the first record that a journal has, or next if it has none.
func oldestRecord(dir string, next uint64) (uint64, error) {
	found := errors.New("found")
	err := Inspect(dir, func(g Group) error {
		next = g.First
		return found
	})
	if errors.Is(err, found) {
		err = nil
	}
	return next, err
}

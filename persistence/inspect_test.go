package persistence

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"minicrm/domain"
	"minicrm/persistence/wal"
)

// Catches: a tool that sees other records, indexes or places than a start does, also while a store is open.
func TestInspect(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, rand.New(rand.NewPCG(1, 2)), Options{SegmentSize: 4 << 10})
	for range 60 {
		r.work(t, 10)
	}
	c := domain.NewCatalog()
	files := map[string]bool{}
	entries := uint64(0)
	err := Inspect(dir, func(g Group) error {
		entries++
		files[g.File] = true
		if g.First != c.Index()+1 || g.Entry != entries {
			return fmt.Errorf("entry %d begins with record %d", g.Entry, g.First)
		}
		for _, record := range g.Records {
			if err := c.Apply(record); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Same(r.catalog); err != nil {
		t.Error(err)
	}
	if entries != r.Entry() || len(files) < 3 {
		t.Errorf("%d entries in %d files, want %d", entries, len(files), r.Entry())
	}
}

// Catches: a journal with records missing between two groups, or before the first, or undecodable, that a tool passes.
func TestInspectRefuses(t *testing.T) {
	some := domain.Record{At: 1, Events: []domain.Event{&domain.LeadCreated{ID: 1, Email: "a@b.example"}}}
	payload := func(first uint64) []byte {
		var g group
		g.add(first, some)
		return g.payload()
	}
	for name, payloads := range map[string][][]byte{
		"gap":         {payload(1), payload(3)},
		"begins late": {payload(2)},
		"no group":    {payload(1), []byte("\x01nonsense")},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log, err := wal.Open(filepath.Join(dir, journalDir), wal.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = log.Close() }() // it was only read since
			for _, p := range payloads {
				if _, err := log.Append(p); err != nil {
					t.Fatal(err)
				}
			}
			var got [][]domain.Record
			err = Inspect(dir, func(g Group) error { got = append(got, g.Records); return nil })
			if err == nil {
				t.Error("no error")
			}
			if len(got) != len(payloads)-1 || len(got) > 0 && !reflect.DeepEqual(got[0], []domain.Record{some}) {
				t.Errorf("got %+v", got)
			}
		})
	}
	if err := Inspect(t.TempDir(), func(Group) error { return nil }); !errors.Is(err, ErrNoJournal) {
		t.Errorf("an empty directory: %v", err)
	}
}

// Catches: a lock on another file than the log's.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	if _, err := Lock(dir); !errors.Is(err, ErrNoJournal) {
		t.Errorf("an empty directory: %v", err)
	}
	store, err := OpenStore(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); !errors.Is(err, wal.ErrLocked) {
		t.Errorf("while a store is open: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(dir, Options{}); !errors.Is(err, wal.ErrLocked) {
		t.Errorf("open while locked: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if store, err = OpenStore(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, journalDir, "LOCK")); err != nil {
		t.Error(err)
	}
}

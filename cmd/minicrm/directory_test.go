package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"minicrm/domain"
	"minicrm/persistence"
)

// directory is a data directory that a test writes itself, without a server.
type directory struct {
	t       *testing.T
	path    string
	store   *persistence.Store
	catalog *domain.Catalog
	leads   domain.LeadID
}

// memoryDir is a directory in memory, where the system has one: fsync is what takes the time of these tests, and none of
// them loses power.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "minicrm-test")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // the system cleans up what this leaves
	return dir
}

// newDirectory has an operator with so many seats, a source, and a link between them.
func newDirectory(t *testing.T, seats int) *directory {
	t.Helper()
	d := &directory{t: t, path: memoryDir(t)}
	var err error
	d.store, err = persistence.OpenStore(d.path, persistence.Options{SegmentSize: 2 << 10})
	check(t, err)
	t.Cleanup(d.close)
	d.catalog, err = d.store.Recover(nil)
	check(t, err)
	d.commit(
		&domain.OperatorCreated{ID: 1, Name: "op", Active: true, MaxLoad: seats},
		&domain.SourceCreated{ID: 1, Name: "source", Backlog: domain.BacklogAuto},
		&domain.LinkSet{Source: 1, Operator: 1, Weight: 1},
	)
	return d
}

func (d *directory) close() { check(d.t, d.store.Close()) }

// add journals a record, as a program with a bug might do it, too.
func (d *directory) add(events ...domain.Event) {
	d.store.Add(domain.Record{At: 1_700_000_000_000_000, Events: events})
	check(d.t, d.store.Commit())
}

func (d *directory) commit(events ...domain.Event) {
	d.t.Helper()
	d.add(events...)
	check(d.t, d.catalog.Apply(domain.Record{At: 1_700_000_000_000_000, Events: events}))
}

// contacts makes n new leads with a contact each, which the operator gets.
func (d *directory) contacts(n int) *directory {
	d.t.Helper()
	for range n {
		d.leads++
		d.commit(&domain.LeadCreated{ID: d.leads, Email: fmt.Sprintf("%d@example.com", d.leads), Name: "Eve"})
		d.commit(d.contact()...)
	}
	return d
}

// contact is one of the last lead, with its assignment.
func (d *directory) contact() []domain.Event {
	id := domain.ContactID(d.leads)
	return []domain.Event{
		&domain.ContactCreated{ID: id, Source: 1, Lead: d.leads, Text: "hello"},
		&domain.ContactAssigned{ID: id, Source: 1, Operator: 1, How: domain.Automatic, Among: domain.Among{Kind: domain.Alone}},
	}
}

func (d *directory) snapshot() *directory { return d.snapshotOf(d.store.Entry()) }

func (d *directory) snapshotOf(entry uint64) *directory {
	d.t.Helper()
	_, err := d.store.WriteSnapshot(d.t.Context(), d.catalog.Freeze(), entry)
	check(d.t, err)
	return d
}

func (d *directory) segments() []string  { return files(d.t, d.path, "journal", "[0-9]*") }
func (d *directory) snapshots() []string { return files(d.t, d.path, "snapshots", "*.snap") }

// files are sorted by name.
func files(t *testing.T, dir ...string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir...))
	check(t, err)
	return all
}

// change writes a file anew.
func change(t *testing.T, path string, with func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	check(t, err)
	check(t, os.WriteFile(path, with(b), 0o600))
}

func flip(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

// tear leaves the last record without its end.
func tear(b []byte) []byte {
	b = withoutRoom(b)
	return b[:len(b)-3]
}

// withoutRoom cuts off the zeros that a killed server leaves behind its last record, which does not end in zeros.
func withoutRoom(b []byte) []byte { return bytes.TrimRight(b, "\x00") }

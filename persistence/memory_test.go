package persistence

import (
	"errors"
	"flag"
	"runtime"
	"strings"
	"testing"

	"minicrm/domain"
)

// TestMemory prints what a contact costs, its text and the leads apart. Rerun with -recover.memory.
func TestMemory(t *testing.T) {
	if !*measureMemory {
		t.Skip("without -recover.memory")
	}
	dir := memoryDir(t)
	largeSnapshot(t, dir, *millions)
	leads := heap(func() any {
		c := domain.NewCatalog()
		for _, r := range (&large{}).base(*millions / 10) {
			must(t, c.Apply(r))
		}
		return c
	})
	texts := heap(func() any {
		all := make([]string, *millions)
		for i := range all {
			all[i] = strings.Clone("Hello, I would like to know whether number 123456 is in stock."[:62])
		}
		return all
	}) - int64(*millions)*16
	all := heap(func() any {
		s, err := OpenStore(dir, Options{})
		must(t, err)
		c, err := s.Recover(nil)
		must(t, errors.Join(err, s.Close()))
		return c
	})
	n := int64(*millions)
	t.Logf("%d contacts: %d bytes each, with %d of text each and %d leads of %d", n, (all-leads-texts)/n, texts/n, n/10, leads/(n/10))
}

var measureMemory = flag.Bool("recover.memory", false, "measure memory after a recovery")

// heap is how much memory lives after fn because of what it returns.
func heap(fn func() any) int64 {
	live := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	kept := fn()
	after := live()
	runtime.KeepAlive(kept)
	return after - before
}

// TestKeyCost prints what an idempotency key costs: in memory, in the journal and in a snapshot, as the difference between
// two states that differ in nothing else. Rerun with -recover.memory.
func TestKeyCost(t *testing.T) {
	if !*measureMemory {
		t.Skip("without -recover.memory")
	}
	measure := func(keys bool) (memory, journal, snapshot int64) {
		var g group
		memory = heap(func() any {
			c := domain.NewCatalog()
			(&large{keys: keys}).records(*millions, func(r domain.Record) {
				g.clear()
				journal += int64(g.add(1, r))
				must(t, c.Apply(r))
			})
			snapshot = int64(len(writtenSnapshot(t, c)))
			return c
		})
		return memory, journal, snapshot
	}
	memory, journal, snapshot := measure(false)
	memoryWith, journalWith, snapshotWith := measure(true)
	n := int64(*millions)
	t.Logf("a key of %d takes %d bytes of memory, %d of the journal and %d of a snapshot",
		n, (memoryWith-memory)/n, (journalWith-journal)/n, (snapshotWith-snapshot)/n)
}

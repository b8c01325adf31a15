package domain

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
)

// BenchmarkDecision is one pick and charge among k operators over a set that stays the same.
func BenchmarkDecision(b *testing.B) {
	for _, k := range []int{8, 64, 1000} {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			weights := make([]int64, k)
			for i := range weights {
				weights[i] = int64(1 + i*7919%1000)
			}
			l := ledgerOf(weights...)
			set := everybody(l)
			decide(l, set) // the plan of the set is made once
			b.ReportAllocs()
			for b.Loop() {
				decide(l, set)
			}
		})
	}
}

// Catches a decision that allocates, also one whose set changes from one to the next, and a sticky one.
func TestDecisionsAllocateNothing(t *testing.T) {
	l := ledgerOf(1, 2, 3, 4, 5, 6, 7)
	sets := []Rows{everybody(l), rowsOf(l, 1, 2, 5), rowsOf(l, 7)}
	for _, set := range sets {
		decide(l, set)
	}
	n := 0
	if allocs := testing.AllocsPerRun(1000, func() {
		set := sets[n%len(sets)]
		n++
		decide(l, set)
		if row := l.Pick(set); l.Bearable(set, row) {
			l.Charge(set, row, Sticky)
		}
	}); allocs != 0 {
		t.Errorf("%.1f allocations", allocs)
	}
}

// BenchmarkKeys is what the memory of a key is, when as many are remembered as by default.
func BenchmarkKeys(b *testing.B) {
	for b.Loop() {
		k := newKeyring()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for n := range uint64(DefaultMaxKeys) {
			var use KeyUse
			binary.LittleEndian.PutUint64(use.Digest[:], n*0x9E3779B97F4A7C15)
			k.add(use)
			k.forget(0)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/DefaultMaxKeys, "B/key")
		runtime.KeepAlive(k)
	}
}

// benchFloor is a desk with 12 operators of mixed weights, and a floor that forgets its records.
func benchFloor() *Desk {
	floor := NewFloor(func(Record) {}, func(error) {})
	desk := NewDesk(Source{ID: 1, Backlog: BacklogAuto}, floor.For(1))
	for i := range 12 {
		op := OperatorID(i + 1)
		floor.Seat(NewSeating(Operator{ID: op, Active: true, MaxLoad: 5}, floor.Shown()))
		desk.Link(op, int64(1+i%4), 1)
	}
	return desk
}

// BenchmarkDeskCreate is a contact that is dispatched, and one that is closed: a desk's whole work for a contact.
func BenchmarkDeskCreate(b *testing.B) {
	desk := benchFloor()
	const held = 30 // half of the seats
	id := ContactID(0)
	number := func() ContactID { id++; return id }
	b.ReportAllocs()
	for b.Loop() {
		desk.Create(&ContactCreated{Source: 1, Lead: 1}, number, 0, 1)
		if id > held {
			desk.Close(id-held, "", 1)
		}
	}
}

// benchCatalog has 3 sources, 12 operators linked to all of them, and 1,000 leads.
func benchCatalog(b *testing.B) *Catalog {
	c := NewCatalog()
	for op := range OperatorID(12) {
		apply(b, c, 1, &OperatorCreated{ID: op + 1, Active: true, MaxLoad: 1_000})
	}
	for source := range SourceID(3) {
		apply(b, c, 1, &SourceCreated{ID: source + 1, Backlog: BacklogAuto})
		for op := range OperatorID(12) {
			apply(b, c, 1, &LinkSet{Source: source + 1, Operator: op + 1, Weight: int64(op%4) + 1})
		}
	}
	for lead := range LeadID(1_000) {
		apply(b, c, 1, &LeadCreated{ID: lead + 1, Email: fmt.Sprint(lead, "@example.com")})
	}
	return c
}

// life commits a contact's creation with its assignment, in one record, and then the close of an earlier one.
func life(b *testing.B, c *Catalog, id ContactID) {
	source := SourceID(id%3 + 1)
	l := &c.sources[source].ledger
	all := everybody(l)
	op := l.rows[l.Pick(all)].Operator
	apply(b, c, Time(id), &ContactCreated{ID: id, Source: source, Lead: LeadID(id%1_000 + 1), Text: "hello"},
		&ContactAssigned{ID: id, Source: source, Operator: op, How: Automatic, Among: l.Among(all)})
	const held = 300
	if old, _ := c.Contact(id - held); old.ID != 0 {
		apply(b, c, Time(id), &ContactClosed{ID: old.ID, Source: old.Source, Operator: old.Operator})
	}
}

// BenchmarkCatalogApply is two records, three events: create and assign, close.
func BenchmarkCatalogApply(b *testing.B) {
	c := benchCatalog(b)
	id := ContactID(0)
	b.ReportAllocs()
	for b.Loop() {
		id++
		life(b, c, id)
	}
}

// BenchmarkCatalogList is a page of 50 in the middle of 1,000,000 contacts, under filters that many, few and nearly no
// contacts pass.
func BenchmarkCatalogList(b *testing.B) {
	c := benchCatalog(b)
	for id := range ContactID(1_000_000) {
		life(b, c, id+1)
	}
	for _, f := range []ContactFilter{
		{},
		{Status: StatusAssigned},
		{Status: StatusOpen}, // none
		{Status: StatusClosed, Source: 2},
		{Status: StatusClosed, Source: 2, Operator: 3},
		{Status: StatusAssigned, Source: 3, Operator: 4},
		{Status: StatusClosed, Source: 2, Operator: 3, Lead: 500}, // nearly none
	} {
		b.Run(fmt.Sprintf("status=%d,source=%d,operator=%d,lead=%d", f.Status, f.Source, f.Operator, f.Lead), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Contacts(f, 500_000, 50)
			}
		})
	}
}

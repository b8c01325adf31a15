package domain

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// BenchmarkCollect is what one garbage collection costs, and what memory is in use, with 2,000,000 contacts of 500,000
// leads. Run it with GOMAXPROCS=1: the mark's processor time is then the clock's.
func BenchmarkCollect(b *testing.B) {
	const leads, contacts = 500_000, 2_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	c := fullCatalog(b, leads, contacts)
	built := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		runtime.GC()
	}
	b.ReportMetric(float64(built.Nanoseconds())/contacts, "ns/contact")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
	b.ReportMetric(float64(after.HeapInuse-before.HeapInuse)/1e6, "MB-in-use")
	b.ReportMetric(float64(after.HeapObjects-before.HeapObjects), "objects")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/contacts, "B/contact")
	runtime.KeepAlive(c)
}

// Catches memory that the catalog has once for each contact or lead, beside the pages: an object that each garbage
// collection looks at. The pages and the indexes have some for many.
func TestContactsAreNoObjects(t *testing.T) {
	const leads, contacts = 5_000, 20_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := fullCatalog(t, leads, contacts)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n := after.HeapObjects - before.HeapObjects; n > contacts*6/10 {
		t.Errorf("%d contacts and %d leads are %d objects", contacts, leads, n)
	}
	runtime.KeepAlive(c)
}

// fullCatalog has 200 sources, 2,000 operators, ten of them linked to each source, and contacts that all are assigned
// and, but for the last ones, closed. What people wrote is about 60 bytes a contact.
func fullCatalog(t testing.TB, leads, contacts int) *Catalog {
	const sources, operators, held = 200, 2000, 10_000
	rng := rand.New(rand.NewPCG(1, 2))
	c := NewCatalog()
	for op := range OperatorID(operators) {
		apply(t, c, 1, &OperatorCreated{ID: op + 1, Name: fmt.Sprint("operator ", op), Active: true, MaxLoad: 1_000})
	}
	for s := range SourceID(sources) {
		apply(t, c, 1, &SourceCreated{ID: s + 1, Name: fmt.Sprint("source ", s), Backlog: BacklogAuto})
		for i := range OperatorID(10) {
			apply(t, c, 1, &LinkSet{Source: s + 1, Operator: OperatorID(s)*10 + i + 1, Weight: 1})
		}
	}
	for id := range ContactID(contacts) {
		id++
		lead := LeadID(rng.IntN(leads) + 1)
		if next := LeadID(c.leadCount + 1); int64(next-1)*int64(contacts) < int64(id)*int64(leads) {
			apply(t, c, Time(id), &LeadCreated{
				ID: next, Email: fmt.Sprint("customer", next, "@mail.example.com"), Name: fmt.Sprint("Customer Number ", next), Phone: fmt.Sprint("+49 170 ", next),
			})
			lead = next
		}
		lead = min(lead, LeadID(c.leadCount))
		source := SourceID(rng.IntN(sources) + 1)
		l := &c.sources[source].ledger
		set := everybody(l)
		if row := rng.IntN(20); row < 10 {
			set.Remove(row)
		}
		op := l.rows[l.Pick(set)].Operator
		text := fmt.Sprint("Good morning, my order ", id, " has not arrived. Please help.", "!!!!!!!"[:id%8])
		apply(t, c, Time(id), &ContactCreated{ID: id, Source: source, Lead: lead, Text: text},
			&ContactAssigned{ID: id, Source: source, Operator: op, How: Automatic, Among: l.Among(set)})
		if old, _ := c.Contact(id - held); old.ID != 0 {
			apply(t, c, Time(id), &ContactClosed{ID: old.ID, Source: old.Source, Operator: old.Operator, Reason: "solved"[:6*(id%2)]})
		}
	}
	return c
}

package persistence

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"minicrm/domain"
)

// The large state that the benchmarks recover: sources with 12 operators each, many contacts, each created and assigned
// in one record, in groups of 50; a tenth as many leads. In the snapshot all but the newest contacts are closed, as they
// are in a house that works; the journal is that of the assignments alone, a record a contact.
const (
	benchContacts  = 1_000_000
	benchSources   = 3
	benchOperators = 12 // a source
	benchGroup     = 50
	benchLive      = 300
)

// large makes the records of a large state one after the other.
type large struct {
	keys    bool // each contact has one
	rng     *rand.Rand
	ledgers [benchSources]domain.Ledger
	all     domain.Rows
}

// base are the records without contacts: operators, sources, links and leads.
func (l *large) base(leads int) (records []domain.Record) {
	l.rng, l.all = rand.New(rand.NewPCG(1, 2)), domain.Rows{1<<benchOperators - 1}
	one := func(e domain.Event) {
		records = append(records, domain.Record{At: 1_764_000_000_000_000, Events: []domain.Event{e}})
	}
	for op := range domain.OperatorID(benchSources * benchOperators) {
		one(&domain.OperatorCreated{ID: op + 1, Name: fmt.Sprint("operator ", op+1), Active: true, MaxLoad: 1000})
	}
	for s := range domain.SourceID(benchSources) {
		one(&domain.SourceCreated{ID: s + 1, Name: fmt.Sprint("source ", s+1), Backlog: domain.BacklogAuto})
		for i := range domain.OperatorID(benchOperators) {
			op := domain.OperatorID(s)*benchOperators + i + 1
			one(&domain.LinkSet{Source: s + 1, Operator: op, Weight: int64(i%4) + 1})
			l.ledgers[s].Set(op, int64(i%4)+1)
		}
	}
	for lead := range leads {
		one(&domain.LeadCreated{
			ID: domain.LeadID(lead + 1), Email: fmt.Sprintf("customer.%d@example.com", lead+1), Name: "Ann Lee", Phone: "+7 900 1234567",
		})
	}
	return records
}

// contact is the record of a contact with its assignment.
func (l *large) contact(id domain.ContactID, leads int) domain.Record {
	source := domain.SourceID(id%benchSources) + 1
	ledger := &l.ledgers[source-1]
	row := ledger.Pick(l.all)
	among := ledger.Among(l.all)
	ledger.Charge(l.all, row, domain.Automatic)
	n := domain.NewContact{Source: source, Text: fmt.Sprintf("Hello, I would like to know whether number %d is in stock.", l.rng.IntN(1_000_000))}
	if l.keys {
		n.Key = fmt.Sprint("key ", id)
	}
	return domain.Record{At: domain.Time(1_764_000_000_000_000 + int64(id)*997), Events: []domain.Event{
		&domain.ContactCreated{ID: id, Source: source, Lead: domain.LeadID(l.rng.IntN(leads) + 1), Text: n.Text, Key: n.Identity()},
		&domain.ContactAssigned{
			ID: id, Source: source, Operator: ledger.Links()[row].Operator, How: domain.Automatic, Among: among,
		},
	}}
}

// records hands out all records of a large state.
func (l *large) records(contacts int, fn func(domain.Record)) {
	leads := max(1, contacts/10)
	for _, r := range l.base(leads) {
		fn(r)
	}
	for id := range domain.ContactID(contacts) {
		fn(l.contact(id+1, leads))
	}
}

// largeJournal writes the journal of a large state into a data directory.
func largeJournal(tb testing.TB, dir string, contacts int) {
	tb.Helper()
	s := openEmpty(tb, dir)
	added := 0
	(&large{}).records(contacts, func(r domain.Record) {
		s.Add(r)
		if added++; added%benchGroup == 0 {
			must(tb, s.Commit())
		}
	})
	must(tb, errors.Join(s.Commit(), s.Close()))
}

// largeCatalog is a large state in which all but the newest contacts are closed.
func largeCatalog(tb testing.TB, contacts int) *domain.Catalog {
	tb.Helper()
	c := domain.NewCatalog()
	(&large{}).records(contacts, func(r domain.Record) { must(tb, c.Apply(r)) })
	for id := range domain.ContactID(max(0, contacts-benchLive)) {
		n, _ := c.Contact(id + 1)
		must(tb, c.Apply(domain.Record{At: n.AssignedAt + 600_000_000, Events: []domain.Event{
			&domain.ContactClosed{ID: n.ID, Source: n.Source, Operator: n.Operator},
		}}))
	}
	return c
}

// largeSnapshot writes the snapshot of a large state into a data directory. Its journal is one record that stands for
// all those that the snapshot has.
func largeSnapshot(tb testing.TB, dir string, contacts int) {
	tb.Helper()
	s := openEmpty(tb, dir)
	s.Add(someRecord(1))
	must(tb, s.Commit())
	_, err := s.WriteSnapshot(context.Background(), largeCatalog(tb, contacts).Freeze(), s.Entry())
	must(tb, errors.Join(err, s.Close()))
}

func openEmpty(tb testing.TB, dir string) *Store {
	tb.Helper()
	s, err := OpenStore(dir, Options{})
	must(tb, err)
	_, err = s.Recover(nil)
	must(tb, err)
	return s
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkRecoverSnapshot(b *testing.B) { benchmarkRecover(b, largeSnapshot) }
func BenchmarkRecoverJournal(b *testing.B)  { benchmarkRecover(b, largeJournal) }

// benchmarkRecover recovers from a data directory in memory.
func benchmarkRecover(b *testing.B, write func(testing.TB, string, int)) {
	for _, contacts := range contactCounts() {
		b.Run(fmt.Sprint("contacts=", contacts), func(b *testing.B) {
			dir := memoryDir(b)
			write(b, dir, contacts)
			b.ReportAllocs()
			b.ResetTimer()
			var cpu time.Duration
			for range b.N {
				b.StopTimer()
				runtime.GC() // what the one before has left
				s, err := OpenStore(dir, Options{})
				must(b, err)
				before := cpuTime(b)
				b.StartTimer()
				_, err = s.Recover(nil)
				b.StopTimer()
				cpu += cpuTime(b) - before
				must(b, errors.Join(err, s.Close()))
			}
			b.ReportMetric(float64(b.N*contacts)/b.Elapsed().Seconds(), "contacts/s")
			b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N*contacts), "cpu-ns/contact")
		})
	}
}

// cpuTime is what the process has used of all processors: it does not depend on what else the machine does.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	must(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var millions = flag.Int("recover.contacts", 1_000_000, "how many contacts the benchmarks of recovery have")

func contactCounts() []int { return []int{*millions} }

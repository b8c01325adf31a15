package actors

import (
	"context"
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// metricsOfOneContact is all that the metrics do on the way of a new contact that is assigned at once, and nothing else. It is
// told which contact this is.
func metricsOfOneContact() func(n int) {
	r := prometheus.NewRegistry()
	m := newMetrics(r, Labels{Source: true, Operator: true}, func() domain.Time { return 2_000 })
	boxes := newTraffic(r)
	committed := domain.NewCatalog()
	at := domain.Time(1)
	c := &commit{command: command{Stamp: domain.Stamp{At: at, Request: "0123456789abcdef"}, made: 1}}
	c.record = domain.Record{At: at, Events: []domain.Event{
		&domain.ContactCreated{ID: 1, Source: 1, Lead: 1},
		&domain.ContactAssigned{ID: 1, Source: 1, Operator: 1, How: domain.Automatic},
	}}
	return func(n int) {
		for _, kind := range []string{kindLeads, kindSource, kindJournal} {
			boxes[kind].send()
			boxes[kind].handle()
		}
		start := m.start()
		m.decided(start)
		m.settled(c, committed, m.time()+domain.Time(n%100_000))
	}
}

// What the metrics cost a new contact.
func BenchmarkMetricsOfOneContact(b *testing.B) {
	one := metricsOfOneContact()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		one(n)
	}
}

// Catches: a label that is looked up, or made, for each contact. Exemplars and new native buckets cost allocations, which are
// rare, and which the average rounds down.
func TestMetricsAllocateNothing(t *testing.T) {
	one := metricsOfOneContact()
	n := 0
	if allocs := testing.AllocsPerRun(10_000, func() { n++; one(n) }); allocs != 0 {
		t.Errorf("%v allocations a contact", allocs)
	}
}

// A dispatcher with a journal in memory, with metrics and without.
func BenchmarkDispatcherMetrics(b *testing.B) {
	for _, on := range []bool{false, true} {
		b.Run(fmt.Sprintf("metrics=%v", on), func(b *testing.B) {
			o := options(&memoryJournal{})
			if on {
				o.Registerer, o.Labels = prometheus.NewRegistry(), Labels{Source: true, Operator: true}
			}
			d, _ := startWith(b, o)
			furnish(b, d, 4, 20, 1000)
			post, id := poster(d)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				post(b, id)
			}
		})
	}
}

// poster posts a contact and closes it.
func poster(d *Dispatcher) (func(b *testing.B, source int), int) {
	return func(b *testing.B, source int) {
		c, _, err := d.CreateContact(context.Background(),
			domain.NewContact{Source: domain.SourceID(source), Email: "a@example.com"}, domain.Stamp{At: 2, Request: "r"})
		if err == nil {
			_, err = d.CloseContact(context.Background(), c.ID, "", domain.Stamp{At: 3})
		}
		if err != nil {
			b.Fatal(err)
		}
	}, 1
}

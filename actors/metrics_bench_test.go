package actors

import (
	"context"
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// What the metrics cost a new contact that is assigned at once: all that they do on its way, and nothing else.
func BenchmarkMetricsOfOneContact(b *testing.B) {
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
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		for _, kind := range []string{kindLeads, kindSource, kindJournal} {
			boxes[kind].send()
			boxes[kind].handle()
		}
		start := m.start()
		m.decided(start)
		m.settled(c, committed, m.time()+domain.Time(n%100_000))
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

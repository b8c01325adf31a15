package httpapi

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// idleHouse answers at once, so that what is measured is the edge.
type idleHouse struct{ *house }

func (idleHouse) CreateContact(_ context.Context, n domain.NewContact, by domain.Stamp) (domain.Contact, bool, error) {
	return idleContact(&n, by.At), false, nil
}

func idleContact(n *domain.NewContact, at domain.Time) domain.Contact {
	return domain.Contact{
		ID: 1, Source: n.Source, Lead: 1, Operator: 1, Status: domain.StatusAssigned, How: domain.Automatic, Text: n.Text, CreatedAt: at, AssignedAt: at,
	}
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) WriteHeader(int)             {}
func (discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkPostContact is the edge's own cost of the hot call: as it is, with keys, and with all that can be switched on.
func BenchmarkPostContact(b *testing.B) {
	keys, err := ParseKeys([]byte("- {name: gateway, role: gateway, sources: [1], sha256: " + HashKey("mcrm_bench") + "}"))
	if err != nil {
		b.Fatal(err)
	}
	guard := Guard{Keys: NewKeyring(keys)}
	b.Run("open", func(b *testing.B) { benchmarkPost(b, Guard{}, nil) })
	b.Run("keys", func(b *testing.B) { benchmarkPost(b, guard, nil) })
	guard.RatePerSecond, guard.RateBurst = 1e12, 1e12
	b.Run("keys, rates, debug log", func(b *testing.B) {
		benchmarkPost(b, guard, slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})))
	})
}

func benchmarkPost(b *testing.B, guard Guard, logger *slog.Logger) {
	e := newEdge(b, func(o *Options) {
		o.Dispatcher, o.Guard = idleHouse{}, guard
		if logger != nil {
			o.Logger = logger
		}
	})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		body := strings.NewReader(post)
		req := e.request("POST", "/v1/contacts", body)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer mcrm_bench")
		w := discard{http.Header{}}
		for pb.Next() {
			body.Reset(post)
			e.handler.ServeHTTP(w, req)
		}
	})
}

func (idleHouse) CreateContacts(_ context.Context, all []domain.NewContact, by domain.Stamp) ([]domain.CreatedContact, error) {
	results := make([]domain.CreatedContact, len(all))
	for i := range all {
		results[i].Contact = idleContact(&all[i], by.At)
	}
	return results, nil
}

// BenchmarkMetricsOfOneCall is what the edge's metrics cost a call.
func BenchmarkMetricsOfOneCall(b *testing.B) {
	m := newMetrics(prometheus.NewRegistry(), new(places).count, new(places).count)
	key := seriesKey{http.MethodPost, "/v1/contacts", http.StatusCreated}
	start := noon
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		took := time.Duration(n%5000) * time.Microsecond
		m.observe(key, "0123456789abcdef", start, took)
		start = start.Add(10 * time.Microsecond)
	}
}

// batchOf is a batch of n contacts, with texts that have escapes and keys.
func batchOf(n int, before, between, after string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"source_id":%d,"email":"lead%d@example.com","name":"Ada L","text":"Where is my order %d?\nThanks","idempotency_key":"k-%d"}`, 1+i%8, i, i, i)
	}
	return before + strings.Join(items, between) + after
}

// BenchmarkBatch is the edge's own cost of a contact in a batch of 10,000, with its decoding alone beside it.
func BenchmarkBatch(b *testing.B) {
	for name, form := range map[string]struct{ body, media string }{
		"array":  {batchOf(maxBatch, "[", ",", "]"), "application/json"},
		"ndjson": {batchOf(maxBatch, "", "\n", "\n"), "application/x-ndjson"},
	} {
		e := newEdge(b, func(o *Options) { o.Dispatcher = idleHouse{} })
		body := strings.NewReader(form.body)
		req := e.request("POST", "/v1/contacts/batch", body)
		req.Header.Set("Content-Type", form.media)
		w := discard{http.Header{}}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				body.Reset(form.body)
				e.handler.ServeHTTP(w, req)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/maxBatch, "ns/contact")
		})
		b.Run(name+", read only", func(b *testing.B) {
			b.ReportAllocs()
			read := newBatch()
			for range b.N {
				body.Reset(form.body)
				if err := read.read(req, &places{limit: maxBodies}); err != nil || len(read.contacts) != maxBatch {
					b.Fatal(err, len(read.contacts))
				}
				read.forget()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/maxBatch, "ns/contact")
		})
	}
}

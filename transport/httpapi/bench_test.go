package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"minicrm/domain"
)

// idleHouse answers at once, so that what is measured is the edge.
type idleHouse struct{ *house }

func (idleHouse) CreateContact(_ context.Context, n domain.NewContact, at domain.Time) (domain.Contact, error) {
	return domain.Contact{
		ID: 1, Source: n.Source, Lead: 1, Operator: 1, Status: domain.StatusAssigned, How: domain.Automatic, Text: n.Text, CreatedAt: at, AssignedAt: at,
	}, nil
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

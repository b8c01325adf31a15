package httpapi

import (
	"context"
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

func BenchmarkPostContact(b *testing.B) {
	e := newEdge(b, func(o *Options) { o.Dispatcher = idleHouse{} })
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		body := strings.NewReader(post)
		req := e.request("POST", "/v1/contacts", body)
		req.Header.Set("Content-Type", "application/json")
		w := discard{http.Header{}}
		for pb.Next() {
			body.Reset(post)
			e.handler.ServeHTTP(w, req)
		}
	})
}

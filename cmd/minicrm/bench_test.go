package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"minicrm/domain"
)

// benchClient sends requests to a handler in process, all in the same memory, so that what is counted is the service's.
type benchClient struct {
	handler http.Handler
	body    strings.Reader
	header  http.Header
	status  int
}

func (c *benchClient) Header() http.Header         { return c.header }
func (c *benchClient) WriteHeader(status int)      { c.status = status }
func (c *benchClient) Write(p []byte) (int, error) { return len(p), nil }

// request is one that can be sent again and again.
func (c *benchClient) request(b *testing.B, method, path, media string) *http.Request {
	r := httptest.NewRequestWithContext(b.Context(), method, path, http.NoBody)
	r.Body = io.NopCloser(&c.body)
	r.Header.Set("Content-Type", media)
	return r
}

func (c *benchClient) send(r *http.Request, body string) (status int) {
	clear(c.header)
	c.body.Reset(body)
	r.ContentLength = int64(len(body))
	c.handler.ServeHTTP(c, r)
	return c.status
}

const mediaJSON, mediaLines = "application/json", "application/x-ndjson"

// benchService is a service without a listener, with 4 sources and 12 operators that all are linked to. It returns a way
// to get clients of it.
func benchService(b *testing.B, tracer trace.Tracer) (client func() *benchClient) {
	s, err := openService(config{
		data: b.TempDir(), maxInFlight: 4096, keyWindow: 24 * time.Hour, maxKeys: domain.DefaultMaxKeys,
		tracer: tracer, logger: slog.New(slog.DiscardHandler), fatal: func(err error) { panic(err) },
	}, newRegistry())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.close(); err != nil {
			b.Error(err)
		}
	})
	client = func() *benchClient { return &benchClient{handler: s.handler, header: http.Header{}} }
	c := client()
	serve := func(method, path, body string) { c.send(c.request(b, method, path, mediaJSON), body) }
	for range 12 {
		serve("POST", "/v1/operators", `{"name":"op","max_load":1000}`)
	}
	for source := range 4 {
		serve("POST", "/v1/sources", `{"name":"source"}`)
		for op := range 12 {
			serve("PUT", fmt.Sprintf("/v1/sources/%d/operators/%d", source+1, op+1), fmt.Sprintf(`{"weight":%d}`, op+1))
		}
	}
	return client
}

// BenchmarkPostContact is POST /v1/contacts through the handler, in process, durable: the whole way but the network, for
// 64 clients. The operators fill after 12,000 contacts; the others wait.
func BenchmarkPostContact(b *testing.B) { benchmarkPosts(b, nil) }

// BenchmarkPostContactTraced is the same without traces, with every hundredth call traced, and with all of them, sent to a
// collector on this machine that throws them away.
func BenchmarkPostContactTraced(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // an end that is missing does not matter here
	}))
	b.Cleanup(collector.Close)
	b.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	b.Run("off", func(b *testing.B) { benchmarkPosts(b, nil) })
	b.Setenv("OTEL_TRACES_SAMPLER", "traceidratio")
	for _, ratio := range []string{"0.01", "1"} {
		b.Setenv("OTEL_TRACES_SAMPLER_ARG", ratio)
		b.Run(ratio, func(b *testing.B) {
			t, err := newTraces(slog.New(slog.DiscardHandler), newRegistry())
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(t.flush)
			benchmarkPosts(b, t.tracer())
		})
	}
}

func benchmarkPosts(b *testing.B, tracer trace.Tracer) {
	client := benchService(b, tracer)
	bodies := make([]string, 5000)
	for i := range bodies {
		bodies[i] = fmt.Sprintf(`{"source_id":%d,"email":"lead%d@example.com","text":"hello"}`, 1+i%4, i)
	}
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		c := client()
		r := c.request(b, "POST", "/v1/contacts", mediaJSON)
		for pb.Next() {
			if code := c.send(r, bodies[n.Add(1)%int64(len(bodies))]); code != http.StatusCreated {
				b.Errorf("status %d", code)
			}
		}
	})
}

// BenchmarkPostBatch is the same in batches of 1,000 contacts as lines, for 4 clients (more would be refused); an operation is one contact.
func BenchmarkPostBatch(b *testing.B) {
	client := benchService(b, nil)
	const size = 1000
	var n atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			c := client()
			r := c.request(b, "POST", "/v1/contacts/batch", mediaLines)
			var body strings.Builder
			for n.Add(size) <= int64(b.N)+size-1 {
				body.Reset()
				for i := range size {
					fmt.Fprintf(&body, `{"source_id":%d,"email":"lead%d@example.com","text":"hello"}`+"\n", 1+i%4, i)
				}
				if code := c.send(r, body.String()); code != http.StatusOK {
					b.Errorf("status %d", code)
				}
			}
		})
	}
	clients.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "contacts/s")
}

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

// benchService is a service without a listener, with 4 sources and 12 operators that all are linked to. It returns a way
// to send requests to it in process.
func benchService(b *testing.B, tracer trace.Tracer) (serve func(method, path, media, body string) int) {
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
	serve = func(method, path, media, body string) int {
		r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(body))
		if media != "" {
			r.Header.Set("Content-Type", media)
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		return w.Code
	}
	for range 12 {
		serve("POST", "/v1/operators", "", `{"name":"op","max_load":1000}`)
	}
	for source := range 4 {
		serve("POST", "/v1/sources", "", `{"name":"source"}`)
		for op := range 12 {
			serve("PUT", fmt.Sprintf("/v1/sources/%d/operators/%d", source+1, op+1), "", fmt.Sprintf(`{"weight":%d}`, op+1))
		}
	}
	return serve
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
	serve := benchService(b, tracer)
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			body := fmt.Sprintf(`{"source_id":%d,"email":"lead%d@example.com","text":"hello"}`, 1+i%4, i%5000)
			if code := serve("POST", "/v1/contacts", "", body); code != http.StatusCreated {
				b.Errorf("status %d", code)
			}
		}
	})
}

// BenchmarkPostBatch is the same in batches of 1,000 contacts as lines, for 4 clients (more would be refused); an operation is one contact.
func BenchmarkPostBatch(b *testing.B) {
	serve := benchService(b, nil)
	const size = 1000
	var n atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			var body strings.Builder
			for n.Add(size) <= int64(b.N)+size-1 {
				body.Reset()
				for i := range size {
					fmt.Fprintf(&body, `{"source_id":%d,"email":"lead%d@example.com","text":"hello"}`+"\n", 1+i%4, i)
				}
				if code := serve("POST", "/v1/contacts/batch", "application/x-ndjson", body.String()); code != http.StatusOK {
					b.Errorf("status %d", code)
				}
			}
		})
	}
	clients.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "contacts/s")
}

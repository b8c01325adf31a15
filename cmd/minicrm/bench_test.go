package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minicrm/domain"
)

// BenchmarkPostContact is POST /v1/contacts through the handler, in process, durable: the whole way but the network.
// 64 clients post to 4 sources with 12 shared operators that never fill.
func BenchmarkPostContact(b *testing.B) {
	s, err := openService(config{
		data: b.TempDir(), maxInFlight: 4096, keyWindow: 24 * time.Hour, maxKeys: domain.DefaultMaxKeys,
		logger: slog.New(slog.DiscardHandler), fatal: func(err error) { panic(err) },
	}, newRegistry())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.close(); err != nil {
			b.Error(err)
		}
	})
	serve := func(method, path, body string) int {
		r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(body))
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		return w.Code
	}
	for range 12 {
		serve("POST", "/v1/operators", `{"name":"op","max_load":1000}`)
	}
	for source := range 4 {
		serve("POST", "/v1/sources", `{"name":"source"}`)
		for op := range 12 {
			serve("PUT", fmt.Sprintf("/v1/sources/%d/operators/%d", source+1, op+1), fmt.Sprintf(`{"weight":%d}`, op+1))
		}
	}
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			body := fmt.Sprintf(`{"source_id":%d,"email":"lead%d@example.com","text":"hello"}`, 1+i%4, i%5000)
			if code := serve("POST", "/v1/contacts", body); code != http.StatusCreated {
				b.Errorf("status %d", code)
			}
		}
	})
}

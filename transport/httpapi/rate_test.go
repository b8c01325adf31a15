package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Catches: a limit that is off by one, one that several clients share, probes that are limited; an answer that does not say
// when to come back, or says so in other words than the IETF's draft.
func TestRateLimit(t *testing.T) {
	limit := func(o *Options) { o.Guard.RatePerSecond, o.Guard.RateBurst = 0.1, 3 }
	e := newGuardedEdge(t, limit)
	for i, left := range []int{2, 1, 0} {
		a := e.as("watcher", "GET", "/v1/sources", "")
		a.ok()
		var r, seconds int
		got := a.header.Get("RateLimit")
		_, err := fmt.Sscanf(got, `"requests";r=%d;t=%d`, &r, &seconds)
		want := 10 * (i + 1) // less what the test takes
		if err != nil || r != left || seconds > want || seconds < want-3 || a.header.Get("RateLimit-Policy") != `"requests";q=3;w=30` || a.header.Get("Retry-After") != "" {
			t.Errorf("%q, want r=%d and t=%d: %v", got, left, want, a.header)
		}
	}
	a := e.as("watcher", "GET", "/v1/sources", "")
	a.problem(429, "rate_limited")
	if again, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || again < 7 || again > 10 {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	e.as("root", "GET", "/v1/sources", "").ok()
	e.as("watcher", "GET", "/healthz", "")
	if a := e.as("watcher", "GET", "/readyz", ""); a.status != 200 || a.header.Get("RateLimit") != "" {
		t.Errorf("a probe was limited: %d %v", a.status, a.header)
	}
	for range 3 {
		e.as("guess", "GET", "/v1/sources", "").problem(401, "unauthorized")
	}
	e.as("another guess", "GET", "/v1/sources", "").problem(429, "rate_limited")
}

// Catches: clients without keys that count as one, and that escape by another port, header or address of the same block.
func TestRateLimitByAddress(t *testing.T) {
	e := newEdge(t, func(o *Options) { o.Guard.RatePerSecond, o.Guard.RateBurst = 0.01, 1 })
	from := func(address string) int {
		req := e.request("GET", "/v1/sources", nil)
		req.RemoteAddr = address
		req.Header.Set("X-Forwarded-For", address)
		req.Header.Set("X-Real-Ip", address)
		return e.send(req).status
	}
	for _, c := range []struct {
		address string
		status  int
	}{
		{"192.0.2.1:1", 200},
		{"192.0.2.1:2", 429},
		{"[::ffff:192.0.2.1]:1", 429},
		{"192.0.2.2:1", 200},
		{"[2001:db8::1]:1", 200},
		{"[2001:db8::ffff:2]:1", 429},
		{"[2001:db8:0:1::1]:1", 200},
		{"[fe80::1%eth0]:1", 200},
		{"[fe80::1%eth1]:1", 429},
	} {
		if got := from(c.address); got != c.status {
			t.Errorf("%s: %d, want %d", c.address, got, c.status)
		}
	}
}

// Catches: memory that grows with every address that ever called, a flood of addresses that frees those who are limited or
// that escapes the limit itself.
func TestRatesForgetClients(t *testing.T) {
	r := newRates(1, 2)
	start := time.Unix(1000, 0)
	for i := range maxClients {
		r.of(fmt.Sprint(i), start).AllowN(start, 2)
	}
	if r.of("late", start) != r.crowd || r.of("later", start) != r.crowd || len(r.clients) != maxClients {
		t.Errorf("%d clients are known", len(r.clients))
	}
	if r.of("7", start).AllowN(start, 1) {
		t.Error("a client's past was forgotten while it counts")
	}
	later := start.Add(3 * time.Second)
	r.of("9", start).AllowN(later, 2)
	if r.of("late", later) == r.crowd || len(r.clients) != 2 || r.of("9", later).AllowN(later, 1) {
		t.Errorf("%d clients are known", len(r.clients))
	}
}

// Catches: a burst that is not one second's worth where none is given.
func TestRateDefaults(t *testing.T) {
	if newRates(0, 5) != nil {
		t.Error("0 limits")
	}
	for perSecond, burst := range map[float64]int{0.2: 1, 1: 1, 2.5: 3, 1000: 1000} {
		if got := newRates(perSecond, 0).burst; got != burst {
			t.Errorf("%v a second: burst %d, want %d", perSecond, got, burst)
		}
	}
}

// Catches: a limit that a real client gets round by new connections.
func TestRateLimitOverTheWire(t *testing.T) {
	address := newEdge(t, func(o *Options) { o.Guard.RatePerSecond, o.Guard.RateBurst = 0.01, 5 }).serveShort(t)
	counts := map[int]int{}
	for range 8 {
		status, _ := exchange(t, dial(t, address), "GET /v1/sources HTTP/1.1\r\nHost: x\r\n\r\n")
		counts[status]++
	}
	if counts[200] != 5 || counts[429] != 3 {
		t.Errorf("%v", counts)
	}
	conn := dial(t, address)
	_, _ = io.WriteString(conn, strings.Repeat("GET /v1/sources HTTP/1.1\r\nHost: x\r\n\r\n", 5))
	answers := bufio.NewReader(conn)
	for range 5 { // pipelined
		got, err := http.ReadResponse(answers, nil)
		if err != nil || got.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("%+v %v", got, err)
		}
		_, _ = io.Copy(io.Discard, got.Body)
		_ = got.Body.Close()
	}
}

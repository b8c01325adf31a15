package httpapi

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"minicrm/domain"
)

// Catches: a limit that is changed without the contract (DESIGN.md section 7).
func TestLimitsAreTheContracts(t *testing.T) {
	if maxBody != 1<<20 || maxBatchBody != 32<<20 || maxBatch != 10_000 || defaultLimit != 50 || maxLimit != 1000 {
		t.Errorf("body %d, batch %d of %d, list %d, at most %d", maxBody, maxBatchBody, maxBatch, defaultLimit, maxLimit)
	}
}

// slowHouse holds each new contact until it is let go.
type slowHouse struct {
	*house
	arrived chan struct{}
	letGo   chan struct{}
}

func (s *slowHouse) CreateContact(ctx context.Context, n domain.NewContact, by domain.Stamp) (domain.Contact, bool, error) {
	s.arrived <- struct{}{}
	select {
	case <-s.letGo:
		return s.house.CreateContact(ctx, n, by)
	case <-ctx.Done():
		return domain.Contact{}, false, ctx.Err()
	}
}

func newSlowEdge(t *testing.T, places int) (*edge, *slowHouse) {
	slow := &slowHouse{arrived: make(chan struct{}, places), letGo: make(chan struct{})}
	e := newEdge(t, func(o *Options) {
		slow.house = o.Dispatcher.(*house)
		o.Dispatcher, o.MaxInFlight = slow, places
	})
	e.source()
	return e, slow
}

// Catches: a limit that is off by one, that lets callers wait, that covers only some commands, that refuses reads, or
// that leaks its places.
func TestInFlightLimit(t *testing.T) {
	const places = 3
	e, slow := newSlowEdge(t, places)
	for round := range 2 {
		var held sync.WaitGroup
		for range places {
			held.Go(func() { e.do("POST", "/v1/contacts", post).ok() })
			<-slow.arrived
		}
		if got := e.metric("minicrm_http_in_flight_requests"); got != places {
			t.Errorf("gauge %v, want %d", got, places)
		}
		for _, c := range []struct{ method, path, body string }{
			{"POST", "/v1/operators", `{"name":"x"}`},
			{"PATCH", "/v1/operators/1", `{}`},
			{"POST", "/v1/sources", `{"name":"x"}`},
			{"PATCH", "/v1/sources/1", `{}`},
			{"PUT", "/v1/sources/1/operators/1", `{"weight":1}`},
			{"DELETE", "/v1/sources/1/operators/1", ``},
			{"POST", "/v1/leads", `{"email":"b@example.org"}`},
			{"PATCH", "/v1/leads/1", `{}`},
			{"POST", "/v1/contacts", post},
			{"POST", "/v1/contacts/1/close", ``},
			{"POST", "/v1/contacts/1/assign", `{"operator_id":1}`},
			{"POST", "/v1/contacts/1/release", ``},
			{"POST", "/v1/contacts/1/reopen", ``},
			{"PATCH", "/v1/contacts/1", `{"priority":1}`},
			{"POST", "/v1/contacts/batch", `[` + post + `]`},
			{"POST", "/v1/operators/1/release-all", ``},
			{"DELETE", "/v1/operators/1", ``},
			{"DELETE", "/v1/sources/1", ``},
		} {
			e.do(c.method, c.path, c.body).problem(503, "overloaded")
		}
		if got := e.metric("minicrm_http_refused_total in_flight"); got != float64(18*(round+1)) {
			t.Errorf("refused %v", got)
		}
		e.do("GET", "/v1/sources", "").ok()
		for range places {
			slow.letGo <- struct{}{}
		}
		held.Wait()
	}
	if got := e.metric("minicrm_http_in_flight_requests"); got != 0 {
		t.Errorf("gauge %v at rest", got)
	}
	e.do("PATCH", "/v1/sources/1", `{}`).ok()
}

// Catches: a client that is slow to send its body keeping everybody else out.
func TestSlowBodiesHoldNoPlace(t *testing.T) {
	e := newEdge(t, func(o *Options) { o.MaxInFlight = 1 })
	body, send := io.Pipe()
	var slow sync.WaitGroup
	slow.Go(func() {
		e.send(e.request("POST", "/v1/sources", body)).is(201, `{"id":2,"name":"slow","backlog":"auto","backlog_limit":0,"sticky_window":0,"waiting":0,"created_at":"`+noonText+`"}`)
	})
	_, _ = io.WriteString(send, `{"name":`) // returns when it was read
	e.do("POST", "/v1/sources", `{"name":"quick"}`).is(201, `{"id":1,"name":"quick","backlog":"auto","backlog_limit":0,"sticky_window":0,"waiting":0,"created_at":"`+noonText+`"}`)
	_, _ = io.Copy(send, strings.NewReader(`"slow"}`))
	_ = send.Close()
	slow.Wait()
}

// Catches: clients that send bodies but for the last byte, each within its limit, and hold all memory with them; a bound
// that announcements alone use up, that keeps out ordinary contacts or others for ever, or that leaks.
func TestLongBodiesAreBoundedTogether(t *testing.T) {
	e := newEdge(t, func(o *Options) { o.MaxBodies = 256 << 10 })
	e.source()
	address := e.serve(t)
	long := post + strings.Repeat(" ", 150<<10)
	head := func(path string, size int) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", path, size)
	}
	send := func(raw string) (int, string) {
		conn := dial(t, address)
		status, header := exchange(t, conn, raw)
		return status, header.Get("Retry-After")
	}
	for range 5 {
		if _, err := io.WriteString(dial(t, address), head("/v1/contacts", maxBody)+"{"); err != nil {
			t.Fatal(err)
		}
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for _, path := range []string{"/v1/contacts", "/v1/contacts/batch"} {
		for range 3 {
			body := long
			if path != "/v1/contacts" {
				body = "[" + long + "]"
			}
			holder := dial(t, address)
			if _, err := io.WriteString(holder, head(path, len(body))+body[:len(body)-1]); err != nil {
				t.Fatal(err)
			}
			for start := time.Now(); e.metric("minicrm_http_long_bodies_bytes") < 150<<10 && time.Since(start) < patient; {
				<-tick.C
			}
			if status, again := send(head("/v1/contacts", len(long)) + long); status != 503 || again != "1" {
				t.Fatalf("%s: %d, Retry-After %q", path, status, again)
			}
			chunk := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(long)+2, "["+long+"]")
			if status, _ := send("POST /v1/contacts/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk); status != 503 {
				t.Errorf("a batch: %d", status)
			}
			if status, _ := send(head("/v1/contacts", len(post)) + post); status != 201 {
				t.Errorf("an ordinary contact: %d", status)
			}
			if status, _ := exchange(t, holder, body[len(body)-1:]); status >= 300 {
				t.Errorf("who was there: %d", status)
			}
			if status, _ := send(head("/v1/contacts", len(long)) + long); status != 201 {
				t.Errorf("%s: the next one: %d", path, status)
			}
		}
	}
	if n := e.metric("minicrm_http_long_bodies_bytes"); n > 5 {
		t.Errorf("%v bytes are still held", n)
	}
}

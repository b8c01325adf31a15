package httpapi

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"

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

package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// acknowledged is what the server told its clients, by contact id.
type acknowledged struct {
	mu       sync.Mutex
	contacts map[int64]contactJSON
	closed   map[int64]bool
}

func (a *acknowledged) posted(c contactJSON) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.contacts[c.ID] = c
}

func (a *acknowledged) close(id int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed[id] = true
}

// drive posts contacts over 64 connections until n were acknowledged in all or the server is gone. Every fourth is
// closed. At the count kill, if any, it kills the server.
func drive(s *server, a *acknowledged, n, kill int64) {
	var wg sync.WaitGroup
	var count atomic.Int64
	count.Store(int64(len(a.contacts)))
	for conn := range 64 {
		wg.Go(func() {
			for i := 0; count.Load() < n; i++ {
				body := fmt.Sprintf(`{"source_id":%d,"email":"lead%d@example.com","text":"hello"}`, 1+i%3, (conn*17+i)%1500)
				var c contactJSON
				if status, err := s.call("POST", "/v1/contacts", body, &c); err != nil || status != 201 {
					return
				}
				a.posted(c)
				if count.Add(1) == kill {
					s.kill()
				}
				if i%4 != 0 {
					continue
				}
				if status, err := s.call("POST", fmt.Sprintf("/v1/contacts/%d/close", c.ID), "", nil); err == nil && status == 200 {
					a.close(c.ID)
				}
			}
		})
	}
	wg.Wait()
}

// Catches: an answer before the fsync, a record half written, seats or leads that replay counts otherwise, and an
// acknowledged contact that a restart gives to somebody else.
func TestKillNine(t *testing.T) {
	data := t.TempDir()
	a := &acknowledged{contacts: map[int64]contactJSON{}, closed: map[int64]bool{}}
	s := startServer(t, data, "")
	s.furnish(3, 1000, []int{1, 1, 2, 2, 3, 3, 5, 5, 7, 10, 100, 1000})
	drive(s, a, 10_000, 5_000)
	if n := len(a.contacts); n < 5_000 || n >= 10_000 {
		t.Fatalf("%d contacts were acknowledged before the kill", n)
	}
	s = startServer(t, data, "")
	verify(t, s, a)
	drive(s, a, 10_000, 0)
	verify(t, s, a)
	s.kill()
	verifyJournal(t, data, a)
}

// verify holds what the API says against what was acknowledged.
func verify(t *testing.T, s *server, a *acknowledged) {
	t.Helper()
	contacts := map[int64]contactJSON{}
	held := map[int64]int{}
	for _, c := range list[contactJSON](s, "/v1/contacts") {
		contacts[c.ID] = c
		if c.Status == "assigned" {
			held[c.Operator]++
		}
	}
	for id, want := range a.contacts {
		got, ok := contacts[id]
		want.Status = got.Status // it may have been closed, or assigned since
		if want.Operator == 0 {
			want.Operator = got.Operator
		}
		if !ok || got != want {
			t.Errorf("contact %d was acknowledged as %+v and is %+v", id, want, got)
		}
	}
	for id := range a.closed {
		if contacts[id].Status != "closed" {
			t.Errorf("contact %d was closed and is %s", id, contacts[id].Status)
		}
	}
	for _, op := range list[operatorJSON](s, "/v1/operators") {
		if op.Load != held[op.ID] || op.Load > op.MaxLoad {
			t.Errorf("operator %d has load %d of %d and holds %d contacts", op.ID, op.Load, op.MaxLoad, held[op.ID])
		}
	}
	emails := map[string]int64{}
	for _, l := range list[leadJSON](s, "/v1/leads") {
		if other, taken := emails[l.Email]; taken {
			t.Errorf("leads %d and %d have the email %s", other, l.ID, l.Email)
		}
		emails[l.Email] = l.ID
	}
}

// verifyJournal holds the files of the journal against what was acknowledged.
func verifyJournal(t *testing.T, data string, a *acknowledged) {
	t.Helper()
	journal := readJournal(t, data).contacts
	for _, id := range slices.Sorted(maps.Keys(a.contacts)) {
		want := a.contacts[id]
		got, ok := journal[id]
		if !ok || got.lead != want.Lead || want.Operator != 0 && got.operator != want.Operator {
			t.Errorf("contact %d was acknowledged as %+v, the journal has %+v", id, want, got)
		}
		if a.closed[id] && !got.closed {
			t.Errorf("contact %d was closed, the journal has %+v", id, got)
		}
	}
}

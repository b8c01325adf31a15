package httpapi

import (
	"fmt"
	"sync"
	"testing"
)

// Catches: shares, decisions and previews that are read while the trail grows. It is for the race detector.
func TestSharesWhileContactsCome(t *testing.T) {
	e := newEdge(t)
	e.source()
	for op := range 9 {
		e.operator(100)
		e.link(1, op+1, op+1)
	}
	const contacts = 900
	var all sync.WaitGroup
	all.Go(func() {
		for i := range contacts {
			e.contact(1, fmt.Sprintf("l%d@example.org", i%7))
			if i%50 == 0 {
				e.link(1, 1+i%9, 1+i%5)
			}
			e.do("POST", fmt.Sprintf("/v1/contacts/%d/close", i+1), "").ok()
		}
	})
	all.Go(func() {
		for range 100 {
			e.do("GET", "/v1/sources/1/shares", "").ok()
			e.do("POST", "/v1/sources/1/preview", "").ok()
			if a := e.do("GET", "/v1/contacts/1/decision", ""); a.status != 200 && a.status != 404 {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
	})
	all.Wait()
	got := e.do("GET", "/v1/sources/1/shares", "").ok()
	sum := 0.0
	for _, item := range got["items"].([]any) {
		sum += item.(map[string]any)["received"].(map[string]any)["automatic"].(float64)
	}
	if got["decisions"] != float64(contacts) || sum != contacts {
		t.Errorf("%v decisions, %v received of %d", got["decisions"], sum, contacts)
	}
}

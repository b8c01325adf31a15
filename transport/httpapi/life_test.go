package httpapi

import (
	"fmt"
	"strings"
	"testing"
)

// busyDesk is an edge with one source, two operators of one seat and weight each, and a contact for each of them.
func busyDesk(t *testing.T) *edge {
	t.Helper()
	e := newEdge(t)
	e.source()
	for op := range 2 {
		e.operator(1)
		e.link(1, op+1, 1)
		e.contact(1, fmt.Sprintf("l%d@example.org", op))
	}
	return e
}

// has checks some members of a contact.
func (e *edge) has(id int, want map[string]any) {
	e.t.Helper()
	got := e.do("GET", fmt.Sprintf("/v1/contacts/%d", id), "").ok()
	for member, value := range want {
		if got[member] != value {
			e.t.Errorf("contact %d: %s is %v, want %v", id, member, got[member], value)
		}
	}
}

// Catches: a release that keeps the seat, that forgets the contact's age, or that goes straight back; a second one that
// succeeds; a body that is needed, or not checked.
func TestContactRelease(t *testing.T) {
	e := busyDesk(t)
	first := e.do("GET", "/v1/contacts/1", "").ok()["operator_id"].(float64)
	e.do("POST", "/v1/contacts/1/release", `{"to":1}`).problem(400, "malformed")
	got := e.do("POST", "/v1/contacts/1/release", `{}`).ok()
	if got["status"] != "open" || got["operator_id"] != nil || got["how"] != nil || got["assigned_at"] != nil {
		t.Errorf("released: %v", got)
	}
	e.do("POST", "/v1/contacts/1/release", "").problem(409, "contact_open")
	e.do("POST", "/v1/contacts/2/close", "").ok() // the other one has a seat
	e.has(1, map[string]any{"status": "assigned", "operator_id": 3 - first, "how": "automatic"})
	e.do("POST", "/v1/contacts/2/release", "").problem(409, "contact_closed")
	e.do("POST", "/v1/contacts/9/release", "").problem(404, "contact_not_found")
}

// Catches: a reopened contact that is new, that loses its text or operator, or that is dispatched anew although that one
// is free; one that is not closed.
func TestContactReopen(t *testing.T) {
	e := busyDesk(t)
	had := e.do("POST", "/v1/contacts/1/close", `{"reason":"solved"}`).ok()
	if had["close_reason"] != "solved" {
		t.Errorf("closed: %v", had)
	}
	got := e.do("POST", "/v1/contacts/1/reopen", "").ok()
	if got["operator_id"] != had["operator_id"] || got["how"] != "sticky" || got["status"] != "assigned" || got["closed_at"] != nil || got["close_reason"] != nil {
		t.Errorf("reopened: %v, was %v", got, had)
	}
	e.do("POST", "/v1/contacts/1/reopen", "").problem(409, "contact_not_closed")
	e.do("POST", "/v1/contacts/1/reopen", `{"operator_id":1}`).problem(400, "malformed")
	e.do("POST", "/v1/contacts/9/reopen", "").problem(404, "contact_not_found")
	e.do("POST", "/v1/contacts/1/close", "").ok()
	e.do("DELETE", "/v1/leads/1", "").ok()
}

// Catches: a priority that changes nothing, that is not the first thing asked for, or that an assigned contact has.
func TestContactPriority(t *testing.T) {
	e := busyDesk(t)
	for i := range 2 {
		e.contact(1, fmt.Sprintf("w%d@example.org", i)) // 3 and 4 wait
	}
	if got := e.do("PATCH", "/v1/contacts/4", `{"priority":9}`).ok()["priority"]; got != 9.0 {
		t.Errorf("priority %v", got)
	}
	e.do("POST", "/v1/contacts", `{"source_id":1,"email":"w2@example.org","priority":8}`).ok()
	e.do("POST", "/v1/contacts/1/close", "").ok()
	for id, status := range map[int]string{3: "open", 4: "assigned", 5: "open"} {
		e.has(id, map[string]any{"status": status})
	}
	e.do("PATCH", "/v1/contacts/4", `{"priority":1}`).problem(409, "contact_not_open")
	e.do("PATCH", "/v1/contacts/1", `{"priority":1}`).problem(409, "contact_not_open")
	e.do("PATCH", "/v1/contacts/9", `{"priority":1}`).problem(404, "contact_not_found")
	for _, body := range []string{`{}`, `{"priority":null}`, `{"priority":10}`, `{"priority":-1}`, `{"priority":1.5}`, `{"priority":"1"}`, `{"priority":264}`} {
		e.do("PATCH", "/v1/contacts/3", body).problem(422, "invalid", "priority")
	}
	e.do("PATCH", "/v1/contacts/3", `{"status":"closed"}`).problem(400, "malformed")
	e.do("PATCH", "/v1/contacts/3", "").problem(400, "malformed")
}

// Catches: a step that is missing, in another order, or without who, from, to and how; members that are zeroes.
func TestContactHistory(t *testing.T) {
	e := newEdge(t)
	e.source()
	for op := range 2 {
		e.operator(1)
		e.link(1, op+1, 1-op)
	}
	e.contact(1, "a@example.org")
	e.do("POST", "/v1/contacts/1/assign", `{"operator_id":2}`).ok()
	e.do("POST", "/v1/contacts/1/close", `{"reason":"spam"}`).ok()
	e.do("POST", "/v1/contacts/1/reopen", "").ok()
	step := func(what, from, to, how, reason string) string {
		return fmt.Sprintf(`{"at":%s,"what":"%s","by":null,"from":%s,"to":%s,"how":%s,"reason":%s}`, noonJSON, what, from, to, how, reason)
	}
	e.do("GET", "/v1/contacts/1/history", "").is(200, `{"items":[`+strings.Join([]string{
		step("created", "null", "null", "null", "null"),
		step("assigned", "null", "1", `"automatic"`, "null"),
		step("assigned", "1", "2", `"manual"`, "null"),
		step("closed", "2", "null", "null", `"spam"`),
		step("reopened", "null", "null", "null", "null"),
		step("assigned", "null", "1", `"automatic"`, "null"),
	}, ",")+`],"next":null}`)
	e.do("GET", "/v1/contacts/9/history", "").problem(404, "contact_not_found")
	e.do("GET", "/v1/contacts/x/history?limit=1", "").problem(422, "invalid", "id", "limit")
}

// Catches: an answer that counts what it did not do, contacts that go back to the one who gave them away, and a call
// that takes less room than it needs.
func TestReleaseAll(t *testing.T) {
	e := newEdge(t, func(o *Options) { o.MaxInFlight = 8 })
	e.source()
	e.operator(3)
	e.operator(2)
	e.link(1, 1, 1)
	for i := range 3 {
		e.contact(1, fmt.Sprintf("l%d@example.org", i))
	}
	e.link(1, 2, 1)
	e.do("POST", "/v1/operators/1/release-all", `{"to":2}`).problem(400, "malformed")
	e.do("POST", "/v1/operators/1/release-all", "").is(200, `{"total":3,"assigned":2,"open":1,"skipped":0}`)
	e.do("POST", "/v1/operators/1/release-all", "").is(200, `{"total":0,"assigned":0,"open":0,"skipped":0}`)
	e.do("POST", "/v1/operators/9/release-all", "").problem(404, "operator_not_found")
	e.has(3, map[string]any{"status": "open"})
	if got := e.metric("minicrm_http_in_flight_requests"); got != 0 {
		t.Errorf("%v places are still taken", got)
	}
}

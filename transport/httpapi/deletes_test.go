package httpapi

import (
	"strings"
	"testing"
)

// Catches: a state that is not shown, that active does not follow, or that is changed by half when both contradict; a
// draining operator that gets contacts, or that stays draining with nothing to do.
func TestOperatorStates(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(5)
	e.link(1, 1, 1)
	e.contact(1, "a@example.org")
	state := func(patch, state string, active bool) {
		t.Helper()
		if got := e.do("PATCH", "/v1/operators/1", patch).ok(); got["state"] != state || got["active"] != active {
			t.Errorf("%s: %v", patch, got)
		}
	}
	state(`{"state":"draining"}`, "draining", false)
	state(`{"state":"draining","active":false}`, "draining", false)
	if got := e.contact(1, "b@example.org")["status"]; got != "open" {
		t.Errorf("a draining operator's contact is %v", got)
	}
	if got := e.do("GET", "/v1/sources/1/operators", "").ok()["items"].([]any)[0].(map[string]any); got["reason"] != "draining" || got["eligible"] != false {
		t.Errorf("link: %v", got)
	}
	e.do("POST", "/v1/contacts/1/close", "").ok()
	if got := e.do("GET", "/v1/operators/1", "").ok()["state"]; got != "inactive" {
		t.Errorf("with load 0 it is %v", got)
	}
	state(`{"state":"draining"}`, "inactive", false)
	state(`{"state":"active","active":true}`, "active", true)
	state(`{"state":"inactive"}`, "inactive", false)
	state(`{"active":true}`, "active", true)
	for patch, fields := range map[string]string{
		`{"state":"active","active":false}`:  "state",
		`{"state":"inactive","active":true}`: "state",
		`{"state":"draining","active":true}`: "state",
		`{"state":"busy"}`:                   "state",
		`{"state":null}`:                     "state",
		`{"state":"active","active":1}`:      "active",
		`{"state":7,"active":1}`:             "active state",
	} {
		e.do("PATCH", "/v1/operators/1", patch).problem(422, "invalid", strings.Fields(fields)...)
	}
	e.do("POST", "/v1/operators", `{"name":"x","state":"active"}`).problem(400, "malformed")
	state(`{}`, "active", true)
}

// Catches: names of another system that are lost, not bounded, or that cannot be taken away.
func TestOperatorNamesElsewhere(t *testing.T) {
	e := newEdge(t)
	got := e.do("POST", "/v1/operators", `{"name":"Ann","external_id":"x1","username":"ann"}`).ok()
	if got["external_id"] != "x1" || got["username"] != "ann" {
		t.Errorf("%v", got)
	}
	got = e.do("PATCH", "/v1/operators/1", `{"username":""}`).ok()
	if got["external_id"] != "x1" || got["username"] != nil {
		t.Errorf("%v", got)
	}
	long := strings.Repeat("x", 101)
	e.do("PATCH", "/v1/operators/1", `{"external_id":"`+long+`","username":"`+long+`"}`).problem(422, "invalid", "external_id", "username")
	e.do("POST", "/v1/operators", `{"name":"a","external_id":1,"username":null}`).problem(422, "invalid", "external_id", "username")
}

// Catches: an operator deleted with contacts or links, a refusal that does not name them, an id that comes again, a
// history that no longer names it.
func TestOperatorIsDeleted(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(5)
	e.link(1, 1, 1)
	e.contact(1, "a@example.org")
	e.do("DELETE", "/v1/operators/1", `{"force":true}`).problem(400, "malformed")
	if p := e.do("DELETE", "/v1/operators/1", "").problem(409, "operator_in_use"); !strings.Contains(p.Detail, "1 contacts") {
		t.Errorf("detail %q", p.Detail)
	}
	e.do("POST", "/v1/contacts/1/close", "").ok()
	if p := e.do("DELETE", "/v1/operators/1", "").problem(409, "operator_in_use"); !strings.Contains(p.Detail, "source 1") {
		t.Errorf("detail %q", p.Detail)
	}
	e.do("DELETE", "/v1/sources/1/operators/1", "").is(204, "")
	e.do("DELETE", "/v1/operators/1", "").is(204, "")
	for _, c := range []struct{ method, path, body string }{
		{"DELETE", "/v1/operators/1", ""},
		{"GET", "/v1/operators/1", ""},
		{"PATCH", "/v1/operators/1", `{}`},
		{"POST", "/v1/operators/1/release-all", ""},
		{"PUT", "/v1/sources/1/operators/1", `{"weight":1}`},
		{"POST", "/v1/contacts/1/assign", `{"operator_id":1}`},
	} {
		e.do(c.method, c.path, c.body).problem(404, "operator_not_found")
	}
	e.do("GET", "/v1/operators", "").is(200, `{"items":[],"next":null}`)
	if got := e.do("POST", "/v1/operators", `{"name":"Bo"}`).ok()["id"]; got != 2.0 {
		t.Errorf("the next operator is %v", got)
	}
	if got := e.do("GET", "/v1/contacts/1/history", "").body; !strings.Contains(got, `"to":1`) {
		t.Errorf("history %s", got)
	}
}

// Catches: a source deleted with live contacts, one whose links stay, an id that comes again.
func TestSourceIsDeleted(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(5)
	e.link(1, 1, 1)
	e.contact(1, "a@example.org")
	e.do("DELETE", "/v1/sources/1", `{"force":true}`).problem(400, "malformed")
	if p := e.do("DELETE", "/v1/sources/1", "").problem(409, "source_has_live_contacts"); !strings.Contains(p.Detail, "contact 1") {
		t.Errorf("detail %q", p.Detail)
	}
	e.do("POST", "/v1/contacts/1/close", "").ok()
	e.do("DELETE", "/v1/sources/1", "").is(204, "")
	for _, c := range []struct{ method, path, body string }{
		{"DELETE", "/v1/sources/1", ""},
		{"GET", "/v1/sources/1", ""},
		{"PATCH", "/v1/sources/1", `{}`},
		{"GET", "/v1/sources/1/operators", ""},
		{"PUT", "/v1/sources/1/operators/1", `{"weight":1}`},
		{"DELETE", "/v1/sources/1/operators/1", ""},
		{"GET", "/v1/sources/1/shares", ""},
		{"POST", "/v1/sources/1/preview", ""},
		{"POST", "/v1/contacts", post},
		{"POST", "/v1/contacts/1/reopen", ""},
	} {
		e.do(c.method, c.path, c.body).problem(404, "source_not_found")
	}
	e.do("GET", "/v1/sources", "").is(200, `{"items":[],"next":null}`)
	e.do("DELETE", "/v1/operators/1", "").is(204, "") // it has no link any more
	if got := e.do("POST", "/v1/sources", `{"name":"x"}`).ok()["id"]; got != 2.0 {
		t.Errorf("the next source is %v", got)
	}
	e.has(1, map[string]any{"status": "closed", "source_id": 1.0})
}

// Catches: a limit that is off by one, or that has no Retry-After (problem checks it); one that cannot be taken away; a
// window or a limit that is not bounded.
func TestSourceBacklogLimitAndWindow(t *testing.T) {
	e := newEdge(t)
	e.do("POST", "/v1/sources", `{"name":"chat","backlog_limit":1,"sticky_window":3600}`).
		is(201, `{"id":1,"name":"chat","backlog":"auto","backlog_limit":1,"sticky_window":3600,"waiting":0,"created_at":"`+noonText+`"}`)
	e.contact(1, "a@example.org")
	e.do("POST", "/v1/contacts", post).problem(503, "backlog_full")
	e.do("GET", "/v1/sources/1", "").
		is(200, `{"id":1,"name":"chat","backlog":"auto","backlog_limit":1,"sticky_window":3600,"waiting":1,"created_at":"`+noonText+`"}`)
	e.do("PATCH", "/v1/sources/1", `{"backlog_limit":0,"sticky_window":0}`).
		is(200, `{"id":1,"name":"chat","backlog":"auto","backlog_limit":0,"sticky_window":0,"waiting":1,"created_at":"`+noonText+`"}`)
	e.do("POST", "/v1/contacts", post).ok()
	for body, fields := range map[string]string{
		`{"name":"x","backlog_limit":-1,"sticky_window":-1}`:         "backlog_limit sticky_window",
		`{"name":"x","backlog_limit":1000000001}`:                    "backlog_limit",
		`{"name":"x","sticky_window":31536001}`:                      "sticky_window",
		`{"name":"x","backlog_limit":"1","sticky_window":null}`:      "backlog_limit sticky_window",
		`{"name":"x","backlog_limit":1.5,"sticky_window":99e9}`:      "backlog_limit sticky_window",
		`{"name":"x","sticky_window":18446744073709551616}`:          "sticky_window",
		`{"name":"x","backlog_limit":-9223372036854775808}`:          "backlog_limit",
		`{"name":"x","backlog":"auto","backlog_limit":"a"}`:          "backlog_limit",
		`{"name":"x","backlog":"x","backlog_limit":-2}`:              "backlog backlog_limit",
		`{"name":"","backlog_limit":1000000001,"sticky_window":"1"}`: "",
	} {
		a := e.do("POST", "/v1/sources", body)
		if fields != "" {
			want := strings.Fields(fields)
			got := a.json()["errors"].([]any)
			for _, f := range want {
				if !strings.Contains(a.body, `"field":"`+f+`"`) {
					t.Errorf("%s: no %s in %s", body, f, a.body)
				}
			}
			if a.status != 422 || len(got) != len(want) {
				t.Errorf("%s: %d %s", body, a.status, a.body)
			}
			continue
		}
		a.problem(422, "invalid", "sticky_window", "name", "backlog_limit")
	}
}

// Catches: a lead's contacts that are another's, a list for a lead that never was, and an unknown filter that is ignored.
func TestLeadContacts(t *testing.T) {
	e := newEdge(t)
	e.source()
	for _, email := range []string{"a@example.org", "b@example.org", "a@example.org"} {
		e.contact(1, email)
	}
	items := e.do("GET", "/v1/leads/1/contacts?status=open&limit=5", "").ok()["items"].([]any)
	if len(items) != 2 || items[0].(map[string]any)["id"] != 1.0 || items[1].(map[string]any)["id"] != 3.0 {
		t.Errorf("%v", items)
	}
	e.do("GET", "/v1/leads/1/contacts?status=closed", "").is(200, `{"items":[],"next":null}`)
	e.do("GET", "/v1/leads/3/contacts", "").problem(404, "lead_not_found")
	e.do("GET", "/v1/leads/1/contacts?lead_id=2", "").problem(422, "invalid", "lead_id")
	e.do("GET", "/v1/leads/x/contacts?limit=0", "").problem(422, "invalid", "id", "limit")
	e.do("POST", "/v1/contacts/2/close", "").ok()
	e.do("DELETE", "/v1/leads/2", "").ok()
	e.do("GET", "/v1/leads/2/contacts", "").problem(410, "lead_erased")
}

// Catches: a contact that does not complete its lead, or that overwrites what is known.
func TestContactFillsInItsLead(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.do("POST", "/v1/leads", `{"email":"ada@example.org","name":"Countess"}`).ok()
	e.do("POST", "/v1/contacts", post).ok()
	got := e.do("GET", "/v1/leads/1", "").ok()
	if got["name"] != "Countess" || got["phone"] != "1" {
		t.Errorf("%v", got)
	}
}

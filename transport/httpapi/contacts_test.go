package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"minicrm/domain"
)

// contactJSON is a contact as the API shows it.
func contactJSON(id int, operator, status, how, assigned, closed string) string {
	return fmt.Sprintf(`{"id":%d,"source_id":1,"lead_id":1,"operator_id":%s,"status":"%s","how":%s,"priority":0,"text":"hi","created_at":"%s","assigned_at":%s,"closed_at":%s,"close_reason":null}`,
		id, operator, status, how, noonText, assigned, closed)
}

const (
	post     = `{"source_id":1,"email":"ada@example.org","name":"Ada","phone":"1","text":"hi"}`
	noonJSON = `"` + noonText + `"`
)

// Catches: nulls that are zeroes or absent, a second lead for the same customer, a contact that waits although an
// operator is free, or that is not shown as waiting, a close that forgets who had it.
func TestContactLife(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(1)
	e.link(1, 1, 1)
	a := e.do("POST", "/v1/contacts", post).is(201, contactJSON(1, "1", "assigned", `"automatic"`, noonJSON, "null"))
	if got := a.header.Get("Location"); got != "/v1/contacts/1" {
		t.Errorf("Location %q", got)
	}
	e.do("POST", "/v1/contacts", strings.Replace(post, "ada@", "ADA@", 1)).is(201, contactJSON(2, "null", "open", "null", "null", "null"))
	e.do("GET", "/v1/operators/1", "").is(200, `{"id":1,"name":"op","active":true,"state":"active","max_load":1,"load":1,"external_id":null,"username":null,"created_at":"`+noonText+`"}`)
	e.do("POST", "/v1/contacts/1/close", "").is(200, contactJSON(1, "1", "closed", `"automatic"`, noonJSON, noonJSON))
	e.do("GET", "/v1/contacts/1", "").is(200, contactJSON(1, "1", "closed", `"automatic"`, noonJSON, noonJSON))
	e.do("GET", "/v1/contacts/2", "").is(200, contactJSON(2, "1", "assigned", `"automatic"`, noonJSON, "null"))
	if n := e.leads(); n != 1 {
		t.Errorf("%d leads for one email", n)
	}
}

// Catches: optional members that are required.
func TestContactNeedsOnlySourceAndEmail(t *testing.T) {
	e := newEdge(t)
	e.source()
	got := e.contact(1, "a@example.org")
	if got["text"] != "" || got["status"] != "open" {
		t.Errorf("%v", got)
	}
}

// Catches: a lead that is created before the source was looked up, or by a request with a bad value.
func TestContactRefusedCreatesNoLead(t *testing.T) {
	e := newEdge(t)
	e.do("POST", "/v1/contacts", post).problem(404, "source_not_found")
	e.do("POST", "/v1/contacts", `{"source_id":1,"email":"ada@example.org","text":7}`).problem(422, "invalid", "text")
	if n := e.leads(); n != 0 {
		t.Errorf("%d leads", n)
	}
}

// Catches: a bad value let through, or found only after others were mended.
func TestContactBadValues(t *testing.T) {
	e := newEdge(t)
	e.source()
	over := strings.Repeat("x", domain.MaxText+1)
	for _, c := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"source_id", "email"}},
		{`{"source_id":null,"email":null,"name":null,"phone":null,"text":null}`, []string{"source_id", "email", "name", "phone", "text"}},
		{`{"source_id":"1","email":1,"name":1,"phone":1,"text":1}`, []string{"source_id", "email", "name", "phone", "text"}},
		{`{"source_id":0,"email":"a@b"}`, []string{"source_id"}},
		{`{"source_id":-1,"email":"a@b"}`, []string{"source_id"}},
		{`{"source_id":1.0,"email":"a@b"}`, []string{"source_id"}},
		{`{"source_id":18446744073709551617,"email":"a@b"}`, []string{"source_id"}},
		{`{"source_id":1,"email":"a@b","priority":10}`, []string{"priority"}},
		{`{"source_id":1,"email":"a@b","priority":-1}`, []string{"priority"}},
		{`{"source_id":1,"email":"a@b","priority":"1"}`, []string{"priority"}},
		{`{"source_id":1,"email":"Ada <a@example.org>"}`, []string{"email"}},
		{`{"source_id":1,"email":"a@b","text":"` + over + `"}`, []string{"text"}},
		{`{"source_id":1,"email":"a@b","name":"` + over + `","phone":"` + over + `","text":"` + over + `"}`, []string{"name", "phone", "text"}},
		{`{"source_id":1,"email":"` + over + `"}`, []string{"email"}},
	} {
		e.do("POST", "/v1/contacts", c.body).problem(422, "invalid", c.fields...)
	}
	e.do("POST", "/v1/contacts", `{"source_id":1,"email":"a@b","text":"`+over[1:]+`"}`).ok()
	if n := e.leads(); n != 1 {
		t.Errorf("%d leads", n)
	}
}

// Catches: a second close that succeeds or frees a second seat; a body that is needed, or not checked.
func TestContactClose(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(2)
	e.link(1, 1, 1)
	for _, email := range []string{"a@example.org", "b@example.org"} {
		e.contact(1, email)
	}
	e.do("POST", "/v1/contacts/1/close", `{"why":"done"}`).problem(400, "malformed")
	e.do("POST", "/v1/contacts/1/close", `{"reason":7}`).problem(422, "invalid", "reason")
	e.do("POST", "/v1/contacts/1/close", `{"reason":"`+strings.Repeat("ü", domain.MaxReason+1)+`"}`).problem(422, "invalid", "reason")
	e.do("POST", "/v1/contacts/1/close", `null`).problem(422, "invalid", "body")
	e.do("POST", "/v1/contacts/1/close", ` {} `).ok()
	e.do("POST", "/v1/contacts/1/close", "").problem(409, "contact_closed")
	e.do("POST", "/v1/contacts/1/assign", `{"operator_id":1,"force":true}`).problem(409, "contact_closed")
	e.do("POST", "/v1/contacts/3/close", "").problem(404, "contact_not_found")
	if load := e.do("GET", "/v1/operators/1", "").ok()["load"]; load != 1.0 {
		t.Errorf("load %v after one of two contacts was closed twice", load)
	}
}

// Catches: force that is ignored, that is the default, or that overrides what nothing overrides; how that is wrong.
func TestContactAssign(t *testing.T) {
	e := newEdge(t)
	e.source()
	for range 4 {
		e.operator(1)
	}
	for op := range 3 {
		e.link(1, op+1, 0)
	}
	e.do("PATCH", "/v1/operators/3", `{"active":false}`).ok()
	for range 2 {
		e.do("POST", "/v1/contacts", post).ok()
	}
	for _, c := range []struct {
		contact int
		body    string
		status  int
		want    string // a code, or how
		holder  string
	}{
		{1, `{"operator_id":1}`, 200, "manual", "1"},
		{1, `{"operator_id":1}`, 200, "manual", "1"},
		{2, `{"operator_id":1}`, 409, "operator_full", ""},
		{2, `{"operator_id":1,"force":false}`, 409, "operator_full", ""},
		{2, `{"operator_id":1,"force":true}`, 200, "forced", "1"},
		{2, `{"operator_id":3}`, 409, "operator_inactive", ""},
		{2, `{"operator_id":3,"force":true}`, 200, "forced", "3"},
		{2, `{"operator_id":2,"force":true}`, 200, "manual", "2"},
		{2, `{"operator_id":4}`, 409, "not_linked", ""},
		{2, `{"operator_id":4,"force":true}`, 409, "not_linked", ""},
		{2, `{"operator_id":5}`, 404, "operator_not_found", ""},
		{9, `{"operator_id":1}`, 404, "contact_not_found", ""},
	} {
		a := e.do("POST", fmt.Sprintf("/v1/contacts/%d/assign", c.contact), c.body)
		if c.status != 200 {
			p := a.problem(c.status, c.want)
			if full := c.want == "operator_full" || c.want == "operator_inactive"; full && !strings.Contains(p.Detail, "force=true") {
				t.Errorf("%s does not say what force would do: %s", c.body, p.Detail)
			}
			continue
		}
		a.is(200, contactJSON(c.contact, c.holder, "assigned", `"`+c.want+`"`, noonJSON, "null"))
	}
	for op, want := range []float64{1, 1, 0} {
		if load := e.do("GET", fmt.Sprintf("/v1/operators/%d", op+1), "").ok()["load"]; load != want {
			t.Errorf("operator %d has load %v, want %v", op+1, load, want)
		}
	}
}

// Catches: a missing operator that is 404 as operator 0, a force that is not a boolean and counts as true.
func TestContactAssignBadValues(t *testing.T) {
	e := newEdge(t)
	for _, c := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"operator_id"}},
		{`{"operator_id":null,"force":null}`, []string{"operator_id", "force"}},
		{`{"operator_id":0,"force":"true"}`, []string{"operator_id", "force"}},
		{`{"operator_id":1,"force":1}`, []string{"force"}},
	} {
		e.do("POST", "/v1/contacts/1/assign", c.body).problem(422, "invalid", c.fields...)
	}
	e.do("POST", "/v1/contacts/1/assign", "").problem(400, "malformed")
	e.do("POST", "/v1/contacts/1/assign?force=true", `{"operator_id":1}`).problem(422, "invalid", "force")
}

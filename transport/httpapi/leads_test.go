package httpapi

import (
	"net/url"
	"strings"
	"testing"

	"minicrm/domain"
)

// Catches: an email stored as sent, optional members shown as null, a patch that clears what it does not name.
func TestLeadIsCreatedReadAndChanged(t *testing.T) {
	e := newEdge(t)
	show := func(name, phone string) string {
		return `{"id":1,"email":"ada+vip@xn--bcher-kva.example","name":"` + name + `","phone":"` + phone + `","created_at":"` + noonText + `"}`
	}
	a := e.do("POST", "/v1/leads", `{"email":" Ada+VIP@Bücher.Example "}`).is(201, show("", ""))
	if got := a.header.Get("Location"); got != "/v1/leads/1" {
		t.Errorf("Location %q", got)
	}
	e.do("PATCH", "/v1/leads/1", `{"name":"Ada","phone":"+44 1"}`).is(200, show("Ada", "+44 1"))
	e.do("PATCH", "/v1/leads/1", `{"phone":""}`).is(200, show("Ada", ""))
	e.do("GET", "/v1/leads/1", "").is(200, show("Ada", ""))
	e.do("GET", "/v1/leads", "").is(200, `{"items":[`+show("Ada", "")+`],"next":null}`)
}

// Catches: an email compared as sent, and a conflict that does not say with whom.
func TestLeadEmailTaken(t *testing.T) {
	e := newEdge(t)
	e.do("POST", "/v1/leads", `{"email":"other@example.org"}`).ok()
	e.do("POST", "/v1/leads", `{"email":"ada@example.org"}`).ok()
	a := e.do("POST", "/v1/leads", `{"email":"ADA@EXAMPLE.ORG"}`)
	if p := a.problem(409, "email_taken"); p.LeadID != 2 {
		t.Errorf("lead_id %d in %s", p.LeadID, a.body)
	}
	if !strings.Contains(a.body, `"lead_id":2`) {
		t.Errorf("no lead_id in %s", a.body)
	}
}

// Catches: a look-up by the email as sent, one that lists everybody when nobody is found, or answers 404.
func TestLeadIsFoundByEmail(t *testing.T) {
	e := newEdge(t)
	e.do("POST", "/v1/leads", `{"email":"ada+vip@example.org"}`).ok()
	e.do("POST", "/v1/leads", `{"email":"bob@example.org"}`).ok()
	for _, email := range []string{"ada+vip@example.org", "  ADA+vip@Example.ORG"} {
		found := e.do("GET", "/v1/leads?email="+url.QueryEscape(email), "").ok()
		if items := found["items"].([]any); len(items) != 1 || items[0].(map[string]any)["id"] != 1.0 || found["next"] != nil {
			t.Errorf("%q found %v", email, found)
		}
	}
	e.do("GET", "/v1/leads?email=nobody@example.org", "").is(200, `{"items":[],"next":null}`)
	for _, bad := range []string{"", "%20", "nobody", "a@b@c", "%ff@example.org"} {
		e.do("GET", "/v1/leads?email="+bad, "").problem(422, "invalid", "email")
	}
	e.do("GET", "/v1/leads?email=bob@example.org&after=1", "").problem(422, "invalid", "after")
	p := e.do("GET", "/v1/leads?email=ada+vip@example.org", "").problem(422, "invalid", "email")
	if !strings.Contains(p.Errors[0].Message, "%2B") {
		t.Errorf("a plus that became a space is not explained: %s", p.Errors[0].Message)
	}
}

// Catches: a bad value let through; a patch of the email, which is what makes a lead that lead.
func TestLeadBadValues(t *testing.T) {
	e := newEdge(t)
	e.do("POST", "/v1/leads", `{"email":"ada@example.org"}`).ok()
	name, phone := strings.Repeat("n", domain.MaxName+1), strings.Repeat("1", domain.MaxPhone+1)
	for _, c := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"email"}},
		{`{"email":null}`, []string{"email"}},
		{`{"email":""}`, []string{"email"}},
		{`{"email":"ada"}`, []string{"email"}},
		{`{"email":["b@example.org"]}`, []string{"email"}},
		{`{"email":"b@example.org","name":null}`, []string{"name"}},
		{`{"email":"b@example.org","name":"` + name + `","phone":"` + phone + `"}`, []string{"name", "phone"}},
		{`{"email":"b","name":1,"phone":"` + phone + `"}`, []string{"email", "name", "phone"}},
	} {
		e.do("POST", "/v1/leads", c.body).problem(422, "invalid", c.fields...)
	}
	e.do("PATCH", "/v1/leads/1", `{"name":"`+name+`","phone":null}`).problem(422, "invalid", "phone", "name")
	e.do("PATCH", "/v1/leads/1", `{"email":"b@example.org"}`).problem(400, "malformed")
	e.do("GET", "/v1/leads/2", "").problem(404, "lead_not_found")
	e.do("PATCH", "/v1/leads/2", `{}`).problem(404, "lead_not_found")
	if n := e.leads(); n != 1 {
		t.Errorf("%d leads", n)
	}
}

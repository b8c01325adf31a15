package httpapi

import (
	"strings"
	"testing"

	"minicrm/domain"
)

// Catches: a wrong default, a patch that resets the other field, policies by number.
func TestSourceIsCreatedReadAndChanged(t *testing.T) {
	e := newEdge(t)
	show := func(id, name, backlog string) string {
		return `{"id":` + id + `,"name":"` + name + `","backlog":"` + backlog + `","backlog_limit":0,"sticky_window":0,"waiting":0,"created_at":"` + noonText + `"}`
	}
	a := e.do("POST", "/v1/sources", `{"name":"Site"}`).is(201, show("1", "Site", "auto"))
	if got := a.header.Get("Location"); got != "/v1/sources/1" {
		t.Errorf("Location %q", got)
	}
	e.do("POST", "/v1/sources", `{"name":"App","backlog":"manual"}`).is(201, show("2", "App", "manual"))
	e.do("GET", "/v1/sources/2", "").is(200, show("2", "App", "manual"))
	e.do("PATCH", "/v1/sources/1", `{"backlog":"manual"}`).is(200, show("1", "Site", "manual"))
	e.do("PATCH", "/v1/sources/1", `{"name":"Web"}`).is(200, show("1", "Web", "manual"))
	e.do("PATCH", "/v1/sources/1", `{}`).is(200, show("1", "Web", "manual"))
	e.do("GET", "/v1/sources", "").is(200, `{"items":[`+show("1", "Web", "manual")+`,`+show("2", "App", "manual")+`],"next":null}`)
}

// Catches: a bad value let through, a policy name that is taken for the default, a patch validated less than a create.
func TestSourceBadValues(t *testing.T) {
	e := newEdge(t)
	e.source()
	for _, c := range []struct {
		body   string
		fields []string
	}{
		{`{"name":""}`, []string{"name"}},
		{`{"name":"` + strings.Repeat("x", domain.MaxName+1) + `"}`, []string{"name"}},
		{`{"name":null}`, []string{"name"}},
		{`{"name":"a","backlog":"AUTO"}`, []string{"backlog"}},
		{`{"name":"a","backlog":""}`, []string{"backlog"}},
		{`{"name":"a","backlog":null}`, []string{"backlog"}},
		{`{"name":"a","backlog":1}`, []string{"backlog"}},
		{`{"name":false,"backlog":[]}`, []string{"name", "backlog"}},
	} {
		e.do("POST", "/v1/sources", c.body).problem(422, "invalid", c.fields...)
		e.do("PATCH", "/v1/sources/1", c.body).problem(422, "invalid", c.fields...)
	}
	e.do("POST", "/v1/sources", `{"backlog":"auto"}`).problem(422, "invalid", "name")
}

// Catches: an unknown source that is a 500 or an empty list.
func TestSourceNotFound(t *testing.T) {
	e := newEdge(t)
	e.operator(5)
	e.do("GET", "/v1/sources/9", "").problem(404, "source_not_found")
	e.do("PATCH", "/v1/sources/9", `{"name":"x"}`).problem(404, "source_not_found")
	e.do("GET", "/v1/sources/9/operators", "").problem(404, "source_not_found")
	e.do("PUT", "/v1/sources/9/operators/1", `{"weight":1}`).problem(404, "source_not_found")
	e.do("DELETE", "/v1/sources/9/operators/1", "").problem(404, "source_not_found")
}

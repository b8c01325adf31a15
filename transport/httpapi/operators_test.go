package httpapi

import (
	"strings"
	"testing"

	"minicrm/domain"
)

// Catches: defaults that differ from the contract, members in another order, a Location that leads nowhere.
func TestOperatorIsCreatedReadAndChanged(t *testing.T) {
	e := newEdge(t)
	want := `{"id":1,"name":"Ann","active":true,"state":"active","max_load":5,"load":0,"external_id":null,"username":null,"created_at":"` + noonText + `"}`
	a := e.do("POST", "/v1/operators", `{"name":"Ann"}`).is(201, want)
	if got := a.header.Get("Location"); got != "/v1/operators/1" {
		t.Errorf("Location %q", got)
	}
	e.do("GET", "/v1/operators/1", "").is(200, want)
	e.do("POST", "/v1/operators", ` {"max_load":0, "active":false, "name":"Ümit"} `).
		is(201, `{"id":2,"name":"Ümit","active":false,"state":"inactive","max_load":0,"load":0,"external_id":null,"username":null,"created_at":"`+noonText+`"}`)
	e.do("GET", "/v1/operators", "").
		is(200, `{"items":[`+want+`,{"id":2,"name":"Ümit","active":false,"state":"inactive","max_load":0,"load":0,"external_id":null,"username":null,"created_at":"`+noonText+`"}],"next":null}`)
}

// Catches: a patch that resets what it does not name, or that drops false and 0 as if they were not given.
func TestOperatorPatchChangesOnlyWhatItNames(t *testing.T) {
	e := newEdge(t)
	e.do("POST", "/v1/operators", `{"name":"Ann","max_load":7}`).ok()
	for _, c := range []struct{ patch, name, rest string }{
		{`{}`, "Ann", `"active":true,"state":"active","max_load":7`},
		{`{"active":false}`, "Ann", `"active":false,"state":"inactive","max_load":7`},
		{`{"max_load":0}`, "Ann", `"active":false,"state":"inactive","max_load":0`},
		{`{"name":"Bo"}`, "Bo", `"active":false,"state":"inactive","max_load":0`},
		{`{"name":"Cy","active":true,"max_load":1000}`, "Cy", `"active":true,"state":"active","max_load":1000`},
	} {
		want := `{"id":1,"name":"` + c.name + `",` + c.rest + `,"load":0,"external_id":null,"username":null,"created_at":"` + noonText + `"}`
		e.do("PATCH", "/v1/operators/1", c.patch).is(200, want)
		e.do("GET", "/v1/operators/1", "").is(200, want)
	}
}

// Catches: a bad value let through or answered with another status, a patch validated less than a create, and
// problems reported one at a time.
func TestOperatorBadValues(t *testing.T) {
	e := newEdge(t)
	e.operator(5)
	long := strings.Repeat("ä", domain.MaxName+1)
	for _, c := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"name"}},
		{`{"name":""}`, []string{"name"}},
		{`{"name":" \t"}`, []string{"name"}},
		{`{"name":"` + long + `"}`, []string{"name"}},
		{`{"name":null}`, []string{"name"}},
		{`{"name":7}`, []string{"name"}},
		{`{"name":["a"]}`, []string{"name"}},
		{`{"name":{"first":"a"}}`, []string{"name"}},
		{`{"name":"a","active":null}`, []string{"active"}},
		{`{"name":"a","active":"true"}`, []string{"active"}},
		{`{"name":"a","active":1}`, []string{"active"}},
		{`{"name":"a","max_load":null}`, []string{"max_load"}},
		{`{"name":"a","max_load":"5"}`, []string{"max_load"}},
		{`{"name":"a","max_load":true}`, []string{"max_load"}},
		{`{"name":"a","max_load":1.5}`, []string{"max_load"}},
		{`{"name":"a","max_load":1e2}`, []string{"max_load"}},
		{`{"name":"a","max_load":-1}`, []string{"max_load"}},
		{`{"name":"a","max_load":1001}`, []string{"max_load"}},
		{`{"name":"a","max_load":99999999999999999999}`, []string{"max_load"}},
		{`{"name":1,"active":2,"max_load":"3"}`, []string{"name", "active", "max_load"}},
		{`{"active":{"a":[1]},"max_load":1001,"name":""}`, []string{"active", "name", "max_load"}},
	} {
		e.do("POST", "/v1/operators", c.body).problem(422, "invalid", c.fields...)
		if c.body != `{}` {
			e.do("PATCH", "/v1/operators/1", c.body).problem(422, "invalid", c.fields...)
		}
	}
	edge := strings.Repeat("ä", domain.MaxName)
	e.do("POST", "/v1/operators", `{"name":"`+edge+`","max_load":1000}`).ok()
	e.do("GET", "/v1/operators/3", "").problem(404, "operator_not_found")
}

// Catches: an unknown operator that is a 500, or another kind's code.
func TestOperatorNotFound(t *testing.T) {
	e := newEdge(t)
	e.do("GET", "/v1/operators/1", "").problem(404, "operator_not_found")
	e.do("PATCH", "/v1/operators/1", `{"active":false}`).problem(404, "operator_not_found")
}

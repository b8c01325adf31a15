package httpapi

import (
	"fmt"
	"testing"

	"minicrm/domain"
)

// Catches: a share in percent, a lag in the ledger's unit or of the wrong sign, members in another order, a reason
// that is there when there is none, links out of order.
func TestLinksAreShown(t *testing.T) {
	e := newEdge(t)
	e.source()
	for range 5 {
		e.operator(1)
	}
	e.do("PUT", "/v1/sources/1/operators/3", `{"weight":0}`).
		is(200, `{"source_id":1,"operator_id":3,"weight":0,"target_share":0,"received":{"automatic":0,"sticky":0,"manual":0},"lag":0,"eligible":false,"reason":"weight 0"}`)
	e.do("PUT", "/v1/sources/1/operators/1", `{"weight":3}`).
		is(200, `{"source_id":1,"operator_id":1,"weight":3,"target_share":1,"received":{"automatic":0,"sticky":0,"manual":0},"lag":0,"eligible":true,"reason":null}`)
	e.link(1, 2, 1)
	e.link(1, 5, 4)
	e.do("PATCH", "/v1/operators/5", `{"active":false}`).ok()
	e.contact(1, "a@example.org")
	e.do("GET", "/v1/sources/1/operators", "").is(200, `{"items":[`+
		`{"source_id":1,"operator_id":3,"weight":0,"target_share":0,"received":{"automatic":0,"sticky":0,"manual":0},"lag":0,"eligible":false,"reason":"weight 0"},`+
		`{"source_id":1,"operator_id":1,"weight":3,"target_share":0.375,"received":{"automatic":1,"sticky":0,"manual":0},"lag":-0.25,"eligible":false,"reason":"full"},`+
		`{"source_id":1,"operator_id":2,"weight":1,"target_share":0.125,"received":{"automatic":0,"sticky":0,"manual":0},"lag":0.25,"eligible":true,"reason":null},`+
		`{"source_id":1,"operator_id":5,"weight":4,"target_share":0.5,"received":{"automatic":0,"sticky":0,"manual":0},"lag":0,"eligible":false,"reason":"inactive"}`+
		`],"next":null}`)
}

// Catches: an unlink that answers with a body, does nothing, or succeeds twice.
func TestLinkIsRemoved(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(1)
	e.link(1, 1, 1)
	e.do("DELETE", "/v1/sources/1/operators/1", `{"weight":0}`).problem(400, "malformed")
	e.do("DELETE", "/v1/sources/1/operators/1", "").is(204, "")
	e.do("DELETE", "/v1/sources/1/operators/1", "{}").problem(404, "link_not_found")
	e.do("GET", "/v1/sources/1/operators", "").is(200, `{"items":[],"next":null}`)
	if got := e.contact(1, "a@example.org")["status"]; got != "open" {
		t.Errorf("a contact of a source without operators is %v", got)
	}
}

// Catches: a bad weight let through, path and body reported one after the other, an unknown operator that is linked.
func TestLinkBadValues(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(1)
	for _, body := range []string{
		`{}`, `{"weight":null}`, `{"weight":"1"}`, `{"weight":-1}`, `{"weight":1000001}`, `{"weight":0.5}`, `{"weight":9223372036854775808}`,
	} {
		e.do("PUT", "/v1/sources/1/operators/1", body).problem(422, "invalid", "weight")
	}
	e.do("PUT", "/v1/sources/x/operators/-1", `{"weight":-1}`).problem(422, "invalid", "id", "operator_id", "weight")
	e.do("DELETE", "/v1/sources/0/operators/1.0", "").problem(422, "invalid", "id", "operator_id")
	e.do("PUT", "/v1/sources/1/operators/7", `{"weight":1}`).problem(404, "operator_not_found")
	e.do("PUT", "/v1/sources/1/operators/1", `{"weight":1000000}`).ok()
}

// Catches: a limit of links that is off by one, or that is no conflict.
func TestLinkLimit(t *testing.T) {
	e := newEdge(t)
	e.source()
	for id := range domain.MaxLinks + 1 {
		e.operator(1)
		if id < domain.MaxLinks {
			e.link(1, id+1, 1)
		}
	}
	e.do("PUT", fmt.Sprintf("/v1/sources/1/operators/%d", domain.MaxLinks+1), `{"weight":1}`).problem(409, "too_many_links")
	e.link(1, 1, 2)
}

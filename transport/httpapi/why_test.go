package httpapi

import (
	"fmt"
	"testing"
)

// Catches: lags in the ledger's unit, a rule by number, null lists, excluded without why, a decision of an open contact.
func TestDecision(t *testing.T) {
	e := newEdge(t)
	e.source()
	for op, weight := range []int{3, 1, 0, 1} {
		e.operator(1)
		e.link(1, op+1, weight)
	}
	e.do("PATCH", "/v1/operators/4", `{"active":false}`).ok()
	e.contact(1, "a@example.org")
	e.do("GET", "/v1/contacts/1/decision", "").is(200, `{"contact_id":1,"operator_id":1,"decided_at":`+noonJSON+`,"rule":"due","charged":true,"eligible":[`+
		`{"operator_id":1,"weight":3,"lag_before":0,"lag_after":-0.25},{"operator_id":2,"weight":1,"lag_before":0,"lag_after":0.25}],`+
		`"excluded":[{"operator_id":3,"reason":"weight 0"},{"operator_id":4,"reason":"inactive"}]}`)
	e.contact(1, "b@example.org")
	if got := e.do("GET", "/v1/contacts/2/decision", "").ok(); got["rule"] != "only" || got["excluded"].([]any)[0].(map[string]any)["reason"] != "full" {
		t.Errorf("%v", got)
	}
	e.contact(1, "c@example.org")
	e.do("GET", "/v1/contacts/3/decision", "").problem(404, "no_decision")
	e.do("POST", "/v1/contacts/3/assign", `{"operator_id":3}`).ok()
	e.do("GET", "/v1/contacts/3/decision", "").
		is(200, `{"contact_id":3,"operator_id":3,"decided_at":`+noonJSON+`,"rule":"manual","charged":false,"eligible":[],"excluded":[]}`)
	e.do("GET", "/v1/contacts/9/decision", "").problem(404, "contact_not_found")
	e.do("GET", "/v1/contacts/0/decision", "").problem(422, "invalid", "id")
}

// Catches: a decision that is kept for ever, or dropped too early.
func TestDecisionExpires(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(1000)
	e.link(1, 1, 1)
	for id := 1; id <= 10_600; id++ { // whole legs of 256 are dropped
		e.contact(1, fmt.Sprintf("l%d@example.org", id%9))
		e.do("POST", fmt.Sprintf("/v1/contacts/%d/close", id), "").ok()
	}
	e.do("GET", "/v1/contacts/1/decision", "").problem(404, "decision_expired")
	e.do("GET", "/v1/contacts/601/decision", "").ok()
}

// Catches: a preview that has an effect, that is not what happens, that is off when nobody has room, or unbounded.
func TestPreview(t *testing.T) {
	e := newEdge(t)
	e.source()
	for op, weight := range []int{3, 1} {
		e.operator(3)
		e.link(1, op+1, weight)
	}
	preview := e.do("POST", "/v1/sources/1/preview", `{"n":8}`).is(200, `{"items":[1,2,1,1,2,2,null,null]}`).body
	e.do("POST", "/v1/sources/1/preview", `{"n":8}`).is(200, preview)
	for i, want := range []float64{1, 2, 1, 1, 2, 2} {
		if got := e.contact(1, fmt.Sprintf("l%d@example.org", i))["operator_id"]; got != want {
			t.Errorf("contact %d went to %v, foretold was %v", i+1, got, want)
		}
	}
	e.do("POST", "/v1/sources/1/preview", "").is(200, `{"items":[null,null,null,null,null,null,null,null,null,null]}`)
	for _, body := range []string{`{"n":0}`, `{"n":1001}`, `{"n":-1}`, `{"n":"1"}`, `{"n":null}`, `{"n":1e3}`} {
		e.do("POST", "/v1/sources/1/preview", body).problem(422, "invalid", "n")
	}
	e.do("POST", "/v1/sources/1/preview", `{"n":1000}`).ok()
	e.do("POST", "/v1/sources/1/preview", `{"m":1}`).problem(400, "malformed")
	e.do("POST", "/v1/sources/9/preview", "").problem(404, "source_not_found")
	e.do("POST", "/v1/sources/9/preview?n=1", `{"n":0}`).problem(422, "invalid", "n", "n")
}

// Catches: a preview that is refused although it changes nothing.
func TestPreviewNeedsNoRoom(t *testing.T) {
	e := newEdge(t, func(o *Options) { o.DiskLow = func() bool { return true } })
	e.do("POST", "/v1/sources/9/preview", "").problem(404, "source_not_found")
	e.do("POST", "/v1/sources", `{"name":"x"}`).problem(507, "disk_low")
}

// Catches: shares of everything shown as shares of the eligible, manual ones counted as decisions, a share of nothing
// that is 0 or NaN, members in another order.
func TestShares(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(1)
	e.operator(9)
	e.operator(9)
	for op, weight := range []int{2, 1, 1} {
		e.link(1, op+1, weight)
	}
	e.do("PATCH", "/v1/operators/3", `{"active":false}`).ok()
	for i := range 4 {
		e.contact(1, fmt.Sprintf("l%d@example.org", i)) // 1, then thrice 2, since 1 is full
	}
	e.do("POST", "/v1/contacts/4/assign", `{"operator_id":3,"force":true}`).ok()
	one := `{"operator_id":1,"weight":2,"target_share":0.5,"received":{"automatic":1,"sticky":0,"manual":0},"raw_share":0.2,"expected":0.6666666666660603,` +
		`"eligible_decisions":1,"eligible_share":1,"lag":-0.33333333333303017,"eligible":false,"reason":"full"}`
	two := `{"operator_id":2,"weight":1,"target_share":0.25,"received":{"automatic":3,"sticky":0,"manual":0},"raw_share":0.6,"expected":3.33333333333303,` +
		`"eligible_decisions":4,"eligible_share":0.75,"lag":0.33333333333303017,"eligible":true,"reason":null}`
	three := `{"operator_id":3,"weight":1,"target_share":0.25,"received":{"automatic":0,"sticky":0,"manual":1},"raw_share":0.2,"expected":0,` +
		`"eligible_decisions":0,"eligible_share":null,"lag":0,"eligible":false,"reason":"inactive"}`
	e.do("GET", "/v1/sources/1/shares", "").
		is(200, `{"source_id":1,"since":null,"complete":true,"decisions":4,"manual":1,"items":[`+one+`,`+two+`,`+three+`]}`)
	a := e.do("GET", "/v1/sources/1/shares?since=2026-03-01T13:00:01%2B01:00", "").ok()
	if a["since"] != "2026-03-01T12:00:01Z" || a["decisions"] != 0.0 || a["items"].([]any)[0].(map[string]any)["raw_share"] != nil {
		t.Errorf("since then: %v", a)
	}
	e.do("GET", "/v1/sources/9/shares", "").problem(404, "source_not_found")
	for _, since := range []string{"", "yesterday", "2026-03-01", "1969-12-31T00:00:00Z", "2026-03-01T13:00:01+01:00", "12026-01-01T00:00:00Z"} {
		e.do("GET", "/v1/sources/1/shares?since="+since, "").problem(422, "invalid", "since")
	}
}

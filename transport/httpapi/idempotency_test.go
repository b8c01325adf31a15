package httpapi

import (
	"strings"
	"testing"
)

// keyed posts a contact with idempotency keys.
func (e *edge) keyed(body string, keys ...string) *answered {
	e.t.Helper()
	req := e.request("POST", "/v1/contacts", strings.NewReader(body))
	req.Header["Idempotency-Key"] = keys
	return e.send(req)
}

// Catches: a repeat that makes a second contact, that shows the contact as it was, or that looks like the first; a first
// one that looks like a repeat; a key of one source that hides a contact of another.
func TestIdempotencyKey(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.source()
	a := e.keyed(post, "k")
	a.is(201, contactJSON(1, "null", "open", "null", "null", "null"))
	if got, given := a.header["Idempotent-Replayed"]; given {
		t.Errorf("replayed: %v", got)
	}
	e.do("POST", "/v1/contacts/1/close", "").ok()
	for range 2 {
		a = e.keyed(post, "k")
		a.is(200, contactJSON(1, "null", "closed", "null", "null", noonJSON))
		if a.header.Get("Idempotent-Replayed") != "true" || a.header.Get("Location") != "/v1/contacts/1" {
			t.Errorf("headers %v", a.header)
		}
	}
	e.keyed(strings.Replace(post, "hi", "ho", 1), "k").problem(422, "idempotency_key_reused")
	if got := e.keyed(strings.Replace(post, `"source_id":1`, `"source_id":2`, 1), "k").ok()["id"]; got != 2.0 {
		t.Errorf("the same key in another source: contact %v", got)
	}
	if got := e.keyed(post, "K").ok()["id"]; got != 3.0 {
		t.Errorf("another key: contact %v", got)
	}
	if got := e.do("POST", "/v1/contacts", post).ok()["id"]; got != 4.0 {
		t.Errorf("no key: contact %v", got)
	}
}

// Catches: a bad key that counts as none, and makes duplicates.
func TestIdempotencyKeyBadValues(t *testing.T) {
	e := newEdge(t)
	e.source()
	for _, keys := range [][]string{
		{""}, {" "}, {"a b"}, {"k\x7f"}, {"k\x00"}, {"ä"}, {strings.Repeat("k", 256)}, {"a", "a"}, {"a", "b"},
	} {
		e.keyed(post, keys...).problem(422, "invalid", "Idempotency-Key")
	}
	e.keyed(`{"source_id":1}`, "").problem(422, "invalid", "email", "Idempotency-Key")
	e.do("POST", "/v1/contacts", `{"source_id":1,"email":"a@b","idempotency_key":"k"}`).problem(400, "malformed")
	if n := e.leads(); n != 0 {
		t.Errorf("%d leads", n)
	}
	for _, key := range []string{"!", "~", strings.Repeat("k", 255), `"quoted"`} {
		e.keyed(post, key).ok()
	}
}

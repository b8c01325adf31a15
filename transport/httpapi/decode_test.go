package httpapi

import (
	"strings"
	"testing"
)

// Catches: lenient decoding (trailing data, comments, members twice or with other case, broken UTF-8), a 500 or 422 for
// what is not JSON, and a problem that does not say which member it means.
func TestMalformedBodies(t *testing.T) {
	e := newEdge(t)
	e.source()
	for _, c := range []struct{ body, says string }{
		{``, "byte 0"},
		{`   `, ""},
		{`hello`, "byte 0"},
		{`{`, ""},
		{`{"source_id":1,"email":"a@example.org"`, ""},
		{`{"source_id":1,"email":"a@example.org"}}`, "byte 39"},
		{`{"source_id":1,"email":"a@example.org"} {}`, "byte 40"},
		{`{"source_id":1,"email":"a@example.org",}`, ""},
		{`{"source_id":01,"email":"a@example.org"}`, ""},
		{`{"source_id":NaN,"email":"a@example.org"}`, ""},
		{`{"source_id":1,"email":"a@example.org"/* */}`, ""},
		{`{'source_id':1,"email":"a@example.org"}`, ""},
		{"{\"source_id\":1,\"email\":\"a\xff@example.org\"}", ""},
		{`{"source_id":1,"email":"\ud800@example.org"}`, ""},
		{"\xef\xbb\xbf{}", ""},
		{`{"source_id":1,"email":"a@example.org","colour":1}`, `"colour"`},
		{`{"source_id":1,"Email":"a@example.org"}`, `"Email"`},
		{`{"source_id":1,"email":"a@example.org","":1}`, `""`},
		{`{"source_id":1,"source_id":1,"email":"a@example.org"}`, `"source_id"`},
		{`{"source_id":1,"email":"a@example.org","name":{"a":1,"a":2}}`, `"name.a"`},
		{`{"source_id":1,"email":"a@example.org","name":[{"a":1},{"a":{"b":1,"b":2}}]}`, `"name.1.a.b"`},
		{`{"source_id":` + strings.Repeat("[", 20_000), ""},
		{`{"` + strings.Repeat("k", 5_000) + `":1}`, "kkk…"},
	} {
		p := e.do("POST", "/v1/contacts", c.body).problem(400, "malformed")
		if !strings.Contains(p.Detail, c.says) || len(p.Detail) > 200 {
			t.Errorf("%.60s: %q does not say %q, or says too much", c.body, p.Detail, c.says)
		}
	}
	if n := e.leads(); n != 0 {
		t.Errorf("%d leads", n)
	}
}

// Catches: JSON that is not an object being taken for an empty one: null above all.
func TestBodyMustBeAnObject(t *testing.T) {
	e := newEdge(t)
	e.operator(1)
	for _, body := range []string{`null`, ` null `, `[]`, `[{"name":"x"}]`, `"x"`, `1`, `true`} {
		e.do("PATCH", "/v1/operators/1", body).problem(422, "invalid", "body")
		e.do("POST", "/v1/operators", body).problem(422, "invalid", "body")
	}
	e.do("PATCH", "/v1/operators/1", `[1`).problem(400, "malformed")
}

// Catches: a limit that is off by one, that trusts Content-Length, or that is checked after all was read.
func TestBodyLimit(t *testing.T) {
	e := newEdge(t)
	e.source()
	body := `{"source_id":1,"email":"a@example.org"}`
	fits := body + strings.Repeat(" ", maxBody-len(body))
	e.do("POST", "/v1/contacts", fits).ok()
	e.do("POST", "/v1/contacts", fits+" ").problem(413, "too_large")

	req := e.request("POST", "/v1/contacts", strings.NewReader(fits+" "))
	req.ContentLength = -1 // chunked
	e.send(req).problem(413, "too_large")

	req = e.request("POST", "/v1/contacts", failing(""))
	req.ContentLength = maxBody + 1 // reading any of it would fail
	e.send(req).problem(413, "too_large")

	req = e.request("POST", "/v1/contacts", failing(`{"source_id":1,`))
	req.ContentLength = 100
	e.send(req).problem(400, "malformed")
}

// Catches: forms that are read as JSON, and JSON refused for a parameter or for letters of another case.
func TestContentType(t *testing.T) {
	e := newEdge(t)
	for media, status := range map[string]int{
		"":                                  201,
		"application/json":                  201,
		"Application/JSON; charset=utf-8":   201,
		"text/plain":                        415,
		"application/x-www-form-urlencoded": 415,
		"application/problem+json":          415,
		"application/json, text/plain":      415,
		";":                                 415,
	} {
		req := e.request("POST", "/v1/sources", strings.NewReader(`{"name":"a"}`))
		req.Header.Set("Content-Type", media)
		if media == "" {
			req.Header.Del("Content-Type")
		}
		a := e.send(req)
		if a.status != status {
			t.Errorf("%q: %d %s", media, a.status, a.body)
		}
		if status == 415 {
			a.problem(415, "unsupported_media_type")
		}
	}
}

// Catches: ids that are guessed from what is no id, and those that do not fit being cut to ones that exist.
func TestPathIDs(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.operator(1)
	e.contact(1, "a@example.org")
	for _, id := range []string{"x", "0", "-1", "+1", "01", "1.0", "1e0", "%201", "1%00", "0x1", "１", "18446744073709551617", "9223372036854775808"} {
		for _, path := range []string{"/v1/operators/", "/v1/sources/", "/v1/leads/", "/v1/contacts/"} {
			e.do("GET", path+id, "").problem(422, "invalid", "id")
		}
		for _, path := range []string{"/v1/operators/", "/v1/sources/", "/v1/leads/"} {
			e.do("PATCH", path+id, "{}").problem(422, "invalid", "id")
		}
		e.do("POST", "/v1/contacts/"+id+"/close", "").problem(422, "invalid", "id")
		e.do("POST", "/v1/contacts/"+id+"/assign", `{"operator_id":1}`).problem(422, "invalid", "id")
		e.do("GET", "/v1/sources/"+id+"/operators", "").problem(422, "invalid", "id")
	}
	e.do("GET", "/v1/contacts/9223372036854775807", "").problem(404, "contact_not_found")
}

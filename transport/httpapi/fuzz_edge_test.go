package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// commands are the calls with a body, other than the hot one, which has a target of its own.
var commands = []struct{ method, path string }{
	{"POST", "/v1/operators"},
	{"PATCH", "/v1/operators/1"},
	{"POST", "/v1/sources"},
	{"PATCH", "/v1/sources/1"},
	{"PUT", "/v1/sources/1/operators/1"},
	{"DELETE", "/v1/sources/1/operators/1"},
	{"POST", "/v1/leads"},
	{"PATCH", "/v1/leads/1"},
	{"DELETE", "/v1/leads/1"},
	{"POST", "/v1/contacts/1/assign"},
	{"POST", "/v1/contacts/1/close"},
	{"POST", "/v1/snapshots"},
	{"PATCH", "/v1/contacts/1"},
	{"POST", "/v1/contacts/1/release"},
	{"POST", "/v1/contacts/1/reopen"},
	{"POST", "/v1/sources/1/preview"},
	{"POST", "/v1/operators/1/release-all"},
}

// Catches: a body of any command that is a 500, that is answered with something that is no JSON, or that leaves a state in
// which the next call fails.
func FuzzCommandBodies(f *testing.F) {
	for i, seed := range []string{
		`{"name":"Ann","max_load":5,"active":true}`, `{"max_load":0}`, `{"name":"chat","backlog":"manual"}`, `{"backlog":"auto"}`, `{"weight":3}`, `{}`,
		`{"email":"b@example.org","name":"B","phone":"+1"}`, `{"name":"C"}`, ``, `{"operator_id":1,"force":true}`, `{"operator_id":-1}`, `{"weight":1e999}`,
		`[[[[`, `{"name":"\ud800"}`, `{"name":null}`, strings.Repeat(`{"a":`, 50), `{}`, `{"priority":9}`, `{"reason":""}`, `{"n":1e3}`, `{"n":1000}`,
	} {
		f.Add(uint8(i), seed)
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		e := newEdge(t)
		e.operator(1)
		e.source()
		e.link(1, 1, 1)
		e.contact(1, "a@example.org")
		c := commands[int(which)%len(commands)]
		a := e.send(e.request(c.method, c.path, strings.NewReader(body)))
		if a.status >= 500 || e.log.Len() > 0 || a.body != "" && !jsontext.Value(a.body).IsValid() {
			t.Errorf("%s %s %q: %d %s %s", c.method, c.path, body, a.status, a.body, e.log)
		}
		e.do("GET", "/v1/contacts", "").ok()
		e.do("GET", "/v1/sources/1/operators", "").ok()
	})
}

// Catches: a cursor or limit, whatever is in it, that is a 500, that is taken for another, or that lists anything twice.
func FuzzCursor(f *testing.F) {
	for _, seed := range [][2]string{{"1", "1"}, {"", ""}, {"01", "+1"}, {"-1", "0"}, {"9223372036854775807", "1000"}, {"18446744073709551616", "1001"}, {"1e1", "٣"}, {"\x00", "%"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, after, limit string) {
		e := newEdge(t)
		for range 3 {
			e.source()
		}
		a := e.do("GET", "/v1/sources?"+url.Values{"after": {after}, "limit": {limit}}.Encode(), "")
		switch a.status {
		case http.StatusOK:
			items := a.ok()["items"].([]any)
			for _, item := range items {
				if id := item.(map[string]any)["id"].(float64); id < 1 || id > 3 {
					t.Errorf("%q: id %v", after, id)
				}
			}
			if place, ok := parseID(after); !ok || place < 3 && len(items) == 0 || place >= 3 && len(items) > 0 {
				t.Errorf("%q %q: %s", after, limit, a.body)
			}
		case http.StatusUnprocessableEntity:
		default:
			t.Errorf("%q %q: %d %s", after, limit, a.status, a.body)
		}
	})
}

// Catches: a keys file, whatever is in it, that makes the reader panic or hang, or keys that let somebody in who should not.
func FuzzKeysFile(f *testing.F) {
	entry := "- {name: a, role: gateway, sha256: " + HashKey("a") + ", sources: [1, 2], expires: 2030-01-01}\n"
	for _, seed := range []string{
		entry, entry + strings.Replace(entry, "a,", "b,", 1), "", "- &x [*x]", "- !!binary aGVsbG8=", "a: &a [x]\nb: [*a,*a]", "- {<<: {name: a}}", "--- |\n x", "\xff\xfe", "- !!set {a}",
		strings.Repeat("[", 2000), "- name: \"\\u0000\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParseKeys(text)
		if (keys == nil) == (err == nil) {
			t.Fatalf("%v %v", keys, err)
		}
		if err != nil {
			return
		}
		for hash, key := range keys.byHash {
			if hash != key.hash || !keyName.MatchString(key.Name) || !slices.Contains([]Role{RoleGateway, RoleViewer, RoleAdmin}, key.Role) ||
				key.Sources != nil && (key.Role != RoleGateway || len(key.Sources) == 0) {
				t.Errorf("%+v", key)
			}
		}
		if keys.Len() == 0 {
			t.Error("no keys: everybody is locked out")
		}
	})
}

// Catches: headers that are a 500, that come in without a key, or that put into a log or an answer what a client made up.
func FuzzHeaders(f *testing.F) {
	for _, seed := range [][4]string{
		{"Bearer root", "id-1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "application/json"},
		{"Bearer", "a\nb", "00--", "text/html; charset=\"\xff\""}, {"", "", "", ";;"}, {"basic cm9vdA==", strings.Repeat("x", 70), "ff-0", "*/*"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, authorization, id, trace, media string) {
		e := newGuardedEdge(t)
		req := e.request("POST", "/v1/sources", strings.NewReader(`{"name":"x"}`))
		req.Header = http.Header{"Authorization": {authorization}, "X-Request-Id": {id}, "Traceparent": {trace}, "Content-Type": {media}}
		a := e.send(req)
		scheme, token, _ := strings.Cut(authorization, " ")
		admin := strings.EqualFold(scheme, "Bearer") && token == "root"
		other := strings.EqualFold(scheme, "Bearer") && slices.Contains([]string{"watcher", "all-chats", "chat-1"}, token)
		switch {
		case admin != (a.status == 201 || a.status == 415), other != (a.status == 403), a.status >= 500:
			t.Errorf("%q: %d %s", authorization, a.status, a.body)
		case !isRequestID(a.header.Get("X-Request-Id")):
			t.Errorf("id %q", a.header.Get("X-Request-Id"))
		}
		if _, err := newKeyring(t).authenticate(req.Header, time.Unix(0, 0)); (err == nil) != (admin || other || strings.EqualFold(scheme, "Bearer") && token == "old") {
			t.Errorf("%q: %v", authorization, err)
		}
	})
}

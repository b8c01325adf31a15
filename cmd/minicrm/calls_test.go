package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// reply is an answer, whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// code is the problem's code, or "" when it is none.
func (r reply) code() string {
	var p struct{ Code string }
	if r.status < 300 || json.Unmarshal([]byte(r.body), &p) != nil {
		return ""
	}
	return p.Code
}

// send sends a request with headers, as name and value.
func (s *server) send(method, path, body string, headers ...string) (reply, error) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	answer, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(answer)}, err
}

// call is one step of a script: what is sent, and what has to come back.
type call struct {
	method, path, body string
	status             int
	want               string // a refusal's code, else a part of the answer
	headers            []string
}

// play sends the calls of a script, one after the other.
func (s *server) play(script []call) {
	s.t.Helper()
	for i, c := range script {
		got, err := s.sendCall(c)
		name := fmt.Sprintf("call %d, %s %s %.200s", i+1, c.method, c.path, c.body)
		switch {
		case err != nil:
			s.t.Fatalf("%s: %v", name, err)
		case !c.answered(got):
			s.t.Errorf("%s:\n got %d %.900s\nwant %d %s", name, got.status, got.body, c.status, c.want)
		case (got.status == 503) != (got.header.Get("Retry-After") != ""):
			s.t.Errorf("%s: status %d with Retry-After %q", name, got.status, got.header.Get("Retry-After"))
		}
	}
}

func (c *call) answered(got reply) bool {
	if c.status < 300 {
		return got.status == c.status && strings.Contains(got.body, c.want)
	}
	return got.status == c.status && got.code() == c.want
}

// sendCall sends a call. A read is sent again for a while when it shows something else: a seat that was freed may still
// be on its way to a contact that waits.
func (s *server) sendCall(c call) (got reply, err error) {
	for limit := time.Now().Add(10 * time.Second); ; {
		got, err = s.send(c.method, c.path, c.body, c.headers...)
		if err != nil || c.method != http.MethodGet || !strings.HasPrefix(c.path, "/v1/") || c.answered(got) || time.Now().After(limit) {
			return got, err
		}
	}
}

// operatorsAndSources is the script of who may serve what.
var operatorsAndSources = []call{
	{"POST", "/v1/operators", `{"name":"Ann","max_load":2,"external_id":"u1","username":"ann"}`, 201, `"external_id":"u1","username":"ann"`, nil},
	{"POST", "/v1/operators", `{"name":"Ben","max_load":2}`, 201, `"state":"active"`, nil},
	{"POST", "/v1/operators", `{"name":"Cem","state":"active"}`, 400, "malformed", nil},
	{"POST", "/v1/operators", `{"name":"Cem","external_id":7}`, 422, "invalid", nil},
	{"PATCH", "/v1/operators/2", `{"state":"draining"}`, 200, `"active":false,"state":"inactive"`, nil},
	{"PATCH", "/v1/operators/2", `{"state":"active","active":false}`, 422, "invalid", nil},
	{"PATCH", "/v1/operators/2", `{"state":"busy"}`, 422, "invalid", nil},
	{"PATCH", "/v1/operators/2", `{"state":"active"}`, 200, `"active":true,"state":"active"`, nil},
	{"PATCH", "/v1/operators/9", `{"state":"active"}`, 404, "operator_not_found", nil},
	{"POST", "/v1/sources", `{"name":"Chat","backlog_limit":1,"sticky_window":60}`, 201, `"backlog_limit":1,"sticky_window":60,"waiting":0`, nil},
	{"POST", "/v1/sources", `{"name":"Mail","backlog":"manual"}`, 201, `"backlog":"manual"`, nil},
	{"POST", "/v1/sources", `{"name":"x","backlog_limit":-1,"sticky_window":-1}`, 422, "invalid", nil},
	{"PATCH", "/v1/sources/2", `{"sticky_window":0}`, 200, `"sticky_window":0`, nil},
	{"PATCH", "/v1/sources/9", `{}`, 404, "source_not_found", nil},
	{"PUT", "/v1/sources/1/operators/1", `{"weight":1}`, 200, `"received":{"automatic":0,"sticky":0,"manual":0}`, nil},
	{"PUT", "/v1/sources/1/operators/2", `{"weight":0}`, 200, `"reason":"weight 0"`, nil},
	{"PUT", "/v1/sources/2/operators/2", `{"weight":1}`, 200, `"reason":null`, nil},
	{"POST", "/v1/sources/1/preview", `{"n":3}`, 200, `{"items":[1,1,null]}`, nil},
	{"POST", "/v1/sources/1/preview", `{"n":0}`, 422, "invalid", nil},
	{"POST", "/v1/sources/9/preview", ``, 404, "source_not_found", nil},
}

const ada = `{"source_id":1,"email":"ada@example.com","name":"Ada","text":"hi","priority":3}`

// lifeOfContacts is the script of all that is done to contacts: Ann has contacts 1 and 2, 3 waits.
var lifeOfContacts = []call{
	{"POST", "/v1/contacts", ada, 201, `"operator_id":1,"status":"assigned","how":"automatic","priority":3`, []string{"Idempotency-Key", "one"}},
	{"POST", "/v1/contacts", ada, 201, `"id":2,"source_id":1,"lead_id":1,"operator_id":1,"status":"assigned","how":"sticky"`, nil},
	{"POST", "/v1/contacts", ada, 201, `"id":3,"source_id":1,"lead_id":1,"operator_id":null,"status":"open","how":null`, nil},
	{"POST", "/v1/contacts", ada, 200, `{"id":1,`, []string{"Idempotency-Key", "one"}},
	{"POST", "/v1/contacts", strings.Replace(ada, "hi", "ho", 1), 422, "idempotency_key_reused", []string{"Idempotency-Key", "one"}},
	{"POST", "/v1/contacts", ada, 422, "invalid", []string{"Idempotency-Key", "one two"}},
	{"POST", "/v1/contacts", ada, 503, "backlog_full", nil},
	{"POST", "/v1/contacts", strings.Replace(ada, ":3", ":10", 1), 422, "invalid", nil},
	{"GET", "/v1/sources/1", ``, 200, `"waiting":1`, nil},
	{"PATCH", "/v1/contacts/3", `{"priority":9}`, 200, `"priority":9`, nil},
	{"PATCH", "/v1/contacts/3", `{"priority":10}`, 422, "invalid", nil},
	{"PATCH", "/v1/contacts/1", `{"priority":9}`, 409, "contact_not_open", nil},
	{"PATCH", "/v1/contacts/9", `{"priority":9}`, 404, "contact_not_found", nil},
	{"GET", "/v1/contacts/1/decision", ``, 200, `"rule":"only","charged":true,"eligible":[{"operator_id":1,"weight":1,"lag_before":0,"lag_after":0}],"excluded":[{"operator_id":2,"reason":"weight 0"}]`, nil},
	{"GET", "/v1/contacts/2/decision", ``, 200, `"rule":"sticky"`, nil},
	{"GET", "/v1/contacts/3/decision", ``, 404, "no_decision", nil},
	{"GET", "/v1/contacts/9/decision", ``, 404, "contact_not_found", nil},
	{"POST", "/v1/contacts/3/release", ``, 409, "contact_open", nil},
	{"POST", "/v1/contacts/9/release", ``, 404, "contact_not_found", nil},
	{"POST", "/v1/contacts/3/reopen", ``, 409, "contact_not_closed", nil},
	{"POST", "/v1/contacts/9/reopen", ``, 404, "contact_not_found", nil},
	{"POST", "/v1/contacts/1/assign", `{"operator_id":2}`, 200, `"operator_id":2,"status":"assigned","how":"manual"`, nil},
	{"GET", "/v1/contacts/3", ``, 200, `"operator_id":1,"status":"assigned","how":"automatic","priority":9`, nil},
	{"POST", "/v1/contacts/1/close", `{"why":"done"}`, 400, "malformed", nil},
	{"POST", "/v1/contacts/1/close", `{"reason":"` + strings.Repeat("x", 201) + `"}`, 422, "invalid", nil},
	{"POST", "/v1/contacts/1/close", `{"reason":"done"}`, 200, `"close_reason":"done"`, nil},
	{"POST", "/v1/contacts/1/close", ``, 409, "contact_closed", nil},
	{"POST", "/v1/contacts/1/release", ``, 409, "contact_closed", nil},
	{"PUT", "/v1/sources/1/operators/2", `{"weight":1}`, 200, `"eligible":true`, nil},
	{"POST", "/v1/contacts/1/reopen", ``, 200, `"operator_id":2,"status":"assigned","how":"sticky","priority":3`, nil},
	{"POST", "/v1/contacts/1/release", ``, 200, `"operator_id":null,"status":"open"`, nil},
	{"GET", "/v1/contacts/1/history", ``, 200, `"what":"released","by":null,"from":2,"to":null`, nil},
	{"GET", "/v1/contacts/9/history", ``, 404, "contact_not_found", nil},
	{"GET", "/v1/sources/1/shares", ``, 200, `"complete":true,"decisions":4,"manual":1`, nil},
	{"GET", "/v1/sources/1/shares?since=2999-01-01T00:00:00Z", ``, 200, `"decisions":0`, nil},
	{"GET", "/v1/sources/1/shares?since=now", ``, 422, "invalid", nil},
	{"GET", "/v1/sources/9/shares", ``, 404, "source_not_found", nil},
	{"GET", "/v1/leads/1/contacts?status=open", ``, 200, `{"items":[{"id":1,`, nil},
	{"GET", "/v1/leads/9/contacts", ``, 404, "lead_not_found", nil},
	{"POST", "/v1/operators/1/release-all", ``, 200, `{"total":2,"assigned":2,"open":0,"skipped":0}`, nil},
	{"POST", "/v1/operators/9/release-all", ``, 404, "operator_not_found", nil},
}

// ends is the script of deletes.
var ends = []call{
	{"DELETE", "/v1/operators/1", ``, 409, "operator_in_use", nil},
	{"DELETE", "/v1/operators/9", ``, 404, "operator_not_found", nil},
	{"DELETE", "/v1/sources/1", ``, 409, "source_has_live_contacts", nil},
	{"DELETE", "/v1/sources/9", ``, 404, "source_not_found", nil},
	{"PATCH", "/v1/operators/1", `{"state":"draining"}`, 200, `"active":false,"state":"draining"`, nil},
	{"POST", "/v1/contacts", `{"source_id":1,"email":"eve@example.com"}`, 201, `{"id":4,"source_id":1,"lead_id":2,"operator_id":null`, nil},
	{"POST", "/v1/contacts", `{"source_id":1,"email":"eve@example.com"}`, 503, "backlog_full", nil},
	{"POST", "/v1/contacts/2/close", ``, 200, `"closed"`, nil},
	{"POST", "/v1/contacts/3/close", ``, 200, `"closed"`, nil},
	{"GET", "/v1/operators/1", ``, 200, `"state":"draining","max_load":2,"load":1`, nil},
	{"POST", "/v1/contacts/1/close", ``, 200, `"closed"`, nil},
	{"GET", "/v1/operators/1", ``, 200, `"state":"inactive","max_load":2,"load":0`, nil},
	{"GET", "/v1/contacts/4", ``, 200, `"operator_id":2`, nil},
	{"POST", "/v1/contacts/4/close", ``, 200, `"closed"`, nil},
	{"DELETE", "/v1/sources/1", ``, 204, "", nil},
	{"POST", "/v1/contacts/1/reopen", ``, 404, "source_not_found", nil},
	{"POST", "/v1/contacts", ada, 404, "source_not_found", nil},
	{"DELETE", "/v1/operators/1", ``, 204, "", nil},
	{"GET", "/v1/operators/1", ``, 404, "operator_not_found", nil},
	{"GET", "/v1/contacts/1/history", ``, 200, `"to":1`, nil},
	{"POST", "/v1/operators", `{"name":"Dan"}`, 201, `{"id":3,`, nil},
	{"POST", "/v1/sources", `{"name":"SMS"}`, 201, `{"id":3,`, nil},
	{"DELETE", "/v1/leads/1", ``, 200, `"id":1`, nil},
	{"GET", "/v1/leads/1/contacts", ``, 410, "lead_erased", nil},
}

// Catches: a call that is not wired, a refusal with another status or code than the contract's, and state that a kill
// loses or changes.
func TestEveryCall(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, data, "")
	restart := func() {
		before, again := s.everything(), s.everything()
		for before != again { // a seat was on its way
			before, again = again, s.everything()
		}
		s.kill()
		s = startServer(t, data, "")
		if after := s.everything(); after != before {
			t.Errorf("after a kill\n got %s\nwant %s", after, before)
		}
	}
	s.play(operatorsAndSources)
	restart()
	s.play(lifeOfContacts)
	s.must("POST", "/v1/snapshots", "", nil)
	restart()
	s.play(ends)
	restart()
	s.kill()
	wantRun(t, 0, "state: 4 contacts", "wal", "verify", data)
	out := wantRun(t, 0, "", "wal", "dump", data)
	for _, event := range []string{
		"ContactReleased id=1 source_id=1 operator_id=2", "ContactReopened id=1 source_id=1 priority=3", "ContactPrioritised id=3 source_id=1 priority=9",
		`ContactClosed id=1 source_id=1 operator_id=2 reason="done"`, "OperatorDeleted id=1", "SourceDeleted id=1", "key_digest=", `username="ann"`,
	} {
		if !strings.Contains(out, event) {
			t.Errorf("the dump has no %s", event)
		}
	}
}

// everything is all that the API shows of what lasts, but for how far a snapshot has come.
func (s *server) everything() string {
	s.t.Helper()
	var b strings.Builder
	paths := []string{"/v1/operators", "/v1/sources", "/v1/leads", "/v1/contacts"}
	for _, source := range list[sourceView](s, "/v1/sources") {
		paths = append(paths, fmt.Sprintf("/v1/sources/%d/operators", source.ID), fmt.Sprintf("/v1/sources/%d/shares", source.ID))
	}
	for _, c := range list[contactJSON](s, "/v1/contacts") {
		paths = append(paths, fmt.Sprintf("/v1/contacts/%d/history", c.ID), fmt.Sprintf("/v1/contacts/%d/decision", c.ID))
	}
	for _, path := range paths {
		got, err := s.send("GET", path, "")
		check(s.t, err)
		fmt.Fprintf(&b, "%s %d %s\n", path, got.status, got.body)
	}
	return b.String()
}

// Catches: Rocket.Chat's route open to everybody or there without a token, shares that do not hold for it, a draw that a
// restart forgets.
func TestRocketChatRouting(t *testing.T) {
	data := t.TempDir()
	const path, token = "/integrations/rocketchat/next?source_id=1", "X-RocketChat-Secret-Token"
	s := startServer(t, data, "")
	s.play([]call{{"GET", path, "", 404, "not_found", []string{token, ""}}})
	s.kill()
	s = startServer(t, data, "", "--rocketchat-token", "sesame")
	s.furnish(1, 5, []int{1, 1, 1})
	s.play([]call{
		{"GET", path, "", 401, "unauthorized", nil},
		{"GET", path, "", 401, "unauthorized", []string{token, "x"}},
		{"GET", "/integrations/rocketchat/next", "", 422, "invalid", []string{token, "sesame"}},
		{"GET", path + "9", "", 404, "source_not_found", []string{token, "sesame"}},
		{"GET", path, "", 404, "nobody_eligible", []string{token, "sesame"}},
		{"PATCH", "/v1/operators/1", `{"username":"ann","external_id":"u1"}`, 200, "", nil},
		{"PATCH", "/v1/operators/2", `{"username":"ben"}`, 200, "", nil},
		{"GET", path, "", 200, `{"_id":"u1","username":"ann"}`, []string{token, "sesame"}},
		{"GET", path + "?departmentId=d", "", 200, `{"_id":"2","username":"ben"}`, []string{token, "sesame"}},
		{"GET", path, "", 200, `"ann"`, []string{token, "sesame"}},
	})
	s.kill()
	s = startServer(t, data, "", "--rocketchat-token", "sesame")
	s.play([]call{
		{"GET", path, "", 200, `"ben"`, []string{token, "sesame"}},
		{"GET", "/v1/sources/1/shares", "", 200, `"decisions":4`, nil},
		{"GET", "/v1/operators/1", "", 200, `"load":0`, nil},
	})
	s.kill()
	wantRun(t, 0, "state: 0 contacts", "wal", "verify", data)
}

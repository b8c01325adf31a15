package httpapi

import (
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"go.yaml.in/yaml/v3"
)

// Catches: JSON that says something else than the YAML, or that is served as something else.
func TestContractAsJSON(t *testing.T) {
	e := newEdge(t)
	text := e.do("GET", "/openapi.yaml", "")
	if text.body != string(contractYAML) || text.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%v, %d bytes", text.header, len(text.body))
	}
	var fromYAML any
	if err := yaml.Unmarshal(contractYAML, &fromYAML); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(fromYAML) // so that numbers have the same type
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(again, &want); err != nil {
		t.Fatal(err)
	}
	if got := e.do("GET", "/openapi.json", "").ok(); !reflect.DeepEqual(got, want) {
		t.Error("the JSON says something else than the YAML")
	}
}

// Catches: a page that lacks a call or a code, that the problems' links do not lead to, that needs something from
// elsewhere, or that the policy for pages would break.
func TestPages(t *testing.T) {
	e := newEdge(t)
	docs, problems := e.do("GET", "/docs", ""), e.do("GET", "/docs/problems", "")
	for _, o := range theContract().operations {
		if !strings.Contains(docs.body, `<article id="`+o.id+`">`) || !strings.Contains(docs.body, o.path) {
			t.Errorf("/docs lacks %s", o.id)
		}
	}
	for code, k := range kinds {
		place := strings.TrimPrefix(problemsPage+string(code), "/docs/problems#")
		if !strings.Contains(problems.body, `<article id="`+place+`">`) || !strings.Contains(problems.body, k.title) {
			t.Errorf("/docs/problems lacks %s", code)
		}
	}
	for _, page := range []*answered{docs, problems} {
		if page.status != http.StatusOK || page.header.Get("Content-Type") != htmlPage {
			t.Errorf("%s: %d %v", page.call, page.status, page.header)
		}
		if bad := regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|(href|src)="(https?:)?//|ZgotmplZ|no value|\{\{`).FindString(page.body); bad != "" {
			t.Errorf("%s has %q", page.call, bad)
		}
		if n := strings.Count(page.body, `href="/docs/style.css"`); n != 1 {
			t.Errorf("%s: %d style sheets", page.call, n)
		}
	}
	if !strings.Contains(docs.body, "<code>Idempotency-Key</code>") || !strings.Contains(docs.body, "Where is my order?") || strings.Contains(docs.body, "**") {
		t.Error("/docs lacks a parameter or an example, or has marks that nobody turned into text")
	}
	if style := e.do("GET", "/docs/style.css", ""); style.header.Get("Content-Type") != "text/css; charset=utf-8" || style.body == "" ||
		strings.Contains(style.body, "url(") || strings.Contains(style.body, "@import") {
		t.Errorf("style: %v", style.header)
	}
	for _, path := range []string{"/docs", "/docs/problems", "/openapi.json"} { // while the state is being recovered
		starting := newEdge(t)
		starting.handler = NewStarting(Options{Guard: Guard{Keys: newKeyring(t)}})
		if a := starting.do("GET", path, ""); a.status != http.StatusOK {
			t.Errorf("starting, %s: %d", path, a.status)
		}
	}
}

// Catches: a check of the contract that lets everything pass.
func TestBreachesOfTheContractAreSeen(t *testing.T) {
	e := newEdge(t)
	e.source()
	good := e.do("GET", "/v1/sources/1", "")
	breach := func(what string, change func(*answered)) {
		t.Helper()
		a := *good
		a.header = good.header.Clone()
		change(&a)
		if err := theContract().check(e.request("GET", "/v1/sources/1", nil), "", &a); (err == nil) != (what == "") {
			t.Errorf("%s: %v", what, err)
		}
	}
	breach("", func(*answered) {})
	breach("a status", func(a *answered) { a.status = 202 })
	breach("a missing member", func(a *answered) { a.body = strings.Replace(a.body, `"waiting":0,`, "", 1) })
	breach("one too many", func(a *answered) { a.body = strings.Replace(a.body, `"waiting"`, `"colour":1,"waiting"`, 1) })
	breach("a type", func(a *answered) { a.body = strings.Replace(a.body, `"waiting":0`, `"waiting":"0"`, 1) })
	breach("a word", func(a *answered) { a.body = strings.Replace(a.body, `"auto"`, `"Auto"`, 1) })
	breach("a time", func(a *answered) { a.body = strings.Replace(a.body, "T12", " 12", 1) })
	breach("a media type", func(a *answered) { a.header.Set("Content-Type", "text/plain") })
	breach("no id", func(a *answered) { a.header.Del("X-Request-Id") })
	breach("a header", func(a *answered) { a.header.Set("Location", "/v1/sources/1") })
	*good = *e.do("GET", "/v1/sources/2", "")
	breach("", func(*answered) {})
	breach("a code", func(a *answered) { a.body = strings.ReplaceAll(a.body, "source_not_found", "lead_not_found") })
	breach("a problem as another", func(a *answered) { a.header.Set("Content-Type", "application/json") })
	*good = *e.do("POST", "/v1/operators", `{"name":"Ann"}`)
	sent := func(body string) error {
		return theContract().check(e.request("POST", "/v1/operators", nil), body, good)
	}
	if err := sent(`{"name":"Ann"}`); err != nil {
		t.Error(err)
	}
	for _, body := range []string{``, `{}`, `{"name":""}`, `{"name":"Ann","max_load":1001}`, `{"name":"Ann","colour":"red"}`} {
		if sent(body) == nil {
			t.Errorf("accepted %s", body)
		}
	}
}

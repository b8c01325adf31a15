package httpapi

import (
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// step is one call of the flow that sends every example of the contract. Ids in the path are 1 where nothing else is said,
// as in the contract. What the answer has to be is the answer's example of the same name.
type step struct {
	id, example string
	path        string // id=2 or operator_id=2
	repeat      bool   // it was sent before, with the same key
}

// readFlow reads a day's calls: operators and sources are made, contacts come, are looked at, moved, closed, and in the end
// all is taken down. A line has the operation, the example (- = it has none), the ids in its path that are not 1, and repeat.
// cmd/minicrm sends the same to the real binary.
func readFlow(t *testing.T) (flow []step) {
	text, err := os.ReadFile("testdata/flow.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		s := step{id: words[0], example: strings.TrimPrefix(words[1], "-")}
		for _, word := range words[2:] {
			if word == "repeat" {
				s.repeat = true
			} else {
				s.path = word
			}
		}
		flow = append(flow, s)
	}
	return flow
}

// Catches: an example that the service refuses, answers otherwise than the contract says, or that nobody sent.
func TestEveryExampleOfTheContract(t *testing.T) {
	e := newGuardedEdge(t, func(o *Options) {
		o.RocketChat, o.SnapshotEvery, o.Metrics = "sesame", 1_000_000, noMetrics
	})
	used := map[string]bool{}
	for _, s := range readFlow(t) {
		if s.id == "removeLink" { // something that nobody needs, to be deleted
			e.as("root", "POST", "/v1/operators", `{"name":"Eva"}`).ok()
			e.as("root", "POST", "/v1/sources", `{"name":"Old"}`).ok()
		}
		o := theContract().operation(s.id)
		used[s.id+" "+s.example] = true
		o.compare(s, e.send(o.request(e, s)))
	}
	for _, o := range theContract().operations {
		media := o.at.At("requestBody", "content").Each()
		for _, response := range o.at.At("responses").Each() {
			if response.Name() < "300" {
				media = append(media, response.At("content").Each()...)
			}
		}
		for _, m := range media {
			for _, example := range m.At("examples").Each() {
				if !used[o.id+" "+example.Name()] {
					t.Errorf("the example %s of %s was not sent", example.Name(), o.id)
				}
			}
		}
	}
}

func (c *contract) operation(id string) *operation {
	for _, o := range c.operations {
		if o.id == id {
			return o
		}
	}
	panic("the contract has no " + id)
}

// parameters are those of the path and of the operation.
func (o *operation) parameters() []part {
	return append(o.shared.Each(), o.at.At("parameters").Each()...)
}

// request is an operation's request with all its parameters' examples, and the body of a step's example.
func (o *operation) request(e *edge, s step) *http.Request {
	given, err := url.ParseQuery(s.path)
	if err != nil {
		panic(err)
	}
	path, query, header := o.path, url.Values{}, http.Header{"Authorization": {"Bearer root"}}
	header.Set(headerRocketChat, "sesame")
	for _, p := range o.parameters() {
		name, example := p.At("name").Text(), p.At("example")
		switch p.At("in").Text() {
		case "path":
			value := example.Text()
			if given.Has(name) {
				value = given.Get(name)
			}
			path = strings.Replace(path, "{"+name+"}", value, 1)
		case "query":
			if example.Given() {
				query.Set(name, example.Text())
			}
		case "header":
			header.Set(name, example.Text())
		}
	}
	body := ""
	for _, media := range o.at.At("requestBody", "content").Each() {
		if example := media.At("examples", s.example, "value"); example.Given() {
			header.Set("Content-Type", media.Name())
			if body = example.Text(); media.Name() == "application/json" {
				body = string(example.JSON())
			}
		}
	}
	req := e.request(o.method, path+"?"+query.Encode(), strings.NewReader(body))
	if header.Set("X-Request-Id", o.id); len(query) == 0 {
		req.URL.RawQuery = ""
	}
	req.Header = header
	return req
}

// compare holds an answer against the example in the contract.
func (o *operation) compare(s step, a *answered) {
	a.t.Helper()
	if a.status >= 300 || (a.status == 200) != s.repeat && o.id == "createContact" {
		a.t.Errorf("%s %s: %d %s", s.id, s.example, a.status, a.body)
	}
	if s.example == "" {
		return
	}
	want := part{}
	for _, media := range o.at.At("responses", strconv.Itoa(a.status), "content").Each() {
		want = media.At("examples", s.example, "value")
	}
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		if want.Text() != a.body {
			a.t.Errorf("%s: %q", s.id, a.body)
		}
		return
	}
	var got, wanted any
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		a.t.Errorf("%s: %v", s.id, err)
	}
	if err := json.Unmarshal(want.JSON(), &wanted); err != nil || !reflect.DeepEqual(got, wanted) {
		a.t.Errorf("%s %s, status %d\n got %s\nwant %s", s.id, s.example, a.status, a.body, want.JSON())
	}
}

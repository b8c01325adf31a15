package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// document is a part of a server's openapi.json, or all of it.
type document struct{ root, value any }

// at goes down by names, and follows references.
func (d document) at(names ...string) document {
	for _, name := range names {
		object, _ := d.value.(map[string]any)
		d.value = object[name]
		if object, _ := d.value.(map[string]any); object["$ref"] != nil {
			d = document{d.root, d.root}.at(strings.Split(strings.TrimPrefix(object["$ref"].(string), "#/"), "/")...)
		}
	}
	return d
}

func (d document) object() map[string]any {
	object, _ := d.value.(map[string]any)
	return object
}

// parameters are those in a list of them.
func (d document) parameters(of ...string) (all []document) {
	list, _ := d.at(of...).value.([]any)
	for _, item := range list {
		all = append(all, document{d.root, map[string]any{"": item}}.at(""))
	}
	return all
}

// operation finds a call by its id.
func (d document) operation(id string) (method, path string, operation document) {
	for path := range d.at("paths").object() {
		for method := range d.at("paths", path).object() {
			if o := d.at("paths", path, method); o.at("operationId").value == id {
				return strings.ToUpper(method), path, o
			}
		}
	}
	return "", "", document{}
}

// exampleCall is what a line of the flow says to send, and the answers' examples by status. The line is as
// transport/httpapi's readFlow has it.
func (d document) exampleCall(t *testing.T, line string) (c call, answers func(status int) any) {
	words := strings.Fields(line)
	method, path, o := d.operation(words[0])
	c = call{method: method, headers: []string{"X-RocketChat-Secret-Token", "sesame", "X-Request-Id", words[0]}}
	given, err := url.ParseQuery(strings.TrimPrefix(strings.Join(words[2:], ""), "repeat"))
	check(t, err)
	query := url.Values{}
	for _, p := range append(d.at("paths", path).parameters("parameters"), o.parameters("parameters")...) {
		name, _ := p.at("name").value.(string)
		example, there := p.object()["example"]
		text, err := json.Marshal(example)
		check(t, err)
		value := strings.Trim(string(text), `"`)
		switch in := p.at("in").value; {
		case in == "path" && given.Has(name):
			path = strings.Replace(path, "{"+name+"}", given.Get(name), 1)
		case in == "path":
			path = strings.Replace(path, "{"+name+"}", value, 1)
		case in == "query" && there:
			query.Set(name, value)
		case in == "header":
			c.headers = append(c.headers, name, value)
		}
	}
	if c.path = path; len(query) > 0 {
		c.path += "?" + query.Encode()
	}
	for media := range o.at("requestBody", "content").object() {
		switch value := o.at("requestBody", "content", media, "examples", words[1], "value").value.(type) {
		case nil:
		case string:
			c.body, c.headers = value, append(c.headers, "Content-Type", media)
		default:
			text, err := json.Marshal(value)
			check(t, err)
			c.body, c.headers = string(text), append(c.headers, "Content-Type", media)
		}
	}
	return c, func(status int) any {
		for media := range o.at("responses", strconv.Itoa(status), "content").object() {
			return o.at("responses", strconv.Itoa(status), "content", media, "examples", words[1], "value").value
		}
		return nil
	}
}

// aTime is what two runs do not have in common.
var aTime = regexp.MustCompile(`"20\d\d-\d\d-\d\dT[0-9:.]+Z"`)

// Catches: an example of the contract that the real service, with all its parts, refuses or answers otherwise. That every
// example is in the flow is a test of transport/httpapi.
func TestExamplesOfTheContract(t *testing.T) {
	flow, err := os.ReadFile("../../transport/httpapi/testdata/flow.txt")
	check(t, err)
	keys := filepath.Join(t.TempDir(), "keys.yaml")
	root := newKey(t, keys, "--name=root", "--role=admin")
	s := startServer(t, t.TempDir(), "", "--keys="+keys, "--rocketchat-token=sesame").with(root)
	var contract document
	check(t, json.Unmarshal([]byte(s.text("/openapi.json")), &contract.root))
	contract.value = contract.root
	for line := range strings.Lines(string(flow)) {
		if strings.HasPrefix(line, "removeLink") { // something that nobody needs, to be deleted
			s.must("POST", "/v1/operators", `{"name":"Eva"}`, nil)
			s.must("POST", "/v1/sources", `{"name":"Old"}`, nil)
		}
		c, answers := contract.exampleCall(t, line)
		got, err := s.send(c.method, c.path, c.body, c.headers...)
		check(t, err)
		example := answers(got.status)
		if got.status >= 300 || strings.Contains(line, "repeat") != (got.header.Get("Idempotent-Replayed") == "true") {
			t.Errorf("%s: %d %.300s", strings.TrimSpace(line), got.status, got.body)
		}
		if example == nil {
			continue
		}
		text, err := json.Marshal(example)
		check(t, err)
		var want, is any
		check(t, json.Unmarshal(aTime.ReplaceAll(text, []byte(`"time"`)), &want))
		if json.Unmarshal([]byte(aTime.ReplaceAllString(got.body, `"time"`)), &is) != nil {
			is = got.body
		}
		if !reflect.DeepEqual(is, want) {
			t.Errorf("%s: %d\n got %s\nwant %s", strings.TrimSpace(line), got.status, got.body, text)
		}
	}
}

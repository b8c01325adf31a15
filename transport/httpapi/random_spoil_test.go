package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// spoil makes one thing wrong.
func (m *maker) spoil(d *draft) {
	ways := []func(*draft){m.spoilQuery}
	if strings.Contains(d.op.path, "{") {
		ways = append(ways, m.spoilPath)
	}
	if d.op.path == "/metrics" || !strings.HasPrefix(d.op.path, "/v1/") && d.op.id != "nextForRocketChat" {
		return // they look at nothing
	}
	if len(d.op.body) > 0 {
		ways = append(ways, m.spoilBody, m.spoilBody, m.spoilBody)
	}
	if d.op.id == "createContact" {
		ways = append(ways, m.spoilKey)
	}
	pick(m, ways...)(d)
}

func (m *maker) spoilPath(d *draft) {
	m.spoiled = "an id"
	for _, p := range d.op.shared.Each() {
		template, name := strings.Split(d.op.path, "/"), "{"+p.At("name").Text()+"}"
		path := strings.Split(d.path, "/")
		path[slices.Index(template, name)] = pick(m, "0", "x", "-1", "+1", "01", "1.0", "9223372036854775808", "%20", "%00", "1%202", "NaN", strings.Repeat("9", 999))
		d.path = strings.Join(path, "/")
	}
}

func (m *maker) spoilQuery(d *draft) {
	m.spoiled = "a parameter"
	var names []string
	for _, p := range d.op.at.At("parameters").Each() {
		if p.At("in").Text() == "query" && p.At("schema", "type").Text() != "string" || p.At("schema", "enum").Given() || p.At("schema", "format").Given() {
			names = append(names, p.At("name").Text())
		}
	}
	if len(names) > 0 && m.chance(70) {
		d.query.Set(pick(m, names...), pick(m, "", "-1", "x", "99999999999999999999", "\x00", "\xff", "null", "1,2"))
		return
	}
	d.query.Set(pick(m, "colour", "Limit", "", "\xff", "limit[]", strings.Repeat("n", 200)), "1")
}

func (m *maker) spoilKey(d *draft) {
	m.spoiled = "a key"
	d.header["Idempotency-Key"] = pick(m, []string{""}, []string{" "}, []string{"ä"}, []string{strings.Repeat("k", 256)}, []string{"a", "b"})
}

// spoilBody spoils the body: as a whole, or one member of it.
func (m *maker) spoilBody(d *draft) {
	if d.contentType == "application/x-ndjson" || d.op.id == "createContacts" {
		m.spoilBatch(d)
		return
	}
	if d.body == "" || m.chance(25) {
		m.spoilWhole(d)
		return
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(d.body), &object); err != nil {
		panic(err)
	}
	schema := d.op.at.At("requestBody", "content", "application/json", "schema")
	members := schema.At("properties").Each()
	if len(members) == 0 || m.chance(15) {
		m.spoiled = "an unknown member"
		object[pick(m, "colour", "", "Name", "id", "\u0000", strings.Repeat("n", 200))] = 1
	} else {
		m.spoilMember(schema, pick(m, members...), object)
	}
	d.body = encode(object)
}

func (m *maker) spoilWhole(d *draft) {
	m.spoiled = "the body"
	switch m.IntN(4) {
	case 0:
		d.contentType = pick(m, "text/plain", "application/xml", "application/", ";", "multipart/form-data; boundary=x")
	case 1:
		d.body = pick(m, "7", "null", `"x"`, "[]", "true", "[{}]")
	case 2:
		d.body = pick(m, "{", `{"a"}`, "{}{}", "{'a':1}", "\xff", `{"a":"`+"\xff"+`"}`, `{"name":"a","name":"b"}`, "nul", "\x00", strings.Repeat("[", 99), `{"name":01}`)
	default:
		d.body += strings.Repeat(" ", maxBody) + "x"
	}
	if m.chance(10) && d.body != "" {
		d.contentType = "" // which is JSON
		d.body = "{" + d.body
	}
}

// spoilMember gives a member a value that its schema does not allow, or takes one away that must be there.
func (m *maker) spoilMember(schema, member part, object map[string]any) {
	name := member.Name()
	m.spoiled = "the member " + name
	if slices.Contains(schema.At("required").Texts(), name) && m.chance(20) {
		delete(object, name)
		return
	}
	wrong := []any{nil, []any{}, map[string]any{"a": 1}, []any{1}}
	switch member.At("type").Text() {
	case "integer":
		low, high := bounds(member)
		wrong = append(wrong, "1", true, 1.5, low-1, math.MinInt64, 1e300, float64(low)-0.5)
		if high < math.MaxInt64 {
			wrong = append(wrong, high+1, math.MaxInt64)
		}
	case "boolean":
		wrong = append(wrong, 0, "true", "")
	case "string":
		wrong = append(wrong, 1, false, 1e300)
		if longest, err := strconv.Atoi(member.At("maxLength").Text()); err == nil {
			wrong = append(wrong, strings.Repeat("x", longest+1))
		}
		if member.At("enum").Given() {
			wrong = append(wrong, "", "x", "\x00")
		}
		if member.At("pattern").Given() {
			wrong = append(wrong, "", " ", "\t\n ")
		}
	}
	object[name] = pick(m, wrong...)
}

// spoilBatch spoils a batch as a whole. What is wrong with an item is the item's, and checked by the answer's schema.
func (m *maker) spoilBatch(d *draft) {
	if m.chance(50) {
		m.spoiled = "the batch"
		switch m.IntN(3) {
		case 0:
			d.contentType = pick(m, "text/plain", "application/ndjson", "application/")
		case 1:
			d.contentType, d.body = "application/x-ndjson", pick(m, "", "\n", " \r\n\n")
		default:
			d.contentType, d.body = "application/json", pick(m, "", "[", "[]", "{}", "7", "null", "[1", "[1,]", "[{}]]", "[\x00]")
		}
		return
	}
	item := pick(m, "7", "null", "{}", "[]", `{"source_id":"1"}`, `{"source_id":1,"email":"x","colour":1}`, `{"source_id":1,"email":"a@example.org","idempotency_key":""}`,
		fmt.Sprintf(`{"source_id":%d,"email":"a@example.org","text":%q}`, m.IntN(9), strings.Repeat("x", 8193)))
	if d.contentType == "application/x-ndjson" {
		d.body += pick(m, item, "{", "}", "\xff") + "\n"
		return
	}
	d.body = "[" + item + "," + strings.TrimPrefix(d.body, "[")
}

// request turns a draft into a request.
func (d *draft) request(e *edge) *http.Request {
	req := e.request(d.method, "/", strings.NewReader(d.body))
	target := d.path
	if query := d.query.Encode(); query != "" {
		target += "?" + query
	}
	parsed, err := req.URL.Parse(target)
	if err != nil {
		panic(err)
	}
	req.URL, req.Header = parsed, d.header
	if d.contentType != "" {
		req.Header.Set("Content-Type", d.contentType)
	}
	if d.key != "" {
		req.Header.Set("Authorization", "Bearer "+d.key)
	}
	if d.op.id == "nextForRocketChat" {
		req.Header.Set(headerRocketChat, "sesame")
	}
	return req
}

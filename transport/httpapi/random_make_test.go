package httpapi

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// maker makes requests of the contract's schemas: good ones, and ones that have exactly one thing wrong with them.
type maker struct {
	*rand.Rand
	spoiled string // what is wrong with the request; "" = nothing
}

// draft is a request before it is sent.
type draft struct {
	op          *operation
	method      string
	path        string
	query       url.Values
	key         string // of the keys file
	header      http.Header
	contentType string
	body        string
}

func (d *draft) String() string {
	return fmt.Sprintf("%s %s?%s as %q, %v, %s %.2000q", d.method, d.path, d.query.Encode(), d.key, d.header, d.contentType, d.body)
}

func pick[T any](m *maker, from ...T) T { return from[m.IntN(len(from))] }

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

// make makes a request; with spoil, something is wrong with it, if anything of it can be.
func (m *maker) make(o *operation, spoil bool) *draft {
	m.spoiled = ""
	d := &draft{op: o, method: o.method, path: o.path, query: url.Values{}, header: http.Header{}, key: "root"}
	if m.chance(15) {
		d.key = pick(m, "", "watcher", "all-chats", "chat-1", "old", "nonsense")
	}
	if d.method == http.MethodGet && o.id != "nextForRocketChat" && m.chance(10) {
		d.method = http.MethodHead
	}
	m.parameters(d)
	m.body(d)
	if spoil {
		m.spoil(d)
	}
	return d
}

func (m *maker) parameters(d *draft) {
	for _, p := range d.op.parameters() {
		name, value := p.At("name").Text(), m.text(p.At("schema"))
		switch p.At("in").Text() {
		case "path":
			d.path = strings.Replace(d.path, "{"+name+"}", value, 1)
		case "query":
			if p.At("required").Text() == "true" || m.chance(30) {
				d.query.Set(name, value)
			}
		case "header":
			if m.chance(30) {
				d.header.Set(name, value)
			}
		}
	}
	if strings.Contains(d.query.Get("source_id"), "?") {
		d.query.Del("departmentId") // it is there twice
	}
	if d.query.Has("email") {
		d.query.Del("after") // they exclude each other
	}
}

func (m *maker) body(d *draft) {
	content := d.op.at.At("requestBody", "content").Each()
	if len(content) == 0 || !d.op.bodyRequired && m.chance(30) {
		return
	}
	media := pick(m, content...)
	if d.contentType = media.Name(); d.contentType == "application/x-ndjson" {
		item := theContract().root.At("components", "schemas", "NewBatchContact")
		for range 1 + m.IntN(4) {
			d.body += encode(m.value(item)) + pick(m, "\n", "\r\n", "\n\n")
		}
		return
	}
	value := m.value(media.At("schema"))
	if object, ok := value.(map[string]any); ok && object["state"] != nil {
		delete(object, "active") // or they may contradict each other
	}
	d.body = encode(value)
	if m.chance(20) {
		d.contentType = ""
	}
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// text is a value as it stands in a path, query or header.
func (m *maker) text(schema part) string { return fmt.Sprint(m.value(schema)) }

// value makes a good value.
func (m *maker) value(schema part) any {
	if values := schema.At("enum").Texts(); len(values) > 0 {
		return pick(m, values...)
	}
	switch kind := schema.At("type").Text(); kind {
	case "object":
		return m.object(schema)
	case "array":
		items := make([]any, 1+m.IntN(4))
		for i := range items {
			items[i] = m.value(schema.At("items"))
		}
		return items
	case "boolean":
		return m.chance(50)
	case "integer":
		low, high := bounds(schema)
		return pick(m, low, min(high, low+m.Int64N(6)), min(high, low+m.Int64N(6)), min(high, low+m.Int64N(6)), high)
	case "string":
		return m.string(schema)
	default:
		panic("no idea how to make a " + kind)
	}
}

func (m *maker) object(schema part) map[string]any {
	object, required := map[string]any{}, schema.At("required").Texts()
	for _, member := range schema.At("properties").Each() {
		if slices.Contains(required, member.Name()) || m.chance(40) {
			object[member.Name()] = m.value(member)
		}
	}
	return object
}

func bounds(schema part) (low, high int64) {
	low, err := strconv.ParseInt(schema.At("minimum").Text(), 10, 64)
	if err != nil {
		panic(err)
	}
	if high, err = strconv.ParseInt(schema.At("maximum").Text(), 10, 64); err != nil {
		panic(err)
	}
	return low, high
}

// string makes a string. Where the contract counts bytes or says more in words than in the schema, it stays on the safe side.
func (m *maker) string(schema part) string {
	longest := 40
	if text := schema.At("maxLength").Text(); text != "" {
		longest, _ = strconv.Atoi(text)
	}
	switch name := schema.Target(); {
	case name == "Email":
		return pick(m, fmt.Sprintf("lead%d@example.org", m.IntN(20)), pick(m, schema.At("examples").Texts()...))
	case schema.At("format").Text() == "date-time":
		return pick(m, "2026-03-01T12:00:00Z", "2026-03-01T13:00:00.5+01:00", "1970-01-01T00:00:00Z", "2262-01-01T00:00:00Z")
	case name == "IdempotencyKey":
		return pick(m, fmt.Sprint("k", m.IntN(50)), strings.Repeat("~", longest), `!"#$%&'()*+,-./:;<=>?@[\]^_{|}`)
	case schema.At("pattern").Text() == `^[1-9][0-9]{0,17}$`:
		return fmt.Sprint(1 + m.IntN(40))
	case strings.HasSuffix(schema.At("pattern").Text(), `=.*)?$`): // Rocket.Chat's
		return fmt.Sprint(1+m.IntN(3), pick(m, "", "?departmentId=a"))
	case schema.At("pattern").Text() == `\S`:
		return "x" + m.letters(m.IntN(longest))
	case schema.At("pattern").Given():
		panic("no idea how to make a string like " + schema.At("pattern").Text())
	}
	return m.letters(m.IntN(longest + 1))
}

// letters are characters of all kinds, when they are few, and else of one byte each.
func (m *maker) letters(n int) string {
	if n > 20 {
		return strings.Repeat(pick(m, "a", " ", "<", "\\", "\"", "\n"), n)
	}
	var b strings.Builder
	for range n {
		b.WriteRune(pick(m, 'a', 'Z', '0', ' ', '"', '\\', '\n', '\x00', 'ä', '€', '😀', '\u2028', '\ufffd'))
	}
	return b.String()
}

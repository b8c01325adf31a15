package httpapi

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// walk pages through a list to its end; between pages it runs grow.
func (e *edge) walk(path string, limit int, grow func(page int)) (ids []int) {
	e.t.Helper()
	target := fmt.Sprintf("%s?limit=%d", path, limit)
	for page := 0; ; page++ {
		got := e.do("GET", target, "").ok()
		items := got["items"].([]any)
		for _, item := range items {
			member := "id"
			if strings.HasSuffix(path, "/operators") && path != "/v1/operators" {
				member = "operator_id"
			}
			ids = append(ids, int(item.(map[string]any)[member].(float64)))
		}
		if got["next"] == nil {
			return ids
		}
		if len(items) != limit {
			e.t.Fatalf("%s: a page of %d that is not the last", target, len(items))
		}
		grow(page)
		target = fmt.Sprintf("%s?limit=%d&after=%s", path, limit, url.QueryEscape(got["next"].(string)))
	}
}

// Catches: a cursor that is an offset from the end, that skips or repeats an item at a page's edge, or that loses what
// came in while a client was paging.
func TestListsArePagedExactlyOnceWhileTheyGrow(t *testing.T) {
	const first, grown = 11, 4
	for path, add := range map[string]func(e *edge, n int){
		"/v1/operators":           func(e *edge, _ int) { e.operator(1) },
		"/v1/sources":             func(e *edge, _ int) { e.source() },
		"/v1/leads":               func(e *edge, n int) { e.do("POST", "/v1/leads", fmt.Sprintf(`{"email":"l%d@example.org"}`, n)).ok() },
		"/v1/contacts":            func(e *edge, n int) { e.contact(1, fmt.Sprintf("c%d@example.org", n)) },
		"/v1/sources/1/operators": func(e *edge, n int) { e.link(1, n, 1) },
	} {
		for _, limit := range []int{1, 3, 11, 15, 1000} {
			e := newEdge(t)
			have := 0
			if path != "/v1/sources" && path != "/v1/operators" {
				e.source()
				for range first + grown {
					e.operator(1)
				}
			}
			for have < first {
				have++
				add(e, have)
			}
			got := e.walk(path, limit, func(int) {
				if have < first+grown {
					have++
					add(e, have)
				}
			})
			want := make([]int, have)
			for i := range want {
				want[i] = i + 1
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s by %d: %v, want 1 to %d", path, limit, got, have)
			}
		}
	}
}

// Catches: a default limit that is another, and a next on a page that is full and the last.
func TestListDefaultLimit(t *testing.T) {
	e := newEdge(t)
	for range defaultLimit {
		e.source()
	}
	if next := e.do("GET", "/v1/sources", "").ok()["next"]; next != nil {
		t.Errorf("next %v, but nothing follows", next)
	}
	e.source()
	got := e.do("GET", "/v1/sources", "").ok()
	if n := len(got["items"].([]any)); n != defaultLimit || got["next"] == nil {
		t.Errorf("%d items, next %v", n, got["next"])
	}
}

// Catches: items that are null in an empty list.
func TestEmptyLists(t *testing.T) {
	e := newEdge(t)
	for _, path := range []string{"/v1/operators", "/v1/sources", "/v1/leads", "/v1/contacts", "/v1/contacts?status=open&lead_id=7"} {
		e.do("GET", path, "").is(200, `{"items":[],"next":null}`)
	}
	e.source()
	e.do("GET", "/v1/sources/1/operators?after=99", "").is(200, `{"items":[],"next":null}`)
}

// Catches: a filter that is ignored, or joined by or instead of and.
func TestContactFilters(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.source()
	e.operator(3)
	e.operator(1)
	e.link(1, 1, 1)
	e.link(2, 2, 1)
	for i, source := range []int{1, 2, 1, 2, 1, 1} { // operators 1 2 1 - 1 -
		e.contact(source, fmt.Sprintf("l%d@example.org", i%3))
	}
	e.do("POST", "/v1/contacts/1/close", "").ok() // 6 is assigned then
	for _, c := range []struct {
		query string
		want  []int
	}{
		{"", []int{1, 2, 3, 4, 5, 6}},
		{"status=closed", []int{1}},
		{"status=open", []int{4}},
		{"status=assigned", []int{2, 3, 5, 6}},
		{"source_id=2", []int{2, 4}},
		{"operator_id=1", []int{1, 3, 5, 6}},
		{"lead_id=1", []int{1, 4}},
		{"lead_id=1&source_id=2", []int{4}},
		{"status=assigned&source_id=1&operator_id=1&lead_id=3", []int{3, 6}},
		{"status=open&source_id=1", nil},
		{"source_id=3", nil},
		{"operator_id=9223372036854775807", nil},
	} {
		var got []int
		for _, item := range e.do("GET", "/v1/contacts?"+c.query, "").ok()["items"].([]any) {
			got = append(got, int(item.(map[string]any)["id"].(float64)))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.query, got, c.want)
		}
	}
}

// Catches: a bad value that means "all", a parameter with a typo that is ignored, the first of two values taken, and
// a list that accepts the filters of another.
func TestBadQueries(t *testing.T) {
	e := newEdge(t)
	e.source()
	lists := []string{"/v1/operators", "/v1/sources", "/v1/leads", "/v1/contacts", "/v1/sources/1/operators"}
	for query, fields := range map[string][]string{
		"limit=0":                     {"limit"},
		"limit=1001":                  {"limit"},
		"limit=-1":                    {"limit"},
		"limit=":                      {"limit"},
		"limit=ten":                   {"limit"},
		"limit=1&limit=2":             {"limit"},
		"after=":                      {"after"},
		"after=0":                     {"after"},
		"after=-1":                    {"after"},
		"after=x":                     {"after"},
		"after=1.5":                   {"after"},
		"after=99999999999999999999":  {"after"},
		"colour=red":                  {"colour"},
		"Limit=1":                     {"Limit"},
		"b=1&a=1&limit=x":             {"limit", "a", "b"},
		"%ff=1":                       {"\ufffd"},
		strings.Repeat("k", 99) + "=": {strings.Repeat("k", maxShown) + "…"},
	} {
		for _, path := range lists {
			e.do("GET", path+"?"+query, "").problem(422, "invalid", fields...)
		}
	}
	for query, fields := range map[string][]string{
		"status=new":    {"status"},
		"status=Open":   {"status"},
		"status=":       {"status"},
		"source_id=x":   {"source_id"},
		"operator_id=0": {"operator_id"},
		"lead_id=-1":    {"lead_id"},
		"lead_id=":      {"lead_id"},
		"email=a@b":     {"email"},
		"status=x&source_id=y&operator_id=z&lead_id=w&limit=v&after=u": {"lead_id", "after", "limit", "status", "source_id", "operator_id"},
	} {
		e.do("GET", "/v1/contacts?"+query, "").problem(422, "invalid", fields...)
	}
	for _, query := range []string{"%zz", "a;b", "limit=%"} {
		e.do("GET", "/v1/contacts?"+query, "").problem(400, "malformed")
	}
	e.do("GET", "/v1/sources/1?limit=1", "").problem(422, "invalid", "limit")
	e.do("GET", "/v1/sources/x/operators?limit=x", "").problem(422, "invalid", "id", "limit")
}

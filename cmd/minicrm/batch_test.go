package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// batchResult is one result of a batch.
type batchResult struct {
	Status   int
	Replayed bool
	Contact  contactView
	Problem  struct{ Code string }
}

// batch posts a batch: an array, or else lines.
func (s *server) batch(body string) ([]batchResult, error) {
	var headers []string
	if !strings.HasPrefix(body, "[") {
		headers = []string{"Content-Type", "application/x-ndjson"}
	}
	got, err := s.send("POST", "/v1/contacts/batch", body, headers...)
	if err != nil {
		return nil, err
	}
	var answer struct{ Items []batchResult }
	if got.status != http.StatusOK {
		return nil, fmt.Errorf("batch: %d %.500s", got.status, got.body)
	}
	err = json.Unmarshal([]byte(got.body), &answer)
	return answer.Items, err
}

// badItems are items that are refused, and why.
var badItems = []struct{ item, code string }{
	{`{"source_id":99,"email":"p@example.com"}`, "source_not_found"},
	{`{"source_id":1,"email":"nobody"}`, "invalid"},
	{`{"source_id":1,"email":"p@example.com","colour":"red"}`, "malformed"},
	{`7`, "invalid"},
	{`{"source_id":1,"email":"p@example.com","priority":10}`, "invalid"},
}

// Catches: results that are not in order, a good contact that a bad one holds up, one that is lost or made twice, shares
// that do not hold for a batch, a batch that a kill tears apart although it was answered.
func TestBatchOfTenThousand(t *testing.T) {
	const items, sources = 10_000, 3
	data := t.TempDir()
	s := startServer(t, data, "")
	s.furnish(sources, 1000, []int{1, 2, 5})
	parts := make([]string, items)
	want := make([]string, items) // a code, or a text
	for i := range parts {
		want[i] = fmt.Sprint("text ", i)
		parts[i] = fmt.Sprintf(`{"source_id":%d,"email":"p%d@example.com","text":%q,"idempotency_key":"k%d"}`, 1+i%sources, i%700, want[i], i)
		if i%97 == 5 {
			bad := badItems[i%len(badItems)]
			parts[i], want[i] = bad.item, bad.code
		}
	}
	for round, body := range []string{"[" + strings.Join(parts, ",") + "]", strings.Join(parts, "\n")} {
		results, err := s.batch(body)
		check(t, err)
		if len(results) != items {
			t.Fatalf("%d results", len(results))
		}
		good := 0
		for i, r := range results {
			if r.Problem.Code != "" {
				if r.Problem.Code != want[i] || r.Status < 400 {
					t.Errorf("item %d: %+v, want %s", i, r, want[i])
				}
				continue
			}
			good++
			if r.Contact.Text != want[i] || r.Contact.Source != int64(1+i%sources) || r.Replayed != (round == 1) || r.Status != 201-round {
				t.Errorf("round %d, item %d: %+v", round, i, r)
			}
		}
		s.kill() // it was answered, so all of it is on the disk
		s = startServer(t, data, "")
		if got := len(list[contactJSON](s, "/v1/contacts")); got != good {
			t.Errorf("%d contacts, %d were answered", got, good)
		}
	}
	check(t, readWorld(s).atRest())
	s.kill()
	wantRun(t, 0, "state: ", "wal", "verify", data)
}

// Catches: batches that race with single contacts and with each other, and that lose contacts, make them twice, or push
// somebody over its limit.
func TestBatchesRace(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, data, "")
	s.furnish(3, 40, []int{1, 2, 3, 4})
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for i := range 15 {
				if client == 0 {
					_, err := s.copyOf(1000+i, false)
					if err != nil {
						t.Error(err)
					}
					continue
				}
				parts := make([]string, 40)
				for n := range parts {
					parts[n] = fmt.Sprintf(`{"source_id":%d,"email":"p%d@example.com","priority":%d}`, 1+n%3, n%9, n%10)
				}
				results, err := s.batch(strings.Join(parts, "\n"))
				if err != nil {
					t.Error(err)
					return
				}
				for n, r := range results {
					if r.Status != 201 {
						t.Errorf("item %d: %+v", n, r)
					}
					if n%2 == 0 {
						if status, err := s.call("POST", fmt.Sprintf("/v1/contacts/%d/close", r.Contact.ID), "", nil); err != nil || status != 200 {
							t.Errorf("close: status %d, %v", status, err)
						}
					}
				}
			}
		})
	}
	clients.Wait()
	barrier(s, 3)
	w := readWorld(s)
	check(t, w.atRest())
	if want := 7*15*40 + 15; len(w.contacts) != want {
		t.Errorf("%d contacts, want %d", len(w.contacts), want)
	}
	for _, o := range w.operators {
		if o.Load > o.MaxLoad {
			t.Errorf("operator %+v", o)
		}
	}
	s.kill()
	wantRun(t, 0, "state: ", "wal", "verify", data)
}

// Catches: limits of a batch that are another's, or that end the connection instead of being answered.
func TestBatchRefusals(t *testing.T) {
	s := startServer(t, t.TempDir(), "")
	s.furnish(1, 5, []int{1})
	item := `{"source_id":1,"email":"p@example.com"}`
	s.play([]call{
		{"POST", "/v1/contacts/batch", "[" + item, 400, "malformed", nil},
		{"POST", "/v1/contacts/batch", item, 422, "invalid", nil},
		{"POST", "/v1/contacts/batch", "[]", 422, "invalid", nil},
		{"POST", "/v1/contacts/batch", "[" + item + "]", 422, "invalid", []string{"Idempotency-Key", "k"}},
		{"POST", "/v1/contacts/batch", "[" + item + "]", 415, "unsupported_media_type", []string{"Content-Type", "text/csv"}},
		{"POST", "/v1/contacts/batch", "[" + strings.Repeat(item+",", 10_000) + item + "]", 413, "too_large", nil},
		{"POST", "/v1/contacts/batch", "[" + strings.Repeat(" ", 32<<20) + item + "]", 413, "too_large", nil},
		{"GET", "/v1/contacts", "", 200, `"items":[]`, nil},
		{"POST", "/v1/contacts/batch", item + "\n{\n" + item, 200, `"code":"malformed"`, []string{"Content-Type", "application/x-ndjson"}},
	})
}

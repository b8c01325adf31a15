package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"minicrm/domain"
)

const ndjson = "application/x-ndjson"

// batch posts a batch.
func (e *edge) batch(media, body string) *answered {
	e.t.Helper()
	req := e.request("POST", "/v1/contacts/batch", strings.NewReader(body))
	req.Header.Set("Content-Type", media)
	return e.send(req)
}

// results checks the status or the code of each item, and returns them.
func (a *answered) results(want ...any) (items []map[string]any) {
	a.t.Helper()
	var got []any
	for _, item := range a.ok()["items"].([]any) {
		item := item.(map[string]any)
		items = append(items, item)
		if p, refused := item["problem"].(map[string]any); refused {
			got = append(got, p["code"])
			if p["status"] != item["status"] || p["type"] != "/docs/problems#"+p["code"].(string) || p["title"] == "" || p["detail"] == "" {
				a.t.Errorf("incomplete problem: %v", item)
			}
		} else {
			got = append(got, int(item["status"].(float64)))
		}
	}
	if !slices.Equal(got, want) {
		a.t.Errorf("got  %v\nwant %v\n%.2000s", got, want, a.body)
	}
	return items
}

// Catches: results in another order, a good contact held up by a bad one, a problem that differs from a single call's,
// a whole batch that fails for one item, another answer to the other form.
func TestBatchOfGoodAndBad(t *testing.T) {
	over := strings.Repeat("x", domain.MaxText+1)
	items := []string{
		post,
		`{"source_id":9,"email":"a@example.org"}`,
		`{"source_id":1,"email":"nobody","priority":17}`,
		`{"source_id":1,"email":"a@example.org","colour":"red"}`,
		`{"source_id":1,"source_id":1,"email":"a@example.org"}`,
		`7`, `null`, `[]`, `"x"`, `true`,
		"{\"source_id\":1,\"email\":\"a@example.org\",\"text\":\"\xff\"}",
		`{"source_id":1,"email":"a@example.org","text":"` + over + `"}`,
		` { "priority" : 3 , "text" : "Wh\u00e4t?\n\ud83d\ude00" , "email" : "B@Example.org" , "source_id" : 1, "name":"B", "phone":"2" } `,
		`{"source_id":1,"email":"a@example.org","idempotency_key":""}`,
		`{"source_id":1,"email":"a@example.org","idempotency_key":"ä"}`,
		`{"source_id":1,"email":"c@example.org","idempotency_key":"k"}`,
		`{"source_id":1,"email":"c@example.org","idempotency_key":"k"}`,
		`{"source_id":1,"email":"d@example.org","idempotency_key":"k"}`,
		`{"source_id":1.0,"email":"a@example.org"}`, `{"source_id":0,"email":"a@example.org"}`,
	}
	want := []any{
		201, "source_not_found", "invalid", "malformed", "malformed", "invalid", "invalid", "invalid", "invalid", "invalid", "malformed", "invalid",
		201, "invalid", "invalid", 201, 200, "idempotency_key_reused", "invalid", "invalid",
	}
	for media, body := range map[string]string{
		"application/json":             "[" + strings.Join(items, ",\n") + "]",
		ndjson:                         strings.Join(items, "\r\n\n \n"),
		ndjson + "; charset=utf-8":     "\n" + strings.Join(items, "\n") + "\n",
		"application/json;charset=x":   " [ " + strings.Join(items, " , ") + " ] ",
		"Application/JSON; q=\"a\\\"b": "[" + strings.Join(items, ",") + "]",
	} {
		e := newEdge(t)
		e.source()
		a := e.batch(media, body)
		if strings.HasSuffix(media, `b`) { // no media type at all
			a.problem(415, "unsupported_media_type")
			continue
		}
		got := a.results(want...)
		if fields := fmt.Sprint(got[2]["problem"].(map[string]any)["errors"]); !strings.Contains(fields, "email") || !strings.Contains(fields, "priority") {
			t.Errorf("%s: %s", media, fields)
		}
		if c := got[12]["contact"].(map[string]any); c["text"] != "Whät?\n😀" || c["priority"] != 3.0 || c["id"] != 2.0 {
			t.Errorf("%s: %v", media, c)
		}
		if got[16]["replayed"] != true || fmt.Sprint(got[16]["contact"]) != fmt.Sprint(got[15]["contact"]) || got[15]["replayed"] != nil {
			t.Errorf("%s: the repeat is %v, the first %v", media, got[16], got[15])
		}
		for i, item := range items { // each is refused as a single contact is
			if single := e.do("POST", "/v1/contacts", item); got[i]["problem"] != nil && !strings.Contains(item, "idempotency_key") {
				if fmt.Sprint(single.json()) != fmt.Sprint(got[i]["problem"]) {
					t.Errorf("%s: %.80s\n got %v\nwant %v", media, item, got[i]["problem"], single.json())
				}
			}
		}
	}
}

// Catches: an answer of another shape.
func TestBatchToTheByte(t *testing.T) {
	e := newEdge(t)
	e.source()
	a := e.batch("", `[`+post+`,7]`)
	want := `{"items":[{"status":201,"contact":` + contactJSON(1, "null", "open", "null", "null", "null") + `},` +
		`{"status":422,"problem":{"type":"/docs/problems#invalid","title":"The request has bad values","status":422,"code":"invalid",` +
		`"detail":"the request has bad values","errors":[{"field":"body","message":"must be an object, not a number"}]}}]}`
	if a.status != 200 || a.body != want || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v\ngot  %s\nwant %s", a.status, a.header, a.body, want)
	}
}

// Catches: what is no batch, taken for one; half of a batch dispatched before the rest is found to be no JSON; a line that
// spoils the others.
func TestBatchesThatAreRefused(t *testing.T) {
	e := newEdge(t)
	e.source()
	for _, c := range []struct {
		media, body string
		status      int
		code        string
		fields      string
	}{
		{"", ``, 400, "malformed", ""},
		{"", `[`, 400, "malformed", ""},
		{"", `[` + post, 400, "malformed", ""},
		{"", `[` + post + `,`, 400, "malformed", ""},
		{"", `[` + post + `,]`, 400, "malformed", ""},
		{"", `[` + post + `,{"source_id":01}]`, 400, "malformed", ""},
		{"", `[` + post + `]]`, 400, "malformed", ""},
		{"", `[` + post + `] {}`, 400, "malformed", ""},
		{"", post + "\n" + post, 422, "invalid", "body"},
		{"", `null`, 422, "invalid", "body"},
		{"", `"x"`, 422, "invalid", "body"},
		{"", `[]`, 422, "invalid", "body"},
		{ndjson, ``, 422, "invalid", "body"},
		{ndjson, " \n\r\n\t\n", 422, "invalid", "body"},
		{"text/plain", `[` + post + `]`, 415, "unsupported_media_type", ""},
		{"application/ndjson", post, 415, "unsupported_media_type", ""},
	} {
		e.batch(c.media, c.body).problem(c.status, c.code, strings.Fields(c.fields)...)
	}
	e.batch(ndjson, "{\n"+post+"\n}").results("malformed", 201, "malformed")
	e.batch(ndjson, `[`+post+`]`).results("invalid")
	e.batch(ndjson, post+` `+post).results("malformed")
	if n := e.leads(); n != 1 {
		t.Errorf("%d leads", n)
	}
	req := e.request("POST", "/v1/contacts/batch?dry=1", strings.NewReader(`[]`))
	req.Header["Idempotency-Key"] = []string{"k"}
	e.send(req).problem(422, "invalid", "Idempotency-Key", "body", "dry")
	e.send(e.request("POST", "/v1/contacts/batch", failing(`[`+post+`,`))).problem(400, "malformed")
}

// Catches: limits that are off by one, that are found only when everything is in memory, or that are one form's only.
func TestBatchLimits(t *testing.T) {
	e := newEdge(t, func(o *Options) { o.Dispatcher = idleHouse{o.Dispatcher.(*house)} })
	for _, n := range []int{maxBatch, maxBatch + 1} {
		for media, body := range map[string]string{"": batchOf(n, "[", ",", "]"), ndjson: batchOf(n, "", "\n", "")} {
			a := e.batch(media, body)
			if n > maxBatch {
				a.problem(413, "too_large")
			} else if got := len(a.ok()["items"].([]any)); got != n {
				t.Errorf("%d results of %d", got, n)
			}
		}
	}
	big := strings.Repeat(" ", maxBody)
	e.batch(ndjson, post+"\n"+big+post+"\n"+post).results(201, "too_large", 201)
	e.batch("", `[`+post+`,{`+big+post[1:]+`,`+post+`]`).results(201, "too_large", 201)
	e.batch("", `[`+strings.Repeat(" ", maxBatchBody)+post+`]`).problem(413, "too_large")
	for media, start := range map[string]string{"application/json": "[", ndjson: "\n"} {
		req := e.request("POST", "/v1/contacts/batch", io.MultiReader(strings.NewReader(start), endless{}))
		req.ContentLength = -1
		req.Header.Set("Content-Type", media)
		e.send(req).problem(413, "too_large")
	}
}

// endless is a body of spaces without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// failingBatch answers a batch with an error, or with results that have one.
type failingBatch struct {
	*house
	err, each error
}

func (f *failingBatch) CreateContacts(_ context.Context, all []domain.NewContact, _ domain.Stamp) ([]domain.CreatedContact, error) {
	results := make([]domain.CreatedContact, len(all))
	for i := range results {
		results[i].Err = f.each
	}
	return results, f.err
}

// Catches: an internal text shown in a result, or an error that nobody is told about.
func TestBatchFailures(t *testing.T) {
	fail := &failingBatch{}
	e := newEdge(t, func(o *Options) {
		fail.house = o.Dispatcher.(*house)
		o.Dispatcher = fail
	})
	fail.err = domain.Refuse(domain.CodeUnavailable, "stopping")
	e.batch("", `[`+post+`]`).problem(503, "unavailable")
	fail.err, fail.each = nil, errors.New("secret")
	a := e.batch("", `[7,`+post+`]`)
	a.results("invalid", "internal")
	if strings.Contains(a.body, "secret") || strings.Count(e.log.String(), "secret") != 1 || !strings.Contains(e.log.String(), "request="+a.header.Get("X-Request-Id")) {
		t.Errorf("%s\nlog: %s", a.body, e.log)
	}
	e.batch("", `[`+strings.Repeat(post+`,`, 500)+post+`]`)
	if n := strings.Count(e.log.String(), "secret"); n > 4*maxLinesPerSecond { // a second may end while this runs
		t.Errorf("%d lines of one batch", n)
	}
	if got := e.metric("minicrm_http_in_flight_requests"); got != 0 {
		t.Errorf("%v places are still taken", got)
	}
}

// slowBatch holds each batch until it is let go.
type slowBatch struct {
	*house
	arrived, letGo chan struct{}
}

func (s *slowBatch) CreateContacts(ctx context.Context, all []domain.NewContact, by domain.Stamp) ([]domain.CreatedContact, error) {
	s.arrived <- struct{}{}
	<-s.letGo
	return s.house.CreateContacts(ctx, all, by)
}

// Catches: a batch that counts as one command, one that never gets in, one that nothing gets in beside, and places that
// are not given back.
func TestBatchTakesPlaces(t *testing.T) {
	slow := &slowBatch{arrived: make(chan struct{}), letGo: make(chan struct{})}
	e := newEdge(t, func(o *Options) {
		slow.house = o.Dispatcher.(*house)
		o.Dispatcher, o.MaxInFlight = slow, 20
	})
	e.source()
	var held sync.WaitGroup
	start := func(n int, places float64) {
		t.Helper()
		held.Go(func() { e.batch("", batchOf(n, "[", ",", "]")).ok() })
		<-slow.arrived
		if got := e.metric("minicrm_http_in_flight_requests"); got != places {
			t.Errorf("with a batch of %d more, %v places are taken, want %v", n, got, places)
		}
	}
	start(6, 6)
	start(50, 16) // half of all
	e.do("POST", "/v1/contacts", post).ok()
	start(4, 20)
	e.batch("", `[`+post+`]`).problem(503, "overloaded")
	e.do("POST", "/v1/contacts", post).problem(503, "overloaded")
	e.batch("", `[7]`).results("invalid") // it needs none
	for range 3 {
		slow.letGo <- struct{}{}
	}
	held.Wait()
	if got := e.metric("minicrm_http_in_flight_requests"); got != 0 {
		t.Errorf("%v places are still taken", got)
	}
}

// Catches: contacts or problems of an earlier batch that shine through.
func TestBatchesDoNotMix(t *testing.T) {
	e := newEdge(t)
	e.source()
	e.batch("", `[7,`+post+`,`+strings.Replace(post, `"hi"`, `"h\u0069"`, 1)+`]`).results("invalid", 201, 201)
	got := e.batch(ndjson, `{"source_id":1,"email":"b@example.org"}`).results(201)
	if c := got[0]["contact"].(map[string]any); c["text"] != "" || c["lead_id"] != 2.0 {
		t.Errorf("%v", c)
	}
	if got := e.do("GET", "/v1/leads/2", "").ok(); got["name"] != "" || got["phone"] != "" {
		t.Errorf("%v", got)
	}
}

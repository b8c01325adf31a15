package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"minicrm/domain"
)

// fake is a service in memory that does what a load needs, right, until mischief changes an answer.
type fake struct {
	mu        sync.Mutex
	operators []fakeOperator // by id - 1
	sources   []*fakeSource
	contacts  []*fakeContact
	leads     map[string]int64
	keys      map[string]int // how often each idempotency key came

	mischief func(f *fake, c *fakeContact, answer *fakeContact) (status int) // 0 = none; under the lock
	before   func(r *http.Request)                                           // outside of the lock
}

type (
	fakeOperator struct {
		ID      int64 `json:"id"`
		MaxLoad int   `json:"max_load"`
		Load    int   `json:"load"`
	}
	fakeSource struct {
		ID      int64 `json:"id"`
		ledger  domain.Ledger
		backlog []*fakeContact
		cheat   bool // weights are ignored
	}
	fakeContact struct {
		ID       int64  `json:"id"`
		Source   int64  `json:"source_id"`
		Lead     int64  `json:"lead_id"`
		Operator *int64 `json:"operator_id"`
		Status   string `json:"status"`
		Text     string `json:"text"`
	}
	fakeBody struct {
		Source  int64  `json:"source_id"`
		Email   string `json:"email"`
		Name    string `json:"name"`
		Phone   string `json:"phone"`
		Text    string `json:"text"`
		Key     string `json:"idempotency_key"`
		Weight  int64  `json:"weight"`
		MaxLoad int    `json:"max_load"`
	}
)

// startFake serves the fake until the test ends and returns its URL.
func startFake(t *testing.T, f *fake) string {
	f.leads, f.keys = map[string]int64{}, map[string]int{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/operators", f.handle(f.createOperator))
	mux.HandleFunc("GET /v1/operators/{id}", f.handle(func(r *http.Request, _ []byte) (int, any) {
		return 200, f.operators[id(r, "id")-1]
	}))
	mux.HandleFunc("POST /v1/sources", f.handle(f.createSource))
	mux.HandleFunc("PUT /v1/sources/{id}/operators/{op}", f.handle(f.setLink))
	mux.HandleFunc("GET /v1/sources/{id}/operators", f.handle(f.listLinks))
	mux.HandleFunc("POST /v1/contacts", f.handle(f.post))
	mux.HandleFunc("POST /v1/contacts/batch", f.handle(f.postBatch))
	mux.HandleFunc("GET /v1/contacts/{id}", f.handle(func(r *http.Request, _ []byte) (int, any) {
		return f.show(200, f.contacts[id(r, "id")-1])
	}))
	mux.HandleFunc("POST /v1/contacts/{id}/close", f.handle(f.close))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func (f *fake) handle(h func(r *http.Request, body []byte) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		if r.ContentLength > 0 && json.NewDecoder(r.Body).Decode(&body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if f.before != nil {
			f.before(r)
		}
		f.mu.Lock()
		status, answer := h(r, body)
		encoded, err := json.Marshal(answer)
		f.mu.Unlock()
		if err != nil {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		_, _ = w.Write(encoded)
	}
}

func id(r *http.Request, name string) int64 {
	n, _ := strconv.ParseInt(r.PathValue(name), 10, 64)
	return n
}

func read(body []byte) (b fakeBody) {
	_ = json.Unmarshal(body, &b) // what is missing is zero
	return b
}

func (f *fake) createOperator(_ *http.Request, body []byte) (int, any) {
	f.operators = append(f.operators, fakeOperator{ID: int64(len(f.operators) + 1), MaxLoad: read(body).MaxLoad})
	return 201, f.operators[len(f.operators)-1]
}

func (f *fake) createSource(*http.Request, []byte) (int, any) {
	f.sources = append(f.sources, &fakeSource{ID: int64(len(f.sources) + 1)})
	return 201, f.sources[len(f.sources)-1]
}

func (f *fake) setLink(r *http.Request, body []byte) (int, any) {
	f.sources[id(r, "id")-1].ledger.Set(domain.OperatorID(id(r, "op")), read(body).Weight)
	return 200, struct{}{}
}

func (f *fake) listLinks(r *http.Request, _ []byte) (int, any) {
	l := &f.sources[id(r, "id")-1].ledger
	items := []linkAnswer{}
	for _, row := range l.Links() {
		item := linkAnswer{
			Operator: int64(row.Operator), Weight: row.Weight,
			Target: float64(row.Weight) / float64(l.Weights()), Lag: float64(row.Lag) / domain.One,
		}
		item.Received.Automatic = int64(row.Received)
		items = append(items, item)
	}
	return 200, map[string]any{"items": items, "next": nil}
}

func (f *fake) post(r *http.Request, body []byte) (int, any) {
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		f.keys[key]++
	}
	return f.show(201, f.create(read(body)))
}

func (f *fake) postBatch(_ *http.Request, body []byte) (int, any) {
	var all []fakeBody
	if json.Unmarshal(body, &all) != nil {
		return 400, nil
	}
	items := []map[string]any{}
	for _, b := range all {
		if b.Key != "" {
			f.keys[b.Key]++
		}
		status, answer := f.show(201, f.create(b))
		what := "contact"
		if status != 201 {
			what, answer = "problem", map[string]string{"code": "mischief"}
		}
		items = append(items, map[string]any{"status": status, what: answer})
	}
	return 200, map[string]any{"items": items}
}

func (f *fake) create(b fakeBody) *fakeContact {
	if !strings.Contains(b.Email, "@") || b.Name == "" || b.Phone == "" || b.Text == "" {
		panic(fmt.Sprintf("the body %+v is not whole", b))
	}
	lead, known := f.leads[b.Email]
	if !known {
		lead = int64(len(f.leads) + 1)
		f.leads[b.Email] = lead
	}
	c := &fakeContact{ID: int64(len(f.contacts) + 1), Source: b.Source, Lead: lead, Status: statusOpen, Text: b.Text}
	f.contacts = append(f.contacts, c)
	if s := f.sources[b.Source-1]; !f.assign(s, c) {
		s.backlog = append(s.backlog, c)
	}
	return c
}

func (f *fake) assign(s *fakeSource, c *fakeContact) bool {
	links := s.ledger.Links()
	set := make(domain.Rows, len(links)/64+1)
	for row, l := range links {
		if op := f.operators[l.Operator-1]; op.Load < op.MaxLoad {
			set.Add(row)
		}
	}
	if set.Count() == 0 {
		return false
	}
	row := s.ledger.Pick(set)
	if s.cheat {
		row = int(c.ID) % len(links)
	}
	s.ledger.Charge(set, row, domain.Automatic)
	op := int64(links[row].Operator)
	f.operators[op-1].Load++
	c.Operator, c.Status = &op, statusAssigned
	return true
}

func (f *fake) close(r *http.Request, _ []byte) (int, any) {
	c := f.contacts[id(r, "id")-1]
	if c.Status == statusAssigned {
		f.operators[*c.Operator-1].Load--
	}
	c.Status = statusClosed
	for _, s := range f.sources {
		for len(s.backlog) > 0 && (s.backlog[0].Status == statusClosed || f.assign(s, s.backlog[0])) {
			s.backlog = s.backlog[1:]
		}
	}
	return f.show(200, c)
}

func (f *fake) show(status int, c *fakeContact) (int, any) {
	answer := *c
	if f.mischief != nil {
		if s := f.mischief(f, c, &answer); s != 0 {
			status = s
		}
	}
	return status, answer
}

// small is a load that takes a moment.
func small(target string) Options {
	return Options{
		Target: target, Connections: 8, Contacts: 1000, Timeout: 5 * time.Second, Arrivals: Steady,
		Mix:     Mix{Posts: 5, Closes: 4, Reads: 1},
		Sources: 3, Operators: 9, Links: 6, Weights: []int64{1, 2, 5}, MaxLoad: 1000,
		Leads: 500, Zipf: 1.2, Seed: 1, Check: CheckAll,
	}
}

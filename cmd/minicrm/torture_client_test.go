package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// The answers, with all that TestTorture holds against its memory.
type (
	contactView struct {
		contactJSON
		How  string `json:"how"`
		Text string `json:"text"`
	}
	operatorView struct {
		operatorJSON
		Name   string `json:"name"`
		Active bool   `json:"active"`
	}
	sourceView struct {
		ID      int64  `json:"id"`
		Backlog string `json:"backlog"`
	}
)

// errGone is no answer: the server was killed, or should not be gone.
var errGone = errors.New("no answer")

// ask sends a request. A refusal is returned as its code, with "" for success; out is decoded then.
func (s *server) ask(method, path, body string, out any) (code string, err error) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return "", errors.Join(errGone, err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", errors.Join(errGone, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		var problem struct {
			Code   string `json:"code"`
			LeadID int64  `json:"lead_id"`
		}
		err = json.Unmarshal(answer, &problem)
		if lead, ok := out.(*leadJSON); ok {
			lead.ID = problem.LeadID
		}
		return problem.Code, err
	}
	if out == nil {
		return "", nil
	}
	return "", json.Unmarshal(answer, out)
}

// tormentor is one client: it sends one random command after the other and checks each answer at once.
type tormentor struct {
	s          *server
	m          *memory
	rng        *rand.Rand
	name       string
	sent       int
	live       int // how many contacts the clients together try to keep open or assigned
	last       int64
	operators  int64 // how many there may be at most
	sources    int64
	returnings int // leads that return
}

// run sends commands until stop is closed or something is wrong; errGone is for the caller to judge.
func (c *tormentor) run(stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := c.step(); err != nil {
			return fmt.Errorf("client %s: %w", c.name, err)
		}
	}
}

func (c *tormentor) step() error {
	switch n := c.rng.IntN(100); {
	case n < 62:
		if c.rng.IntN(2*c.live) >= c.m.live() {
			return c.post()
		}
		return c.close()
	case n < 74:
		return c.assign()
	case n < 81:
		return c.look()
	case n < 92:
		return c.changeOperator()
	case n < 96:
		return c.link()
	case n < 97:
		return c.changeSource()
	case n < 98:
		return c.lead()
	case n < 99:
		return c.erase()
	}
	return c.manage()
}

// post creates a contact of a lead that often is known, and that spells its email as it likes.
func (c *tormentor) post() error {
	token := c.token()
	a := &asking{source: c.source(), email: fmt.Sprintf("lead%d@example.com", c.rng.IntN(c.returnings))}
	c.m.mu.Lock()
	from := c.m.tick()
	c.m.posts[token], c.m.emails[a.email] = a, true
	c.m.mu.Unlock()
	spelled := []string{a.email, strings.ToUpper(a.email), " " + a.email}[c.rng.IntN(3)]
	var got contactView
	code, err := c.s.ask("POST", "/v1/contacts", fmt.Sprintf(`{"source_id":%d,"email":%q,"text":%q}`, a.source, spelled, token), &got)
	if err != nil || code != "" {
		return unexpected("post", code, err)
	}
	c.last = got.ID
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	delete(c.m.posts, token)
	return c.m.posted(got, a, token, from)
}

// token is a text that nobody else sends.
func (c *tormentor) token() string {
	c.sent++
	return fmt.Sprintf("%s-%d", c.name, c.sent)
}

// posted checks the answer to a post, and learns it.
func (m *memory) posted(got contactView, a *asking, token string, from int64) error {
	if other := m.contacts[got.ID]; other != nil {
		return fmt.Errorf("the new contact %+v has the id of %q", got, other.token)
	}
	if err := m.ofEmail(a.email, got.Lead, from, m.tick()); err != nil {
		return fmt.Errorf("the new contact %+v: %w", got, err)
	}
	if got.Text != token || got.Source != a.source || got.Status != "assigned" && got.Status != "open" {
		return fmt.Errorf("the new contact %+v was asked for as %+v, %q", got, *a, token)
	}
	m.created(got, got.Lead)
	if got.Operator == 0 {
		return nil
	}
	op, now := m.operators[got.Operator], m.tick()
	weighty := m.link(got.Source, got.Operator).possible(from, now, func(w int64) bool { return w > 0 })
	if op != nil && !op.active.may(true, from, now) || !weighty || got.How != "automatic" {
		return fmt.Errorf("the new contact %+v went to an operator that was not eligible", got)
	}
	return nil
}

// close ends a contact: often the one that this client posted last.
func (c *tormentor) close() error {
	id := c.contact()
	if id == 0 {
		return nil
	}
	c.m.mu.Lock()
	k, from := c.m.contacts[id], c.m.tick()
	w := k.closed.begin(true, from)
	c.m.mu.Unlock()
	var got contactView
	code, err := c.s.ask("POST", fmt.Sprintf("/v1/contacts/%d/close", id), "", &got)
	if err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.m.forget(id)
	switch code {
	case "":
		w.end = c.m.tick()
		if got.Status != "closed" {
			return fmt.Errorf("closed contact %d is answered as %+v", id, got)
		}
		return wrap(c.m.sees(got, from), "close of %d: %+v", id, got)
	case "contact_closed":
		k.closed.refuse(w)
		return c.m.wasClosed(id, from)
	case "contact_archived":
		k.closed.refuse(w)
		return c.m.wasArchived(id, from)
	}
	return unexpected("close", code, nil)
}

// wasClosed checks a refusal that says that a contact is closed, and learns it.
func (m *memory) wasClosed(id, from int64) error {
	k, now := m.contacts[id], m.tick()
	if !k.closed.may(true, from, now) {
		return fmt.Errorf("contact %d was refused as closed, and nobody closed it", id)
	}
	k.closed.observe(true, from, now)
	return nil
}

// forget drops a contact from those that clients pick.
func (m *memory) forget(id int64) {
	for i, other := range m.recent {
		if other == id {
			m.recent[i] = m.recent[len(m.recent)-1]
			m.recent = m.recent[:len(m.recent)-1]
			return
		}
	}
}

// look reads a contact.
func (c *tormentor) look() error {
	if c.rng.IntN(3) == 0 {
		return c.lookAtOperator()
	}
	id := c.contact()
	if id == 0 {
		return nil
	}
	from := c.m.start()
	var got contactView
	code, err := c.s.ask("GET", fmt.Sprintf("/v1/contacts/%d", id), "", &got)
	if err != nil || code != "" && code != "contact_archived" {
		return unexpected("read of a contact", code, err)
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if code != "" {
		return wrap(c.m.wasArchived(id, from), "read of contact %d", id)
	}
	return wrap(c.m.sees(got, from), "read of contact %d: %+v", id, got)
}

func (c *tormentor) contact() int64 {
	if c.last != 0 && c.rng.IntN(4) == 0 {
		return c.last
	}
	return c.m.pick(c.rng)
}

func (c *tormentor) source() int64   { return 1 + c.rng.Int64N(c.sources) }
func (c *tormentor) operator() int64 { return 1 + c.rng.Int64N(c.operators) }

// wrap says what was done when an error came of it.
func wrap(err error, what string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(what, args...), err)
}

func unexpected(what, code string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s was refused with %s", what, code)
}

// within waits for a channel, but not for ever.
func within(d time.Duration, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

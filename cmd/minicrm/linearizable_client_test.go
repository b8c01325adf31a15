package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/anishathalye/porcupine"
)

// caller is one client of a history.
type caller struct {
	h      *history
	client int
	rng    *rand.Rand
	sent   int
}

// step sends one command that fits the shape.
func (c *caller) step() error {
	total := 0
	for _, n := range c.h.shape.mix {
		total += n
	}
	verb, n := modelVerb(0), c.rng.IntN(total)
	for n >= c.h.shape.mix[verb] {
		n -= c.h.shape.mix[verb]
		verb++
	}
	e := &entry{client: c.client, command: modelCommand{verb: verb, operator: c.rng.IntN(len(c.h.shape.seats))}}
	if verb == doClose || verb == doAssign || verb == doReadContact {
		if e.id = c.contact(); e.id == 0 {
			e.command.verb = doPost
		}
	}
	switch e.command.verb {
	case doPost:
		return c.post(e)
	case doClose:
		return c.onContact(e, "POST", "/close", "")
	case doAssign:
		e.command.force = c.rng.IntN(4) == 0
		body := fmt.Sprintf(`{"operator_id":%d,"force":%t}`, e.command.operator+1, e.command.force)
		return c.onContact(e, "POST", "/assign", body)
	case doReadContact:
		return c.onContact(e, "GET", "", "")
	case doChange:
		return c.change(e)
	default:
		return c.onOperator(e, "GET", "")
	}
}

// contact is one of the latest that were answered; 0 = there is none.
func (c *caller) contact() int64 {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	n := len(c.h.ids)
	if n == 0 {
		return 0
	}
	return c.h.ids[n-1-c.rng.IntN(min(n, 8))]
}

func (c *caller) post(e *entry) error {
	c.sent++
	e.source = c.rng.IntN(c.h.shape.sources())
	e.token = fmt.Sprintf("%d-%d-%d", c.client, c.h.tickNow(), c.sent)
	body := fmt.Sprintf(`{"source_id":%d,"email":"lead%d@example.com","text":%q}`, e.source+1, c.rng.IntN(5), e.token)
	c.h.begin(e)
	var got contactView
	code, err := c.h.s.ask("POST", "/v1/contacts", body, &got)
	if err != nil || code != "" {
		return unexpected("post", code, err)
	}
	e.id = got.ID
	c.h.finish(e, modelAnswer{contact: got.model(), how: got.How})
	return nil
}

func (c *caller) onContact(e *entry, method, path, body string) error {
	c.h.begin(e)
	var got contactView
	code, err := c.h.s.ask(method, fmt.Sprintf("/v1/contacts/%d%s", e.id, path), body, &got)
	if err != nil {
		return err
	}
	c.h.finish(e, modelAnswer{code: code, contact: got.model(), how: got.How})
	return nil
}

func (c *caller) change(e *entry) error {
	if c.h.shape.fixed>>e.command.operator&1 == 1 {
		e.command.verb = doReadOperator
		return c.onOperator(e, "GET", "")
	}
	if c.rng.IntN(3) == 0 {
		active := c.rng.IntN(3) > 0
		e.command.active = &active
		return c.onOperator(e, "PATCH", fmt.Sprintf(`{"active":%t}`, active))
	}
	maxLoad := int8(c.rng.IntN(4))
	e.command.maxLoad = &maxLoad
	return c.onOperator(e, "PATCH", fmt.Sprintf(`{"max_load":%d}`, maxLoad))
}

func (c *caller) onOperator(e *entry, method, body string) error {
	c.h.begin(e)
	var got operatorView
	code, err := c.h.s.ask(method, fmt.Sprintf("/v1/operators/%d", e.command.operator+1), body, &got)
	if err != nil || code != "" {
		return unexpected("operator", code, err)
	}
	c.h.finish(e, modelAnswer{operator: got.model()})
	return nil
}

func (h *history) tickNow() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tick()
}

// model is the contact as the model has it.
func (c contactView) model() modelContact {
	status := map[string]modelStatus{"open": isOpen, "assigned": isAssigned, "closed": isClosed}[c.Status]
	return modelContact{status, int8(c.Operator)}
}

func (o operatorView) model() modelOperator {
	return modelOperator{exists: true, active: o.Active, maxLoad: int8(o.MaxLoad), load: int8(o.Load)}
}

// operations is the history for porcupine, with contacts numbered by id. A post without an answer whose contact never
// appeared did not happen; if it did, its id is known from the lists.
func (h *history) operations() (*places, []porcupine.Operation) {
	ids := slices.Sorted(maps.Keys(h.sources))
	index := map[int64]int{}
	p := &places{serves: h.shape.serves, count: len(ids)}
	if p.count > modelContacts || ids[0] < 1 {
		h.t.Fatalf("%d contacts from %d: more than the model has places for, or an impossible id", p.count, ids[0])
	}
	for i, id := range ids {
		index[id], p.sourceOf[i] = i, uint8(h.sources[id])
	}
	for i, n := range h.shape.seats {
		p.initial.operators[i] = modelOperator{exists: true, active: true, maxLoad: int8(n)}
	}
	var all []porcupine.Operation
	for _, e := range h.entries {
		if e.answer.none && (e.command.verb == doReadContact || e.command.verb == doReadOperator) {
			continue // it says nothing
		}
		if e.command.verb == doPost {
			id, there := h.tokens[e.token]
			if !there && e.answer.none {
				continue
			}
			if !there || !e.answer.none && id != e.id {
				h.t.Errorf("contact %q was answered with id %d and is %d", e.token, e.id, id)
			}
			e.id = id
		}
		e.command.contact = index[e.id]
		if e.command.verb == doRest {
			e.answer.lists = h.listed(e.shown, index)
		}
		all = append(all, porcupine.Operation{ClientId: e.client, Input: e.command, Call: e.call, Output: e.answer, Return: e.end})
	}
	return p, all
}

// listed is what lists showed, as the model has it.
func (h *history) listed(w world, index map[int64]int) *modelState {
	s := &modelState{}
	for _, o := range w.operators {
		s.operators[o.ID-1] = o.model()
	}
	for _, c := range w.contacts {
		s.contacts[index[c.ID]] = c.model()
	}
	return s
}

// pictured is for porcupine's picture of a history.
func pictured(c modelCommand, a modelAnswer) string {
	what := []string{"post", "close", "assign", "change", "contact?", "operator?", "restart", "rest"}[c.verb]
	switch c.verb {
	case doPost, doClose, doAssign, doReadContact:
		what = fmt.Sprintf("%s %d", what, c.contact)
	case doChange, doReadOperator:
		what = fmt.Sprintf("%s op%d", what, c.operator)
	default:
		return what
	}
	if c.verb == doAssign {
		what = fmt.Sprintf("%s to op%d force %t", what, c.operator, c.force)
	}
	if c.active != nil {
		what += fmt.Sprintf(" active %t", *c.active)
	}
	if c.maxLoad != nil {
		what += fmt.Sprintf(" max_load %d", *c.maxLoad)
	}
	switch {
	case a.none:
		return what + " -> ?"
	case a.code != "":
		return what + " -> " + a.code
	case c.verb == doChange || c.verb == doReadOperator:
		return fmt.Sprintf("%s -> active %t %d/%d", what, a.operator.active, a.operator.load, a.operator.maxLoad)
	}
	return fmt.Sprintf("%s -> %s op%d", what, []string{"-", "open", "assigned", "closed"}[a.contact.status], a.contact.holder-1)
}

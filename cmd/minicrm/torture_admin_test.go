package main

import "fmt"

// assign gives a contact to an operator by hand.
func (c *tormentor) assign() error {
	id, op, force := c.contact(), c.operator(), c.rng.IntN(3) == 0
	if id == 0 {
		return nil
	}
	c.m.mu.Lock()
	k, from := c.m.contacts[id], c.m.tick()
	w := k.holder.begin(op, from)
	k.asked[manual{op, force}] = true
	c.m.mu.Unlock()
	var got contactView
	code, err := c.s.ask("POST", fmt.Sprintf("/v1/contacts/%d/assign", id), fmt.Sprintf(`{"operator_id":%d,"force":%t}`, op, force), &got)
	if err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if code == "" {
		w.end = c.m.tick()
		linked := c.m.link(k.source, op).possible(from, w.end, func(w int64) bool { return w != notLinked })
		if got.Status != "assigned" || got.Operator != op || !linked {
			return fmt.Errorf("contact %d, assigned to %d (linked: %t), is answered as %+v", id, op, linked, got)
		}
		return wrap(c.m.sees(got, from), "assign %d to %d: %+v", id, op, got)
	}
	k.holder.refuse(w)
	return c.m.refused(id, op, force, code, from)
}

// refused checks the reason for which an assignment was refused.
func (m *memory) refused(id, op int64, force bool, code string, from int64) error {
	k, known, now := m.contacts[id], m.operators[op], m.tick()
	right := false
	switch code {
	case "contact_closed":
		return m.wasClosed(id, from)
	case "contact_archived":
		return m.wasArchived(id, from)
	case "operator_not_found":
		right = known == nil
	case "not_linked":
		right = m.link(k.source, op).may(notLinked, from, now)
	case "operator_inactive":
		right = !force && (known == nil || known.active.may(false, from, now))
	case "operator_full": // whether it is full only the journal tells: seats on their way to a source count
		right = !force && (known == nil || known.active.may(true, from, now))
	}
	if !right {
		return fmt.Errorf("assigning contact %d to %d with force %t was refused with %s", id, op, force, code)
	}
	return nil
}

// changeOperator activates, deactivates, or changes the number of seats.
func (c *tormentor) changeOperator() error {
	if c.rng.IntN(2) == 0 {
		return c.activate(c.operator(), c.rng.IntN(4) > 0)
	}
	return c.seat(c.operator(), c.rng.IntN(13))
}

func (c *tormentor) activate(id int64, active bool) error {
	c.m.mu.Lock()
	op, from := c.m.operators[id], c.m.tick()
	if op == nil {
		c.m.mu.Unlock()
		return nil
	}
	w := op.active.begin(active, from)
	c.m.mu.Unlock()
	got, err := c.patchOperator(id, fmt.Sprintf(`{"active":%t}`, active))
	if err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	w.end = c.m.tick()
	if got.Active != active {
		return fmt.Errorf("operator %d, told to be active %t, is answered as %+v", id, active, got)
	}
	return c.m.seesOperator(got, from)
}

func (c *tormentor) seat(id int64, maxLoad int) error {
	c.m.mu.Lock()
	op, from := c.m.operators[id], c.m.tick()
	if op == nil {
		c.m.mu.Unlock()
		return nil
	}
	w := op.maxLoad.begin(maxLoad, from)
	c.m.mu.Unlock()
	got, err := c.patchOperator(id, fmt.Sprintf(`{"max_load":%d}`, maxLoad))
	if err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	w.end = c.m.tick()
	if got.MaxLoad != maxLoad {
		return fmt.Errorf("operator %d, told to have max_load %d, is answered as %+v", id, maxLoad, got)
	}
	return c.m.seesOperator(got, from)
}

func (c *tormentor) patchOperator(id int64, body string) (got operatorView, err error) {
	code, err := c.s.ask("PATCH", fmt.Sprintf("/v1/operators/%d", id), body, &got)
	if err != nil || code != "" {
		return got, unexpected("change of an operator", code, err)
	}
	return got, nil
}

// seesOperator checks what an answer shows of an operator.
func (m *memory) seesOperator(got operatorView, from int64) error {
	op, now := m.operators[got.ID], m.tick()
	if op == nil || op.name != got.Name || !op.active.may(got.Active, from, now) || !op.maxLoad.may(got.MaxLoad, from, now) {
		return fmt.Errorf("operator %+v was told to be active %v with max_load %v", got, op.active.values(), op.maxLoad.values())
	}
	op.active.observe(got.Active, from, now)
	op.maxLoad.observe(got.MaxLoad, from, now)
	return nil
}

func (c *tormentor) lookAtOperator() error {
	id := c.operator()
	c.m.mu.Lock()
	known, from := c.m.operators[id] != nil, c.m.tick()
	c.m.mu.Unlock()
	var got operatorView
	code, err := c.s.ask("GET", fmt.Sprintf("/v1/operators/%d", id), "", &got)
	if err != nil || code != "" {
		if !known && code == "operator_not_found" {
			return nil
		}
		return unexpected("read of an operator", code, err)
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if c.m.operators[id] == nil { // another client asked for it, and was not told yet
		return nil
	}
	return c.m.seesOperator(got, from)
}

// link links an operator, unlinks it, or changes its weight; also one that does not exist yet.
func (c *tormentor) link() error {
	return c.weigh(c.source(), c.operator(), []int64{0, 1, 1, 2, 3, 7, 100, notLinked}[c.rng.IntN(8)])
}

func (c *tormentor) weigh(source, op, weight int64) error {
	c.m.mu.Lock()
	r, known := c.m.link(source, op), c.m.operators[op] != nil
	from := c.m.tick()
	w := r.begin(weight, from)
	c.m.mu.Unlock()
	path := fmt.Sprintf("/v1/sources/%d/operators/%d", source, op)
	var got linkJSON
	var code string
	var err error
	if weight == notLinked {
		code, err = c.s.ask("DELETE", path, "", nil)
	} else {
		code, err = c.s.ask("PUT", path, fmt.Sprintf(`{"weight":%d}`, weight), &got)
	}
	if err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	w.end = c.m.tick()
	if code == "" {
		if weight != notLinked && (got.Operator != op || got.Weight != weight) {
			return fmt.Errorf("link of %d to %d with weight %d is answered as %+v", op, source, weight, got)
		}
		return nil
	}
	r.refuse(w)
	missing := code == "operator_not_found" && !known
	if !missing && (code != "link_not_found" || weight != notLinked || !r.may(notLinked, from, w.end)) {
		return unexpected(fmt.Sprintf("link of %d to %d with weight %d", op, source, weight), code, nil)
	}
	return nil
}

// changeSource edits a source's backlog policy.
func (c *tormentor) changeSource() error {
	return c.serve(c.source(), []string{"auto", "auto", "manual"}[c.rng.IntN(3)])
}

func (c *tormentor) serve(id int64, policy string) error {
	c.m.mu.Lock()
	w := c.m.policies[id].begin(policy, c.m.tick())
	c.m.mu.Unlock()
	var got sourceView
	code, err := c.s.ask("PATCH", fmt.Sprintf("/v1/sources/%d", id), fmt.Sprintf(`{"backlog":%q}`, policy), &got)
	if err != nil || code != "" {
		return unexpected("change of a source", code, err)
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	w.end = c.m.tick()
	if got.Backlog != policy {
		return fmt.Errorf("source %d with backlog %s is answered as %+v", id, policy, got)
	}
	return nil
}

// lead creates a lead, which may have the email already.
func (c *tormentor) lead() error {
	email := fmt.Sprintf("lead%d@example.com", c.rng.IntN(c.returnings+50))
	c.m.mu.Lock()
	c.m.emails[email] = true
	from := c.m.tick()
	c.m.mu.Unlock()
	var got leadJSON
	code, err := c.s.ask("POST", "/v1/leads", fmt.Sprintf(`{"email":%q}`, email), &got)
	if err != nil || code != "" && code != "email_taken" {
		return unexpected("lead", code, err)
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.m.ofEmail(email, got.ID, from, c.m.tick())
}

// manage hires an operator.
func (c *tormentor) manage() error {
	name, maxLoad := c.token(), c.rng.IntN(13)
	c.m.mu.Lock()
	if int64(len(c.m.operators)+len(c.m.hires)) >= c.operators {
		c.m.mu.Unlock()
		return nil
	}
	c.m.hires[name] = true
	c.m.mu.Unlock()
	var got operatorView
	code, err := c.s.ask("POST", "/v1/operators", fmt.Sprintf(`{"name":%q,"max_load":%d}`, name, maxLoad), &got)
	if err != nil || code != "" {
		return unexpected("new operator", code, err)
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	delete(c.m.hires, name)
	if c.m.operators[got.ID] != nil || got.Name != name || got.MaxLoad != maxLoad || !got.Active || got.Load < 0 {
		return fmt.Errorf("new operator %s is answered as %+v", name, got)
	}
	c.m.hire(got.ID, name, true, maxLoad)
	return nil
}

package domain

import (
	"fmt"
	"slices"
)

// How the model judges what happens to leads and contacts.

func (m *model) leadCreated(e *LeadCreated) error {
	for id, lead := range m.leads {
		if lead.Email == e.Email {
			return fmt.Errorf("lead %d has this email", id)
		}
	}
	m.leads[e.ID] = &Lead{ID: e.ID, Email: e.Email, Name: e.Name, Phone: e.Phone}
	return nil
}

func (m *model) leadChanged(e *LeadChanged) error {
	if m.leads[e.ID].Email == "" {
		return fmt.Errorf("the lead was erased")
	}
	set(&m.leads[e.ID].Name, e.Name)
	set(&m.leads[e.ID].Phone, e.Phone)
	return nil
}

// leadErased forgets what people wrote, and that the lead was who it was.
func (m *model) leadErased(e *LeadErased) error {
	for id, c := range m.contacts {
		if c.lead != e.ID {
			continue
		}
		if c.status != StatusClosed {
			return fmt.Errorf("contact %d is live", id)
		}
		c.text = ""
		for i := range c.steps {
			c.steps[i].Reason = ""
		}
	}
	*m.leads[e.ID] = Lead{ID: e.ID}
	return nil
}

func (m *model) contactCreated(e *ContactCreated) error {
	if lead := m.leads[e.Lead]; lead == nil || lead.Email == "" || m.contacts[e.ID] != nil || m.sources[e.Source].deleted {
		return fmt.Errorf("no such lead or source, or the contact is there already")
	}
	c := &modelContact{source: e.Source, lead: e.Lead, status: StatusOpen, priority: e.Priority, text: e.Text}
	m.contacts[e.ID] = c
	m.created = e.ID
	m.step(c, Step{Kind: StepCreated})
	if e.Key.Given() {
		m.keys = append(m.keys, KeyUse{Key: e.Key, Contact: e.ID, At: m.at})
	}
	return nil
}

// step writes down a step: a contact's times never go back.
func (m *model) step(c *modelContact, s Step) {
	s.At = m.at
	if n := len(c.steps); n > 0 {
		s.At = max(s.At, c.steps[n-1].At)
	}
	c.steps = append(c.steps, modelStep{s, m.by})
}

// forgetKeys drops the keys that are too old by now, and the oldest of too many.
func (m *model) forgetKeys(now Time) {
	for len(m.keys) > 0 {
		young := now-m.keys[0].At < m.keyWindow
		if young && len(m.keys) <= m.maxKeys {
			return
		}
		if young {
			m.evicted++
		}
		m.keys = m.keys[1:]
	}
}

// useOf is the latest use of a key.
func (m *model) useOf(k Key, at Time) (use KeyUse, known bool) {
	for _, u := range m.keys {
		if u.Digest == k.Digest {
			use, known = u, at-u.At < m.keyWindow
		}
	}
	return use, known
}

// held finds a contact that is not closed, which holder must have; 0 = nobody.
func (m *model) held(id ContactID, source SourceID, holder OperatorID) (*modelContact, error) {
	c := m.contacts[id]
	switch {
	case c == nil || c.source != source:
		return nil, fmt.Errorf("the source has no such contact")
	case c.status == StatusClosed:
		return nil, fmt.Errorf("the contact is closed")
	case (c.status == StatusAssigned) != (holder != 0) || c.status == StatusAssigned && c.operator != holder:
		return nil, fmt.Errorf("it is held by %d", c.operator)
	}
	return c, nil
}

func (m *model) closed(e *ContactClosed) error {
	c, err := m.held(e.ID, e.Source, e.Operator)
	if err == nil {
		c.status, c.avoid = StatusClosed, 0
		m.step(c, Step{Kind: StepClosed, From: e.Operator, Reason: e.Reason})
	}
	return err
}

func (m *model) contactReleased(e *ContactReleased) error {
	c, err := m.held(e.ID, e.Source, e.Operator)
	if err == nil {
		m.step(c, Step{Kind: StepReleased, From: e.Operator})
		c.status, c.operator, c.avoid, c.why = StatusOpen, 0, e.Operator, nil
	}
	return err
}

func (m *model) reopened(e *ContactReopened) error {
	c := m.contacts[e.ID]
	if c == nil || c.source != e.Source || c.status != StatusClosed || c.archived || m.leads[c.lead].Email == "" || m.sources[c.source].deleted {
		return fmt.Errorf("there is no such closed contact, or its lead or source is gone")
	}
	c.status, c.operator, c.priority, c.why = StatusOpen, 0, e.Priority, nil
	m.created = e.ID
	m.step(c, Step{Kind: StepReopened})
	return nil
}

func (m *model) prioritised(e *ContactPrioritised) error {
	c, err := m.held(e.ID, e.Source, 0)
	if err == nil {
		c.priority = e.Priority
	}
	return err
}

func (m *model) contactsArchived(e *ContactsArchived) error {
	for _, id := range e.IDs {
		if c := m.contacts[id]; c == nil || c.status != StatusClosed || c.archived {
			return fmt.Errorf("contact %d is not there, or not closed", id)
		}
		m.contacts[id].archived = true
	}
	return nil
}

func (m *model) assigned(e *ContactAssigned) error {
	c, err := m.held(e.ID, e.Source, e.From)
	if err != nil {
		return err
	}
	s := m.sources[e.Source]
	link := s.share.links[e.Operator]
	switch {
	case e.Operator == e.From:
		return fmt.Errorf("it had it already")
	case link == nil:
		return fmt.Errorf("the operator is not linked")
	case e.How == Automatic || e.How == Sticky:
		err = m.automatic(c, e)
	case e.Among.Kind != Uncharged || e.Among.Rows != nil:
		return fmt.Errorf("a manual assignment is charged")
	case e.How == Manual && !m.open(e.Operator):
		return fmt.Errorf("the operator is full or inactive, and nobody forced it")
	case e.How == Forced && (!m.force || !m.flight && m.open(e.Operator)):
		return fmt.Errorf("it was not forced, or needed no force")
	case e.How == Manual || e.How == Forced:
		link.manual++
		s.log = append(s.log, modelDecision{at: m.at, operator: e.Operator, how: e.How})
		c.why = &Decision{Rule: RuleManual}
	default:
		return fmt.Errorf("nobody decided it")
	}
	if err != nil {
		return err
	}
	m.step(c, Step{Kind: StepAssigned, How: e.How, From: e.From, To: e.Operator})
	c.status, c.operator, c.avoid = StatusAssigned, e.Operator, 0
	c.why.Contact, c.why.Operator, c.why.At = e.ID, e.Operator, c.steps[len(c.steps)-1].At
	return nil
}

// automatic judges an automatic or sticky assignment: the cap, the order of the waiting, who released it, and the share.
func (m *model) automatic(c *modelContact, e *ContactAssigned) error {
	s, arrived := m.sources[e.Source], e.ID == m.created
	link := s.share.links[e.Operator]
	switch first := m.first(e.Operator); {
	case e.From != 0:
		return fmt.Errorf("an automatic transfer")
	case !s.auto && !arrived && e.ID != m.released:
		return fmt.Errorf("the backlog is manual, and drains")
	case link.weight == 0 || !m.open(e.Operator):
		return fmt.Errorf("the operator is not eligible: weight %d, load %d, %+v", link.weight, m.load(e.Operator), *m.operators[e.Operator])
	case first != 0 && first != e.ID && m.served(first, e.ID) < 0:
		return fmt.Errorf("contact %d comes first for this operator", first)
	case !m.may(e.ID, e.Operator):
		return fmt.Errorf("it goes straight back, and another is active")
	case e.How == Sticky && (!arrived || e.Operator != m.prefer):
		return fmt.Errorf("sticky, but %d was to be preferred", m.prefer)
	case e.How == Sticky && e.Among.Kind == Uncharged:
		return m.uncharged(c, e)
	}
	d := decision{operator: e.Operator, granted: m.granting, flight: m.flight}
	for _, op := range m.eligible(e.Source) {
		if m.may(e.ID, op) {
			d.eligible = append(d.eligible, op)
		}
	}
	why, err := m.charge(s, &d, e.How, e.Among, c.avoid)
	if err != nil {
		return err
	}
	c.why = why
	return nil
}

// uncharged judges a sticky assignment that was not charged: a charge would have gone too far.
func (m *model) uncharged(c *modelContact, e *ContactAssigned) error {
	s := m.sources[e.Source]
	if eligible := m.eligible(e.Source); !m.flight && s.share.bearable(eligible, e.Operator) {
		return fmt.Errorf("it could have been charged among %v", eligible)
	}
	s.share.links[e.Operator].sticky++
	s.log = append(s.log, modelDecision{at: m.at, operator: e.Operator, how: Sticky})
	c.why = &Decision{Rule: RuleSticky}
	return nil
}

// charge judges and books a charged decision, and says why it was made.
func (m *model) charge(s *modelSource, d *decision, how How, among Among, avoid OperatorID) (*Decision, error) {
	switch among.Kind {
	case Uncharged: // among nobody: refused below
	case Alone:
		d.among = []OperatorID{d.operator}
	case SameSet:
		d.among = s.spelled
	case SpelledSet:
		linked := s.share.operators()
		for row := range among.Rows.All() {
			if row >= len(linked) {
				return nil, fmt.Errorf("row %d of %d", row, len(linked))
			}
			d.among = append(d.among, linked[row])
		}
		s.spelled = d.among
	}
	if !slices.Contains(d.among, d.operator) {
		return nil, fmt.Errorf("the operator is not among %v", d.among)
	}
	for _, op := range d.among {
		if !slices.Contains(d.eligible, op) {
			return nil, fmt.Errorf("among %v, but eligible are %v", d.among, d.eligible)
		}
	}
	why := &Decision{Operator: d.operator, Charged: true, Rule: RuleSticky}
	if how == Sticky {
		if !s.share.bearable(d.among, d.operator) {
			return nil, fmt.Errorf("charged, but a lag passes two contacts")
		}
	} else if next, rule := s.share.pick(d.among); next != d.operator {
		return nil, fmt.Errorf("operator %d is next among %v", next, d.among)
	} else {
		why.Rule = rule
	}
	m.explain(s, d, why, avoid)
	s.log = append(s.log, modelDecision{at: m.at, operator: d.operator, how: how, earned: s.share.earnings(d.among)})
	s.share.charge(d.among, d.operator, how)
	for i := range why.Eligible {
		why.Eligible[i].LagNow = s.share.units(why.Eligible[i].Operator)
	}
	m.decisions = append(m.decisions, *d)
	return why, nil
}

// explain lists who was eligible, and why the others were not.
func (m *model) explain(s *modelSource, d *decision, why *Decision, avoid OperatorID) {
	for _, op := range s.share.operators() {
		link, o := s.share.links[op], m.operators[op]
		reason := "full"
		switch {
		case slices.Contains(d.among, op):
			why.Eligible = append(why.Eligible, Candidate{Operator: op, Weight: link.weight, Lag: s.share.units(op)})
			continue
		case link.weight == 0:
			reason = "weight 0"
		case o.draining:
			reason = "draining"
		case !o.active:
			reason = "inactive"
		case op == avoid:
			reason = "released it"
		}
		why.Excluded = append(why.Excluded, Excluded{op, reason})
	}
}

// drawn judges a decision without a contact: it is one like all others, but takes no seat.
func (m *model) drawn(e *OperatorDrawn) error {
	s := m.sources[e.Source]
	d := decision{operator: e.Operator, flight: m.flight}
	for _, op := range m.eligible(e.Source) {
		if slices.Contains(m.fit, op) {
			d.eligible = append(d.eligible, op)
		}
	}
	_, err := m.charge(s, &d, Automatic, e.Among, 0)
	return err
}

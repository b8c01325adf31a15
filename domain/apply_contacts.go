package domain

import "fmt"

func (c *Catalog) contactCreated(e *ContactCreated, at Time, by NameID) error {
	if c.hasLead(e.Lead) && c.leads.get(int64(e.Lead-1)).erased() {
		return fmt.Errorf("lead %d was erased", e.Lead)
	}
	if c.source(e.Source) == nil || e.Priority > MaxPriority {
		return fmt.Errorf("no source %d, or bad priority %d", e.Source, e.Priority)
	}
	place := c.places() + 1
	contact, err := c.placeContact(e, at, place)
	if err != nil {
		return err
	}
	c.appendOrder(e.ID, place)
	c.chain(contact)
	contact.CreatedBy = by
	if e.Key.Given() {
		c.keys.add(KeyUse{Key: e.Key, Contact: e.ID, At: at})
	}
	return nil
}

// placeContact adds a new contact, which has or will have this place in commit order.
func (c *Catalog) placeContact(e *ContactCreated, at Time, place uint32) (*storedContact, error) {
	s := c.sources[e.Source]
	if s == nil || !c.hasLead(e.Lead) {
		return nil, fmt.Errorf("no source %d or no lead %d", e.Source, e.Lead)
	}
	if e.ID < 1 || e.ID > c.nextIDs.contact+maxIDGap || len(e.Text) > MaxText {
		return nil, fmt.Errorf("contact %d is out of range, or has a text of %d bytes", e.ID, len(e.Text))
	}
	if _, forgotten := c.Forgotten(e.ID); forgotten || c.has(e.ID) {
		return nil, fmt.Errorf("contact %d exists", e.ID)
	}
	contact := c.contacts.edit(int64(e.ID))
	c.count(e.ID)
	c.nextIDs.contact = max(c.nextIDs.contact, e.ID+1)
	*contact = storedContact{
		ID: e.ID, Source: e.Source, Lead: e.Lead, Status: StatusOpen, Priority: e.Priority, CreatedAt: at, Place: place,
	}
	c.writeText(contact, e.Text)
	s.live++
	c.byStatus[StatusOpen].Add(contact.Place)
	s.contacts.Add(contact.Place)
	s.backlog.Add(contact.rank())
	return contact, nil
}

// count counts a new contact in its page.
func (c *Catalog) count(id ContactID) {
	for n := int64(id) / pageSize; n >= int64(len(c.living)); {
		c.living = append(c.living, 0)
	}
	c.living[int64(id)/pageSize]++
}

// appendOrder puts a contact at a place behind all others; places between, of what was forgotten, stay empty.
func (c *Catalog) appendOrder(id ContactID, place uint32) {
	if len(c.order) == 0 {
		c.trimmed = place - 1
	}
	for c.trimmed+uint32(len(c.order)) < place-1 {
		c.order = append(c.order, 0)
	}
	c.order = append(c.order, id)
}

func (c *Catalog) contactAssigned(e *ContactAssigned, at Time, by NameID) error {
	contact, s, err := c.held(e.ID, e.Source, e.From)
	if err != nil {
		return err
	}
	o := c.operator(e.Operator)
	if o == nil {
		return fmt.Errorf("no operator %d", e.Operator)
	}
	step := TrailStep{At: at, Contact: e.ID, Operator: e.Operator, How: e.How}
	if err := c.decide(s, step, e.Among); err != nil {
		return err
	}
	if e.From != 0 {
		was := c.contact(contact)
		c.note(contact, was.assignment())
	}
	c.unhold(contact, s)
	o.Load++
	o.contacts.Add(contact.Place)
	contact.Operator, contact.How, contact.Avoid = e.Operator, e.How, 0
	contact.AssignedAt, contact.AssignedBy = c.notBefore(contact, at), by
	c.setStatus(contact, StatusAssigned)
	return nil
}

// decide books an assignment in a source's ledger and notes it in its trail.
func (c *Catalog) decide(s *sourceState, step TrailStep, among Among) error {
	s.trail.open(&s.ledger)
	if err := s.ledger.Replay(step.Operator, among, step.How); err != nil {
		return err
	}
	step.Charged = among.Kind != Uncharged
	if step.Charged {
		if among.Kind != Alone {
			step.Set = &s.ledger.plan.set
		}
		step.Out = c.outOf(s)
	}
	s.trail.add(step)
	return nil
}

// outOf says which of a source's operators are inactive or draining.
func (c *Catalog) outOf(s *sourceState) *Out {
	if s.outKnown && s.outAt == c.states {
		return &s.out
	}
	links := s.ledger.Links()
	s.out = Out{Inactive: s.out.Inactive.cleared(len(links)), Draining: s.out.Draining.cleared(len(links))}
	for row := range links {
		switch o := c.operator(links[row].Operator); {
		case o.Draining:
			s.out.Draining.Add(row)
		case !o.Active:
			s.out.Inactive.Add(row)
		}
	}
	s.outKnown, s.outAt = true, c.states
	return &s.out
}

func (c *Catalog) contactReleased(e *ContactReleased, at Time, by NameID) error {
	contact, s, err := c.held(e.ID, e.Source, e.Operator)
	if err != nil {
		return err
	}
	if e.Operator == 0 {
		return fmt.Errorf("contact %d is open", e.ID)
	}
	was := c.contact(contact)
	c.note(contact, was.assignment(), Step{At: c.notBefore(contact, at), Kind: StepReleased, By: by, From: e.Operator})
	c.unhold(contact, s)
	contact.Avoid = e.Operator
	contact.Operator, contact.How, contact.AssignedAt, contact.AssignedBy = 0, 0, 0, 0
	c.setStatus(contact, StatusOpen)
	s.backlog.Add(contact.rank())
	return nil
}

func (c *Catalog) contactReopened(e *ContactReopened, at Time, by NameID) error {
	s := c.source(e.Source)
	found := c.contacts.get(int64(e.ID))
	if s == nil || found == nil || found.ID == 0 || found.Source != e.Source || found.Status != StatusClosed || e.Priority > MaxPriority {
		return fmt.Errorf("no closed contact %d in source %d, or bad priority %d", e.ID, e.Source, e.Priority)
	}
	if c.leads.get(int64(found.Lead - 1)).erased() {
		return fmt.Errorf("lead %d was erased", found.Lead)
	}
	contact := c.contacts.edit(int64(e.ID))
	was := c.contact(contact)
	if was.Operator != 0 {
		c.note(contact, was.assignment())
		c.operator(was.Operator).contacts.Remove(was.Place)
	}
	c.note(contact, was.closing(), Step{At: max(at, was.ClosedAt), Kind: StepReopened, By: by})
	contact.Operator, contact.How, contact.AssignedAt, contact.AssignedBy = 0, 0, 0, 0
	contact.ClosedAt, contact.ClosedBy = 0, 0
	c.writeReason(contact, "")
	contact.Priority = e.Priority
	c.setStatus(contact, StatusOpen)
	s.backlog.Add(contact.rank())
	s.live++
	return nil
}

func (c *Catalog) contactPrioritised(e *ContactPrioritised) error {
	contact, s, err := c.held(e.ID, e.Source, 0)
	if err != nil {
		return err
	}
	if e.Priority > MaxPriority {
		return fmt.Errorf("bad priority %d", e.Priority)
	}
	s.backlog.Remove(contact.rank())
	contact.Priority = e.Priority
	s.backlog.Add(contact.rank())
	return nil
}

func (c *Catalog) contactClosed(e *ContactClosed, at Time, by NameID) error {
	contact, s, err := c.held(e.ID, e.Source, e.Operator)
	if err != nil {
		return err
	}
	if len(e.Reason) > maxReasonBytes {
		return fmt.Errorf("contact %d has a reason of %d bytes", e.ID, len(e.Reason))
	}
	if contact.Status == StatusOpen {
		s.backlog.Remove(contact.rank())
	} else {
		c.operator(contact.Operator).Load--
	}
	s.live--
	contact.ClosedAt, contact.ClosedBy = c.notBefore(contact, at), by
	c.writeReason(contact, e.Reason)
	contact.Avoid = 0
	c.setStatus(contact, StatusClosed)
	return nil
}

// held finds a contact that is not closed, to be changed, and checks that holder (0 = nobody) holds it as the event says.
func (c *Catalog) held(id ContactID, source SourceID, holder OperatorID) (*storedContact, *sourceState, error) {
	contact := c.contacts.get(int64(id))
	switch {
	case contact == nil || contact.ID == 0 || contact.Source != source:
		return nil, nil, fmt.Errorf("no contact %d in source %d", id, source)
	case contact.Status == StatusClosed:
		return nil, nil, fmt.Errorf("contact %d is closed", id)
	case (contact.Status == StatusAssigned) != (holder != 0) || contact.Operator != holder:
		return nil, nil, fmt.Errorf("contact %d is held by operator %d, not by %d", id, contact.Operator, holder)
	}
	return c.contacts.edit(int64(id)), c.sources[source], nil
}

// unhold takes an open contact out of the backlog, or an assigned one from its operator.
func (c *Catalog) unhold(contact *storedContact, s *sourceState) {
	if contact.Status == StatusOpen {
		s.backlog.Remove(contact.rank())
		return
	}
	from := c.operator(contact.Operator)
	from.Load--
	from.contacts.Remove(contact.Place)
}

func (c *Catalog) setStatus(contact *storedContact, status Status) {
	if contact.Status == status {
		return
	}
	c.byStatus[contact.Status].Remove(contact.Place)
	c.byStatus[status].Add(contact.Place)
	contact.Status = status
}

package actors

import (
	"errors"
	"fmt"

	"minicrm/domain"
)

// What the clients of the simulation do to contacts.

// usedKey is an idempotency key, as a client knows it.
type usedKey struct {
	source domain.SourceID
	key    string
}

func (c *clients) create(s *simulation, w *told, cmd command) bool {
	_, source, ok := c.pick(s)
	if !ok {
		return false
	}
	n := domain.NewContact{Source: source, Email: c.email(), Priority: c.priority()}
	if c.rng.IntN(3) == 0 {
		n.Key = fmt.Sprint("key", c.rng.IntN(40))
		n.Email = "lead1@example.com" // the whole body is the same for one key
		n.Priority = 0
	}
	w.means = func(id int64, err error) *fact {
		if err != nil {
			return nil
		}
		if f := c.keyFact(s, usedKey{source, n.Key}, domain.ContactID(id)); f != nil {
			return f
		}
		return &fact{fmt.Sprintf("contact %d was created for %s", id, n.Email), func(k *domain.Catalog) bool {
			contact, ok := k.Contact(domain.ContactID(id))
			if _, forgotten := k.Forgotten(domain.ContactID(id)); forgotten {
				return true
			}
			return ok && hasOrHadLead(k, contact.Lead, n.Email) && contact.Source == source
		}}
	}
	to := s.seats.sources.get(int64(source))
	m := &newContact{command: cmd, desk: to, NewContact: n}
	if c.rng.IntN(6) == 0 { // the same by the way of many
		c.leads.Tell(&newContacts{[]*newContact{m}})
		return true
	}
	c.leads.Tell(m)
	return true
}

// keyFact checks that one key makes one contact, ever; nil = there is nothing to say.
func (c *clients) keyFact(s *simulation, key usedKey, id domain.ContactID) *fact {
	if key.key == "" {
		return nil
	}
	if before := c.keys[key]; before != 0 && before != id {
		s.failure = fmt.Errorf("exactly once: key %v made contact %d, and then %d", key, before, id)
	}
	c.keys[key] = id
	return &fact{fmt.Sprintf("key %v made contact %d", key, id), func(k *domain.Catalog) bool {
		n := domain.NewContact{Source: key.source, Key: key.key}
		use, known := k.KeyUse(n.Identity(), c.now)
		return known && use.Contact == id
	}}
}

func (c *clients) priority() int { return max(0, c.rng.IntN(12)-8) }

// life does something to a contact in the middle of its life.
func (c *clients) life(s *simulation, w *told, cmd command) bool {
	contact, ok := c.contact(s)
	if !ok {
		return false
	}
	cmd.subject = int64(contact.ID)
	to := s.seats.sources.get(int64(contact.Source))
	switch c.rng.IntN(5) {
	case 0:
		to.Tell(&drawOperator{cmd})
	case 1:
		return c.prioritise(s, cmd)
	case 2:
		return c.reopen(s, w, cmd)
	default:
		w.means = func(_ int64, err error) *fact {
			if err != nil {
				return nil
			}
			return stepFact(contact.ID, domain.StepReleased)
		}
		to.Tell(&releaseContact{cmd, contact.ID, domain.OperatorID(c.rng.IntN(2)) * contact.Operator})
	}
	return true
}

func (c *clients) prioritise(s *simulation, cmd command) bool {
	open, _ := s.committed.committed.Contacts(domain.ContactFilter{Status: domain.StatusOpen}, 0, 1_000_000)
	if len(open) == 0 {
		return false
	}
	contact := open[c.rng.IntN(len(open))]
	cmd.subject = int64(contact.ID)
	s.seats.sources.get(int64(contact.Source)).Tell(&prioritiseContact{cmd, contact.ID, uint8(c.rng.IntN(10))})
	return true
}

// reopen does what Dispatcher.ReopenContact does.
func (c *clients) reopen(s *simulation, w *told, cmd command) bool {
	s.archiving.Lock()
	defer s.archiving.Unlock()
	closed, _ := s.committed.committed.Contacts(domain.ContactFilter{Status: domain.StatusClosed}, 0, 1_000_000)
	if len(closed) == 0 {
		return false
	}
	contact := closed[len(closed)-1-c.rng.IntN(min(len(closed), 30))]
	cmd.subject = int64(contact.ID)
	w.means = func(_ int64, err error) *fact {
		if err != nil {
			return nil
		}
		return stepFact(contact.ID, domain.StepReopened)
	}
	c.leads.Tell(&reopenContact{
		command: cmd, desk: s.seats.sources.get(int64(contact.Source)), lead: contact.Lead,
		id: contact.ID, priority: contact.Priority, had: contact.Operator,
	})
	for !w.settled {
		s.current.giveWay()
	}
	return true
}

// delete ends a source or an operator, if that can be.
func (c *clients) delete(s *simulation, w *told, cmd command) bool {
	op, source, ok := c.pick(s)
	if !ok {
		return false
	}
	if c.rng.IntN(3) == 0 && len(s.sources) > 2 {
		w.means = func(_ int64, err error) *fact {
			if err != nil {
				return nil
			}
			return &fact{fmt.Sprintf("source %d was deleted", source), func(k *domain.Catalog) bool {
				_, known := k.Source(source)
				return !known
			}}
		}
		s.seats.sources.get(int64(source)).Tell(&deleteSource{cmd})
		return true
	}
	w.means = func(_ int64, err error) *fact {
		if err != nil {
			return nil
		}
		return &fact{fmt.Sprintf("operator %d was deleted", op), func(k *domain.Catalog) bool {
			_, known := k.Operator(op)
			return !known
		}}
	}
	c.operators.Tell(&deleteOperator{cmd, op})
	return true
}

// contact finds a contact that a client can know of, mostly one of the latest that are assigned.
func (c *clients) contact(s *simulation) (domain.Contact, bool) {
	status := domain.StatusAssigned
	if c.rng.IntN(8) == 0 {
		status = domain.Status(c.rng.IntN(4)) // or any other, or any
	}
	known, _ := s.committed.committed.Contacts(domain.ContactFilter{Status: status}, 0, 1_000_000)
	if len(known) == 0 {
		return domain.Contact{}, false
	}
	return known[len(known)-1-c.rng.IntN(min(len(known), 30))], true
}

func (c *clients) close(s *simulation, w *told, cmd command) bool {
	contact, ok := c.contact(s)
	if !ok {
		return false
	}
	w.means = func(_ int64, err error) *fact { // closed now or before
		return closedFact(contact.ID, err)
	}
	cmd.subject = int64(contact.ID)
	s.seats.sources.get(int64(contact.Source)).Tell(&closeContact{cmd, contact.ID, "done"})
	return true
}

func (c *clients) assign(s *simulation, w *told, cmd command) bool {
	contact, ok := c.contact(s)
	op, _, some := c.pick(s)
	if !ok || !some {
		return false
	}
	w.means = func(_ int64, err error) *fact {
		var refusal *domain.Error
		switch {
		case err == nil:
			return stepFact(contact.ID, domain.StepAssigned)
		case errors.As(err, &refusal) && refusal.Code == domain.CodeContactClosed:
			return closedFact(contact.ID, nil)
		}
		return nil
	}
	cmd.subject = int64(contact.ID)
	s.seats.sources.get(int64(contact.Source)).Tell(&assignContact{cmd, contact.ID, op, c.rng.IntN(2) == 0})
	return true
}

// closedFact says that a contact is closed, or was; a refusal may also say that it is forgotten, or its source gone.
func closedFact(id domain.ContactID, err error) *fact {
	var refusal *domain.Error
	if errors.As(err, &refusal) && refusal.Code != domain.CodeContactClosed {
		return nil
	}
	return stepFact(id, domain.StepClosed)
}

// stepFact says that something happened to a contact.
func stepFact(id domain.ContactID, kind domain.StepKind) *fact {
	return &fact{fmt.Sprintf("contact %d was %s", id, kind.Name()), func(k *domain.Catalog) bool {
		contact, _ := k.Contact(id)
		if _, forgotten := k.Forgotten(id); forgotten {
			return true
		}
		for _, step := range contact.History() {
			if step.Kind == kind {
				return true
			}
		}
		return false
	}}
}

package httpapi

import (
	"context"
	"sync"

	"minicrm/domain"
)

// house is a Dispatcher without actors or disk: the domain's own desks, seats, registry and catalog, one command at a
// time. What it commits is visible at once, so tests of the edge go through the real rules.
type house struct {
	mu       sync.RWMutex
	catalog  *domain.Catalog
	registry *domain.Registry
	floor    *domain.Floor
	desks    map[domain.SourceID]*domain.Desk
	refusal  error // what the desk answered to the current command
}

func newHouse() *house {
	h := &house{catalog: domain.NewCatalog(), desks: map[domain.SourceID]*domain.Desk{}}
	h.registry = h.catalog.Registry()
	h.floor = domain.NewFloor(h.commit, func(err error) { h.refusal = err })
	return h
}

func (h *house) commit(r domain.Record) {
	if err := h.catalog.Apply(r); err != nil {
		panic(err)
	}
}

// do runs one command and delivers the grants that it caused.
func (h *house) do(command func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refusal = nil
	if err := command(); err != nil {
		return err
	}
	h.floor.Deliver(h.desks)
	return h.refusal
}

func (h *house) View(read func(*domain.Catalog)) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	read(h.catalog)
}

func (h *house) CreateOperator(_ context.Context, n domain.NewOperator, at domain.Time) (o domain.Operator, err error) {
	err = h.do(func() error {
		id := h.catalog.NextOperator()
		h.commit(record(at, &domain.OperatorCreated{ID: id, Name: n.Name, Active: n.Active, MaxLoad: n.MaxLoad}))
		o, _ = h.catalog.Operator(id)
		h.floor.Seat(domain.NewSeating(o, h.floor.Shown()))
		return nil
	})
	return o, err
}

func (h *house) ChangeOperator(_ context.Context, id domain.OperatorID, p domain.OperatorPatch, at domain.Time) (o domain.Operator, err error) {
	err = h.do(func() error {
		before, known := h.catalog.Operator(id)
		if !known {
			return domain.Refuse(domain.CodeOperatorNotFound, "there is no operator %d", id)
		}
		o = p.Apply(before)
		h.commit(record(at, &domain.OperatorChanged{ID: id, Name: o.Name, Active: o.Active, MaxLoad: o.MaxLoad}))
		h.floor.Change(id, p, at)
		return nil
	})
	return o, err
}

func (h *house) CreateSource(_ context.Context, n domain.NewSource, at domain.Time) (s domain.Source, err error) {
	err = h.do(func() error {
		id := h.catalog.NextSource()
		h.desks[id] = domain.NewDesk(domain.Source{ID: id, Name: n.Name, Backlog: n.Backlog, CreatedAt: at}, h.floor.For(id))
		h.desks[id].Open(at)
		s, _ = h.catalog.Source(id)
		return nil
	})
	return s, err
}

// at runs a command of a source's desk.
func (h *house) at(id domain.SourceID, command func(*domain.Desk)) error {
	return h.do(func() error {
		desk := h.desks[id]
		if desk == nil {
			return noSource(id)
		}
		command(desk)
		return nil
	})
}

func (h *house) ChangeSource(_ context.Context, id domain.SourceID, p domain.SourcePatch, at domain.Time) (s domain.Source, err error) {
	err = h.at(id, func(d *domain.Desk) { d.Edit(p, at) })
	h.View(func(c *domain.Catalog) { s, _ = c.Source(id) })
	return s, err
}

func (h *house) SetLink(_ context.Context, source domain.SourceID, op domain.OperatorID, weight int64, at domain.Time) (l domain.LinkView, err error) {
	if err := h.operator(op); err != nil {
		return l, err
	}
	err = h.at(source, func(d *domain.Desk) { d.Link(op, weight, at) })
	h.View(func(c *domain.Catalog) { l, _ = c.Link(source, op) })
	return l, err
}

func (h *house) RemoveLink(_ context.Context, source domain.SourceID, op domain.OperatorID, at domain.Time) error {
	return h.at(source, func(d *domain.Desk) { d.Unlink(op, at) })
}

func (h *house) CreateLead(_ context.Context, n domain.NewLead, at domain.Time) (l domain.Lead, err error) {
	err = h.do(func() error {
		if id, known := h.registry.Lookup(n.Email); known {
			return &domain.Error{Code: domain.CodeEmailTaken, Message: "the email is taken", Lead: id}
		}
		l, _ = h.catalog.Lead(h.lead(n, at))
		return nil
	})
	return l, err
}

// lead finds or creates a lead.
func (h *house) lead(n domain.NewLead, at domain.Time) domain.LeadID {
	id, known := h.registry.Lookup(n.Email)
	if !known {
		id = h.registry.Add(n.Email)
		h.commit(record(at, &domain.LeadCreated{ID: id, Email: n.Email, Name: n.Name, Phone: n.Phone}))
	}
	return id
}

func (h *house) ChangeLead(_ context.Context, id domain.LeadID, p domain.LeadPatch, at domain.Time) (l domain.Lead, err error) {
	err = h.do(func() error {
		if lead, known := h.catalog.Lead(id); !known {
			return domain.Refuse(domain.CodeLeadNotFound, "there is no lead %d", id)
		} else if lead.Erased() {
			return domain.LeadGone(id)
		}
		h.commit(record(at, &domain.LeadChanged{ID: id, Name: p.Name, Phone: p.Phone}))
		l, _ = h.catalog.Lead(id)
		return nil
	})
	return l, err
}

func (h *house) EraseLead(_ context.Context, id domain.LeadID, at domain.Time) (index uint64, err error) {
	err = h.do(func() error {
		lead, known := h.catalog.Lead(id)
		switch {
		case !known:
			return domain.Refuse(domain.CodeLeadNotFound, "there is no lead %d", id)
		case lead.Erased():
			return domain.LeadGone(id)
		case h.catalog.LiveContact(id) != 0:
			return domain.Refuse(domain.CodeLeadLive, "a contact is live")
		}
		h.registry.Erase(lead)
		h.commit(record(at, &domain.LeadErased{ID: id}))
		index = h.catalog.Index()
		return nil
	})
	return index, err
}

func (h *house) CreateContact(_ context.Context, n domain.NewContact, at domain.Time) (domain.Contact, error) {
	var id domain.ContactID
	err := h.at(n.Source, func(d *domain.Desk) {
		lead := h.lead(domain.NewLead{Email: n.Email, Name: n.Name, Phone: n.Phone}, at)
		id = h.registry.NextContact()
		d.Create(&domain.ContactCreated{ID: id, Source: n.Source, Lead: lead, Text: n.Text}, at)
	})
	contact, _ := h.contact(id)
	return contact, err
}

func (h *house) CloseContact(_ context.Context, id domain.ContactID, at domain.Time) (domain.Contact, error) {
	contact, err := h.contact(id)
	if err == nil {
		err = h.at(contact.Source, func(d *domain.Desk) { d.Close(id, at) })
	}
	contact, _ = h.contact(id)
	return contact, err
}

func (h *house) AssignContact(_ context.Context, id domain.ContactID, op domain.OperatorID, force bool, at domain.Time) (domain.Contact, error) {
	contact, err := h.contact(id)
	if err == nil {
		err = h.operator(op)
	}
	if err == nil {
		err = h.at(contact.Source, func(d *domain.Desk) { d.Assign(id, op, force, at) })
	}
	contact, _ = h.contact(id)
	return contact, err
}

func (h *house) TakeSnapshot(context.Context) (index uint64, err error) {
	h.View(func(c *domain.Catalog) { index = c.Index() })
	return index, nil
}

func (h *house) contact(id domain.ContactID) (contact domain.Contact, err error) {
	h.View(func(c *domain.Catalog) {
		known := false
		if contact, known = c.Contact(id); !known {
			err = c.Gone(id)
		}
	})
	return contact, err
}

func (h *house) operator(id domain.OperatorID) error {
	known := false
	h.View(func(c *domain.Catalog) { _, known = c.Operator(id) })
	if !known {
		return domain.Refuse(domain.CodeOperatorNotFound, "there is no operator %d", id)
	}
	return nil
}

func record(at domain.Time, e domain.Event) domain.Record {
	return domain.Record{At: at, Events: []domain.Event{e}}
}

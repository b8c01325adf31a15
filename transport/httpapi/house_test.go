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
	seatings map[domain.OperatorID]*domain.Seating
	refusal  error  // what the desk answered to the current command
	by       string // who commanded it; "" = a grant, which nobody commands
}

func newHouse() *house {
	h := &house{catalog: domain.NewCatalog(), desks: map[domain.SourceID]*domain.Desk{}, seatings: map[domain.OperatorID]*domain.Seating{}}
	h.registry = h.catalog.Registry()
	h.floor = domain.NewFloor(h.commit, func(err error) { h.refusal = err })
	return h
}

func (h *house) commit(r domain.Record) {
	r.By = h.by
	if err := h.catalog.Apply(r); err != nil {
		panic(err)
	}
	if _, released := r.Events[0].(*domain.ContactReleased); released {
		h.by = "" // to whom it goes then is nobody's command
	}
}

// do runs one command and delivers the grants that it caused.
func (h *house) do(by domain.Stamp, command func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refusal, h.by = nil, by.By
	err := command()
	if h.by = ""; err != nil {
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

func (h *house) CreateOperator(_ context.Context, n domain.NewOperator, by domain.Stamp) (o domain.Operator, err error) {
	err = h.do(by, func() error {
		o = domain.Operator{
			ID: h.catalog.NextOperator(), Name: n.Name, Active: n.Active, MaxLoad: n.MaxLoad, ExternalID: n.ExternalID, Username: n.Username,
		}
		h.commit(record(by.At, o.Created()))
		o, _ = h.catalog.Operator(o.ID)
		seating := domain.NewSeating(o, h.floor.Shown())
		h.seatings[o.ID] = seating
		h.floor.Seat(seating)
		return nil
	})
	return o, err
}

func (h *house) ChangeOperator(_ context.Context, id domain.OperatorID, p domain.OperatorPatch, by domain.Stamp) (o domain.Operator, err error) {
	err = h.operator(id)
	if err == nil {
		err = h.do(by, func() error {
			h.floor.Change(id, p, by.At)
			return nil
		})
	}
	h.View(func(c *domain.Catalog) { o, _ = c.Operator(id) })
	return o, err
}

func (h *house) DeleteOperator(_ context.Context, id domain.OperatorID, by domain.Stamp) error {
	if err := h.operator(id); err != nil {
		return err
	}
	return h.do(by, func() error {
		events, err := h.seatings[id].Delete()
		if err == nil {
			h.commit(record(by.At, events[0]))
		}
		return err
	})
}

func (h *house) ReleaseAll(ctx context.Context, id domain.OperatorID, by domain.Stamp) (all domain.Released, err error) {
	if err := h.operator(id); err != nil {
		return all, err
	}
	var held []domain.Contact
	h.View(func(c *domain.Catalog) {
		held, _ = c.Contacts(domain.ContactFilter{Operator: id, Status: domain.StatusAssigned}, 0, domain.MaxLoadLimit)
	})
	for _, contact := range held {
		all.Total++
		released, err := h.ReleaseContact(ctx, contact.ID, by)
		switch {
		case err != nil:
			all.Skipped++
		case released.Operator != 0:
			all.Assigned++
		default:
			all.Open++
		}
	}
	return all, nil
}

func (h *house) CreateSource(_ context.Context, n domain.NewSource, by domain.Stamp) (s domain.Source, err error) {
	err = h.do(by, func() error {
		id := h.catalog.NextSource()
		s = domain.Source{
			ID: id, Name: n.Name, Backlog: n.Backlog, BacklogLimit: n.BacklogLimit, StickyWindow: n.StickyWindow, CreatedAt: by.At,
		}
		h.desks[id] = domain.NewDesk(s, h.floor.For(id))
		h.desks[id].Open(by.At)
		return nil
	})
	return s, err
}

// at runs a command of a source's desk.
func (h *house) at(id domain.SourceID, by domain.Stamp, command func(*domain.Desk)) error {
	return h.do(by, func() error {
		desk := h.desks[id]
		if desk == nil || desk.Deleted() {
			return domain.SourceGone(id)
		}
		command(desk)
		return nil
	})
}

func (h *house) ChangeSource(_ context.Context, id domain.SourceID, p domain.SourcePatch, by domain.Stamp) (s domain.Source, err error) {
	err = h.at(id, by, func(d *domain.Desk) { d.Edit(p, by.At) })
	h.View(func(c *domain.Catalog) { s, _ = c.Source(id) })
	return s, err
}

func (h *house) DeleteSource(_ context.Context, id domain.SourceID, by domain.Stamp) error {
	return h.at(id, by, func(d *domain.Desk) { d.Delete(by.At) })
}

func (h *house) SetLink(_ context.Context, source domain.SourceID, op domain.OperatorID, weight int64, by domain.Stamp) (l domain.LinkView, err error) {
	if err := h.operator(op); err != nil {
		return l, err
	}
	err = h.at(source, by, func(d *domain.Desk) { d.Link(op, weight, by.At) })
	h.View(func(c *domain.Catalog) { l, _ = c.Link(source, op) })
	return l, err
}

func (h *house) RemoveLink(_ context.Context, source domain.SourceID, op domain.OperatorID, by domain.Stamp) error {
	return h.at(source, by, func(d *domain.Desk) { d.Unlink(op, by.At) })
}

func (h *house) DrawOperator(_ context.Context, source domain.SourceID, by domain.Stamp) (o domain.Operator, err error) {
	var drawn domain.OperatorID
	named := func(op domain.OperatorID) bool {
		o, _ := h.catalog.Operator(op)
		return o.Username != ""
	}
	err = h.at(source, by, func(d *domain.Desk) { d.Draw(named, func(op domain.OperatorID) { drawn = op }, by.At) })
	h.View(func(c *domain.Catalog) { o, _ = c.Operator(drawn) })
	return o, err
}

func (h *house) CreateLead(_ context.Context, n domain.NewLead, by domain.Stamp) (l domain.Lead, err error) {
	err = h.do(by, func() error {
		if id, known := h.registry.Lookup(n.Email); known {
			return &domain.Error{Code: domain.CodeEmailTaken, Message: "the email is taken", Lead: id}
		}
		l, _ = h.catalog.Lead(h.lead(n, by.At))
		return nil
	})
	return l, err
}

// lead finds or creates a lead.
func (h *house) lead(n domain.NewLead, at domain.Time) domain.LeadID {
	id, known := h.registry.Lookup(n.Email)
	if !known {
		id = h.registry.Add(n)
		h.commit(record(at, &domain.LeadCreated{ID: id, Email: n.Email, Name: n.Name, Phone: n.Phone}))
	} else if changed := h.registry.Fill(id, n.Name, n.Phone); changed != nil {
		h.commit(record(at, changed))
	}
	return id
}

func (h *house) ChangeLead(_ context.Context, id domain.LeadID, p domain.LeadPatch, by domain.Stamp) (l domain.Lead, err error) {
	err = h.do(by, func() error {
		if lead, known := h.catalog.Lead(id); !known {
			return domain.Refuse(domain.CodeLeadNotFound, "there is no lead %d", id)
		} else if lead.Erased() {
			return domain.LeadGone(id)
		}
		h.commit(record(by.At, &domain.LeadChanged{ID: id, Name: p.Name, Phone: p.Phone}))
		l, _ = h.catalog.Lead(id)
		return nil
	})
	return l, err
}

func (h *house) EraseLead(_ context.Context, id domain.LeadID, by domain.Stamp) (index uint64, err error) {
	err = h.do(by, func() error {
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
		h.commit(record(by.At, &domain.LeadErased{ID: id}))
		index = h.catalog.Index()
		return nil
	})
	return index, err
}

func (h *house) CreateContact(_ context.Context, n domain.NewContact, by domain.Stamp) (contact domain.Contact, replayed bool, err error) {
	var id domain.ContactID
	err = h.at(n.Source, by, func(d *domain.Desk) { id, replayed = h.create(d, n, by.At) })
	if err == nil {
		contact, err = h.contact(id)
	}
	return contact, replayed, err
}

// create finds the contact that the key made before, or creates one.
func (h *house) create(d *domain.Desk, n domain.NewContact, at domain.Time) (id domain.ContactID, replayed bool) {
	lead := h.lead(domain.NewLead{Email: n.Email, Name: n.Name, Phone: n.Phone}, at)
	key := n.Identity()
	if use, known := h.catalog.KeyUse(key, at); known && key.Given() {
		if use.Body != key.Body {
			h.refusal = domain.Refuse(domain.CodeKeyReused, "the key came with another body")
		}
		return use.Contact, true
	}
	var last domain.OperatorID
	if window := d.StickyWindow(); window > 0 {
		last = h.catalog.LastOperator(n.Source, lead, at-window)
	}
	created := &domain.ContactCreated{Source: n.Source, Lead: lead, Text: n.Text, Priority: uint8(n.Priority), Key: key}
	d.Create(created, h.catalog.NextContact, last, at)
	return created.ID, false
}

func (h *house) CreateContacts(ctx context.Context, all []domain.NewContact, by domain.Stamp) ([]domain.CreatedContact, error) {
	results := make([]domain.CreatedContact, len(all))
	for i, n := range all {
		r := &results[i]
		r.Contact, r.Replayed, r.Err = h.CreateContact(ctx, n, by)
	}
	return results, nil
}

// on runs a command of the desk that has a contact.
func (h *house) on(id domain.ContactID, by domain.Stamp, command func(*domain.Desk, domain.Contact)) (domain.Contact, error) {
	contact, err := h.contact(id)
	if err == nil {
		err = h.at(contact.Source, by, func(d *domain.Desk) { command(d, contact) })
	}
	contact, _ = h.contact(id)
	return contact, err
}

func (h *house) CloseContact(_ context.Context, id domain.ContactID, reason string, by domain.Stamp) (domain.Contact, error) {
	return h.on(id, by, func(d *domain.Desk, _ domain.Contact) { d.Close(id, reason, by.At) })
}

func (h *house) AssignContact(_ context.Context, id domain.ContactID, op domain.OperatorID, force bool, by domain.Stamp) (domain.Contact, error) {
	if err := h.operator(op); err != nil {
		return domain.Contact{}, err
	}
	return h.on(id, by, func(d *domain.Desk, _ domain.Contact) { d.Assign(id, op, force, by.At) })
}

func (h *house) ReleaseContact(_ context.Context, id domain.ContactID, by domain.Stamp) (domain.Contact, error) {
	return h.on(id, by, func(d *domain.Desk, _ domain.Contact) { h.floor.Answer(d.Release(id, 0, by.At)) })
}

func (h *house) ReopenContact(_ context.Context, id domain.ContactID, by domain.Stamp) (domain.Contact, error) {
	return h.on(id, by, func(d *domain.Desk, c domain.Contact) {
		if lead, _ := h.catalog.Lead(c.Lead); lead.Erased() {
			h.refusal = domain.LeadGone(c.Lead)
			return
		}
		d.Reopen(id, c.Priority, c.Operator, by.At)
	})
}

func (h *house) PrioritiseContact(_ context.Context, id domain.ContactID, priority uint8, by domain.Stamp) (domain.Contact, error) {
	return h.on(id, by, func(d *domain.Desk, _ domain.Contact) { d.Prioritise(id, priority, by.At) })
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
		return domain.OperatorGone(id)
	}
	return nil
}

func record(at domain.Time, e domain.Event) domain.Record {
	return domain.Record{At: at, Events: []domain.Event{e}}
}

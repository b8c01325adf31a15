package domain

import "fmt"

// The commands of a world, as the actors run them.

func (w *world) operator(active bool, maxLoad int) OperatorID {
	at, id := w.begin(command{}), w.catalog.NextOperator()
	o := Operator{ID: id, Name: fmt.Sprint("operator ", id), Active: active, MaxLoad: maxLoad, CreatedAt: at}
	w.commit(Record{At: at, Events: []Event{o.Created()}})
	w.floor.Seat(NewSeating(o, w.floor.Shown()))
	return id
}

// change edits an operator. Its sources hear when it comes or goes.
func (w *world) change(op OperatorID, p OperatorPatch) {
	at, s := w.begin(command{changes: op}), w.floor.seatings[op]
	active := s.Active
	w.floor.Change(op, p, at)
	if s.Active == active {
		return
	}
	for source := range s.Sources {
		w.desks[source].Recheck(at)
	}
}

func (w *world) drain(op OperatorID) { w.change(op, OperatorPatch{Draining: ptr(true)}) }

func (w *world) activate(op OperatorID, active bool) { w.change(op, OperatorPatch{Active: &active}) }

func (w *world) deleteOperator(op OperatorID) {
	at := w.begin(command{})
	events, err := w.floor.seatings[op].Delete()
	if err != nil {
		w.answer(err)
		return
	}
	w.commit(Record{At: at, Events: events})
}

func (w *world) source(backlog BacklogPolicy) SourceID {
	at, id := w.begin(command{}), w.catalog.NextSource()
	d := NewDesk(Source{ID: id, Name: fmt.Sprint("source ", id), Backlog: backlog, CreatedAt: at}, w.floor.For(id))
	d.Open(at)
	w.desks[id] = d
	w.order = append(w.order, d)
	return id
}

// at runs a command at a desk, unless its source was deleted.
func (w *world) at(source SourceID, c command, do func(*Desk, Time)) {
	at, d := w.begin(c), w.desks[source]
	if d.Deleted() {
		w.answer(SourceGone(source))
		return
	}
	do(d, at)
}

func (w *world) deleteSource(source SourceID) {
	w.at(source, command{}, func(d *Desk, at Time) { d.Delete(at) })
}

func (w *world) edit(source SourceID, p SourcePatch) {
	w.at(source, command{}, func(d *Desk, at Time) { d.Edit(p, at) })
}

func (w *world) link(source SourceID, op OperatorID, weight int64) {
	w.at(source, command{}, func(d *Desk, at Time) { d.Link(op, weight, at) })
}

func (w *world) unlink(source SourceID, op OperatorID) {
	w.at(source, command{}, func(d *Desk, at Time) { d.Unlink(op, at) })
}

func (w *world) contact(source SourceID, email string) ContactID {
	id, _ := w.create(NewContact{Source: source, Email: email}, 0)
	return id
}

// urgent is a contact of this priority.
func (w *world) urgent(source SourceID, priority int) ContactID {
	id, _ := w.create(NewContact{Source: source, Email: "a@example.com", Priority: priority}, 0)
	return id
}

// returning is a contact of source 1 whose lead had prefer before.
func (w *world) returning(prefer OperatorID) ContactID {
	id, _ := w.create(NewContact{Source: 1, Email: "a@example.com"}, prefer)
	return id
}

// number gives a contact its id.
func (w *world) number() ContactID {
	w.next++
	return w.next - 1
}

// create is one way of a contact through the house: the lead, the desk. It says what its key must lead to.
func (w *world) create(n NewContact, prefer OperatorID) (id ContactID, repeat outcome) {
	w.t.Helper()
	w.identify(n)
	lead, _ := w.registry.Lookup(n.Email)
	c := &ContactCreated{Source: n.Source, Lead: lead, Text: n.Text, Priority: uint8(n.Priority), Key: n.Identity()}
	w.at(n.Source, command{prefer: prefer}, func(d *Desk, at Time) {
		use, known := w.catalog.KeyUse(c.Key, at)
		if want, is := w.model.useOf(c.Key, at); known != is || known && use != want {
			w.t.Fatalf("key use %+v, %v, want %+v, %v", use, known, want, is)
		}
		switch {
		case known && use.Body != c.Key.Body:
			repeat.code = CodeKeyReused
			w.answer(Refuse(CodeKeyReused, "the key came before with another body"))
		case known:
			repeat.noop = true
			w.answer(nil)
		default:
			d.Create(c, w.number, prefer, at)
		}
	})
	return c.ID, repeat
}

// identify finds or creates the lead of a contact, in a record of its own.
func (w *world) identify(n NewContact) {
	at := w.begin(command{})
	lead, known := w.registry.Lookup(n.Email)
	if !known {
		lead = w.registry.Add(NewLead{Email: n.Email, Name: n.Name, Phone: n.Phone})
		w.commit(Record{At: at, Events: []Event{&LeadCreated{ID: lead, Email: n.Email, Name: n.Name, Phone: n.Phone}}})
	} else if changed := w.registry.Fill(lead, n.Name, n.Phone); changed != nil {
		w.commit(Record{At: at, Events: []Event{changed}})
	}
}

// rename is an admin's change of a lead; nil leaves what there is.
func (w *world) rename(id LeadID, name, phone *string) {
	at := w.begin(command{})
	w.registry.Note(id, name, phone)
	w.commit(Record{At: at, Events: []Event{&LeadChanged{ID: id, Name: name, Phone: phone}}})
}

// erase forgets a lead that has no live contact.
func (w *world) erase(id LeadID) {
	at := w.begin(command{})
	lead, _ := w.catalog.Lead(id)
	w.registry.Erase(lead)
	w.commit(Record{At: at, Events: []Event{&LeadErased{ID: id}}})
}

// archive forgets contacts that are closed.
func (w *world) archive(ids ...ContactID) {
	w.commit(Record{At: w.begin(command{}), Events: []Event{&ContactsArchived{Day: 20_000, IDs: ids}}})
}

// of is a contact's source.
func (w *world) of(id ContactID) SourceID { return w.model.contacts[id].source }

func (w *world) close(id ContactID) { w.closeFor(id, "") }

func (w *world) closeFor(id ContactID, reason string) {
	w.at(w.of(id), command{}, func(d *Desk, at Time) { d.Close(id, reason, at) })
}

func (w *world) assign(id ContactID, op OperatorID, force bool) {
	w.at(w.of(id), command{force: force}, func(d *Desk, at Time) { d.Assign(id, op, force, at) })
}

func (w *world) release(id ContactID) { w.releaseFrom(id, 0) }

func (w *world) releaseFrom(id ContactID, from OperatorID) {
	w.at(w.of(id), command{released: id}, func(d *Desk, at Time) {
		if err := d.Release(id, from, at); err != nil {
			w.answer(err)
		}
	})
}

// reopen brings a contact back to the operator that had it, unless its lead was erased.
func (w *world) reopen(id ContactID) {
	c := w.model.contacts[id]
	w.at(c.source, command{prefer: c.operator}, func(d *Desk, at Time) {
		if w.registry.Erased(c.lead) {
			w.answer(LeadGone(c.lead))
			return
		}
		d.Reopen(id, c.priority, c.operator, at)
	})
}

func (w *world) prioritise(id ContactID, priority uint8) {
	w.at(w.of(id), command{}, func(d *Desk, at Time) { d.Prioritise(id, priority, at) })
}

// draw says who would get a contact that somebody else routes, of those who fit.
func (w *world) draw(source SourceID, fit ...OperatorID) (drawn OperatorID) {
	w.at(source, command{fit: fit}, func(d *Desk, at Time) {
		fits := map[OperatorID]bool{}
		for _, op := range fit {
			fits[op] = true
		}
		d.Draw(func(op OperatorID) bool { return fits[op] }, func(op OperatorID) { drawn = op }, at)
	})
	return drawn
}

package domain

// What is done to a contact after it arrived: close, assign by hand, release, reopen, prioritise.

// Close ends a contact; its seat goes to whoever waits.
func (d *Desk) Close(id ContactID, reason string, at Time) {
	p, live := d.live[id]
	if !live {
		d.seats.Answer(Refuse(CodeContactClosed, "contact %d is closed already", id))
		return
	}
	delete(d.live, id)
	closed := Record{At: at, Events: []Event{&ContactClosed{ID: id, Source: d.source.ID, Operator: p.operator, Reason: reason}}}
	if p.operator != 0 {
		d.seats.Release(p.operator, closed)
		return
	}
	d.seats.Commit(closed)
	d.unqueue(RankOf(id, p.priority))
}

// Assign is a manual assignment, of an open contact or from one operator to another.
func (d *Desk) Assign(id ContactID, op OperatorID, force bool, at Time) {
	p, live := d.live[id]
	row, linked := d.ledger.Find(op)
	switch {
	case !live:
		d.seats.Answer(Refuse(CodeContactClosed, "contact %d is closed", id))
		return
	case !linked:
		d.seats.Answer(Refuse(CodeNotLinked, "operator %d is not linked to source %d; force does not help", op, d.source.ID))
		return
	case p.operator == op:
		d.seats.Answer(nil)
		return
	}
	a := &ContactAssigned{ID: id, Source: d.source.ID, Operator: op, From: p.operator}
	if err := d.seats.Place(a, force, at); err != nil {
		d.seats.Answer(err)
		return
	}
	d.ledger.Count(row, a.How)
	d.hold(id, op)
	if p.operator == 0 {
		d.unqueue(RankOf(id, p.priority))
	}
}

// Release takes a contact back from the operator that holds it and dispatches it anew, at its old age. It does not go
// straight back while another active operator could have it. With from, it is only taken from that operator.
//
// That is two records, so the caller says when the command is done; nothing happened when there is an error.
func (d *Desk) Release(id ContactID, from OperatorID, at Time) error {
	p, live := d.live[id]
	switch {
	case !live:
		return Refuse(CodeContactClosed, "contact %d is closed", id)
	case p.operator == 0:
		return Refuse(CodeContactOpen, "contact %d is open: nobody holds it", id)
	case from != 0 && from != p.operator:
		return Refuse(CodeContactOpen, "contact %d is not held by operator %d any more", id, from)
	}
	rank := RankOf(id, p.priority)
	d.live[id] = liveContact{avoid: p.operator, priority: p.priority}
	d.shun(p.operator)
	d.backlog.Add(rank)
	d.publish() // before the seat is free: it goes to the best head, and this one may be it
	d.seats.Release(p.operator, Record{At: at, Events: []Event{
		&ContactReleased{ID: id, Source: d.source.ID, Operator: p.operator},
	}})
	if d.assign(rank, at, nil) {
		d.unqueue(rank)
	}
	return nil
}

// Reopen brings a closed contact back: to the operator that had it, when that one is eligible, else it is dispatched
// anew, at its old age.
func (d *Desk) Reopen(id ContactID, priority uint8, had OperatorID, at Time) {
	if _, live := d.live[id]; live {
		d.seats.Answer(Refuse(CodeContactNotClosed, "contact %d is not closed", id))
		return
	}
	d.enter(id, priority, had, at, &ContactReopened{ID: id, Source: d.source.ID, Priority: priority})
}

// Prioritise changes the priority of an open contact.
func (d *Desk) Prioritise(id ContactID, priority uint8, at Time) {
	p, live := d.live[id]
	switch {
	case !live || p.operator != 0:
		d.seats.Answer(Refuse(CodeContactNotOpen, "contact %d is not open; only one that waits has a place to change", id))
		return
	case p.priority == priority:
		d.seats.Answer(nil)
		return
	}
	before, after := RankOf(id, p.priority), RankOf(id, priority)
	p.priority = priority
	d.live[id] = p
	d.backlog.Add(after)
	changed := Record{At: at, Events: []Event{&ContactPrioritised{ID: id, Source: d.source.ID, Priority: priority}}}
	if after < before {
		d.backlog.Remove(before)
		d.publish() // before the journal says so: from then on nobody overtakes
		d.seats.Commit(changed)
		return
	}
	d.seats.Commit(changed)
	d.backlog.Remove(before)
	d.publish()
}

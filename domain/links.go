package domain

// Who may serve a source: links, and the end of the source itself.

// Link links an operator to the source or changes the link's weight; its free seats go to whoever waits.
func (d *Desk) Link(op OperatorID, weight int64, at Time) {
	row, linked := d.ledger.Find(op)
	switch {
	case linked && d.ledger.Links()[row].Weight == weight:
		d.seats.Answer(nil)
		return
	case !linked && len(d.ledger.Links()) == MaxLinks:
		d.seats.Answer(Refuse(CodeTooManyLinks, "source %d has %d operators already, the most it can have", d.source.ID, MaxLinks))
		return
	}
	set := Record{At: at, Events: []Event{&LinkSet{Source: d.source.ID, Operator: op, Weight: weight}}}
	if err := d.seats.Serve(op, weight > 0, set); err != nil {
		d.seats.Answer(err)
		return
	}
	d.ledger.Set(op, weight)
	d.relinked(at)
}

// Unlink ends the link of an operator; it keeps the contacts that it holds.
func (d *Desk) Unlink(op OperatorID, at Time) {
	if _, linked := d.ledger.Find(op); !linked {
		d.seats.Answer(Refuse(CodeLinkNotFound, "operator %d is not linked to source %d", op, d.source.ID))
		return
	}
	d.seats.Leave([]OperatorID{op}, Record{At: at, Events: []Event{&LinkRemoved{Source: d.source.ID, Operator: op}}})
	d.ledger.Remove(op)
	d.relinked(at)
}

// relinked lets go what waited for another operator than the one that released it, when there is no other any more.
func (d *Desk) relinked(at Time) {
	if len(d.shunned) > 0 {
		d.Recheck(at)
	}
}

// Delete ends the source and all its links. From then on it answers that there is no such source.
func (d *Desk) Delete(at Time) {
	if n := len(d.live); n > 0 {
		d.seats.Answer(Refuse(CodeSourceLive, "%d contacts of source %d are not closed; contact %d is the first", n, d.source.ID, d.oldest()))
		return
	}
	var ops []OperatorID
	for _, l := range d.ledger.Links() {
		ops = append(ops, l.Operator)
	}
	d.source.Deleted = true
	d.seats.Leave(ops, Record{At: at, Events: []Event{&SourceDeleted{ID: d.source.ID}}})
	d.ledger = Ledger{}
}

// Deleted says that the source was deleted.
func (d *Desk) Deleted() bool { return d.source.Deleted }

// oldest is the oldest contact that is not closed.
func (d *Desk) oldest() (first ContactID) {
	for id := range d.live {
		if first == 0 || id < first {
			first = id
		}
	}
	return first
}

// SourceGone is the refusal of a source that was deleted, or never was.
func SourceGone(id SourceID) *Error {
	return Refuse(CodeSourceNotFound, "there is no source %d", id)
}

// Draw decides who would get a contact that somebody else routes: the ledger is charged, no seat is taken. fit says who
// can be drawn at all, drawn hears who it is before the record is sent.
func (d *Desk) Draw(fit func(OperatorID) bool, drawn func(OperatorID), at Time) {
	set := d.look(0)
	for row := range set.All() {
		if !fit(d.ledger.Links()[row].Operator) {
			set.Remove(row)
		}
	}
	if set.Count() == 0 {
		d.seats.Answer(Refuse(CodeNobodyEligible, "no operator of source %d that the other system knows is eligible", d.source.ID))
		return
	}
	row := d.ledger.Pick(set)
	op := d.ledger.Links()[row].Operator
	drawn(op)
	d.seats.Commit(Record{At: at, Events: []Event{
		&OperatorDrawn{Source: d.source.ID, Operator: op, Among: d.ledger.Among(set)},
	}})
	d.ledger.Charge(set, row, Automatic)
}

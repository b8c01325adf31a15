package domain

// Desk is one source's live state: who may serve it, who is next, which contacts wait. Commands come in, records go out
// through its Seats, exactly one for each command, or an answer; further records follow when the command lets waiting
// contacts go. It has one owner at a time.
type Desk struct {
	source   Source
	seats    Seats
	ledger   Ledger
	backlog  Ordered[Rank]            // the open contacts, in the order in which they are served
	holders  map[ContactID]OperatorID // the contacts that are not closed; 0 = open
	eligible Rows                     // scratch of assign
}

// NewDesk is the desk of a new source.
func NewDesk(source Source, seats Seats) *Desk {
	return &Desk{source: source, seats: seats, holders: map[ContactID]OperatorID{}}
}

// Open commits the desk's source itself: its first record.
func (d *Desk) Open(at Time) {
	s := d.source
	d.seats.Commit(Record{At: at, Events: []Event{&SourceCreated{ID: s.ID, Name: s.Name, Backlog: s.Backlog}}})
}

// Edit changes the source. A backlog that becomes auto is drained.
func (d *Desk) Edit(p SourcePatch, at Time) {
	edited := p.Apply(d.source)
	if edited == d.source {
		d.seats.Answer(nil)
		return
	}
	d.source = edited
	changed := Record{At: at, Events: []Event{&SourceChanged{ID: edited.ID, Name: edited.Name, Backlog: edited.Backlog}}}
	if edited.Backlog == BacklogAuto {
		d.publish() // before the journal says auto: from then on nobody overtakes
		d.seats.Commit(changed)
		d.Drain(at)
		return
	}
	d.seats.Commit(changed)
	d.publish()
}

// Create dispatches a new contact: to an operator, or into the backlog.
func (d *Desk) Create(c *ContactCreated, at Time) {
	rank := RankOf(c.ID)
	d.holders[c.ID] = 0
	// Behind others that wait it can only wait, too: to look would cost and change nothing.
	queued := d.source.Backlog == BacklogAuto && d.backlog.Len() > 0
	if !queued && d.assign(rank, at, c) {
		return
	}
	d.backlog.Add(rank)
	if !queued {
		d.publish()
		// A seat that was released before the head was published went to nobody: look once more.
		if d.assign(rank, at, c) {
			d.unqueue(rank)
			return
		}
	}
	d.seats.Commit(Record{At: at, Events: []Event{c}})
}

// Drain assigns waiting contacts, the first first, while somebody is eligible.
func (d *Desk) Drain(at Time) {
	for {
		head := d.head()
		if head == 0 || !d.assign(head, at) {
			return
		}
		d.unqueue(head)
	}
}

// Granted receives a seat of op that was freed while the desk's head was published.
func (d *Desk) Granted(op OperatorID, at Time) {
	head := d.head()
	row, linked := d.ledger.Find(op)
	if head == 0 || !linked {
		d.seats.GiveBack(op, at)
		return
	}
	set := d.eligible.cleared(row + 1)
	set.Add(row)
	d.eligible = set
	if d.seats.UseGrant(op, head, Record{At: at, Events: []Event{d.assignment(head, op, set)}}) {
		d.ledger.Charge(set, row)
		d.holders[head.Contact()] = op
		d.unqueue(head)
	}
}

// Close ends a contact; its seat goes to whoever waits.
func (d *Desk) Close(id ContactID, at Time) {
	op, live := d.holders[id]
	if !live {
		d.seats.Answer(Refuse(CodeContactClosed, "contact %d is closed already", id))
		return
	}
	delete(d.holders, id)
	closed := Record{At: at, Events: []Event{&ContactClosed{ID: id, Source: d.source.ID, Operator: op}}}
	if op != 0 {
		d.seats.Release(op, closed)
		return
	}
	d.seats.Commit(closed)
	d.unqueue(RankOf(id))
}

// Assign is a manual assignment, of an open contact or from one operator to another.
func (d *Desk) Assign(id ContactID, op OperatorID, force bool, at Time) {
	from, live := d.holders[id]
	_, linked := d.ledger.Find(op)
	switch {
	case !live:
		d.seats.Answer(Refuse(CodeContactClosed, "contact %d is closed", id))
		return
	case !linked:
		d.seats.Answer(Refuse(CodeNotLinked, "operator %d is not linked to source %d; force does not help", op, d.source.ID))
		return
	case from == op:
		d.seats.Answer(nil)
		return
	}
	if err := d.seats.Place(&ContactAssigned{ID: id, Source: d.source.ID, Operator: op, From: from}, force, at); err != nil {
		d.seats.Answer(err)
		return
	}
	d.holders[id] = op
	if from == 0 {
		d.unqueue(RankOf(id))
	}
}

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
}

// Unlink ends the link of an operator; it keeps the contacts that it holds.
func (d *Desk) Unlink(op OperatorID, at Time) {
	if _, linked := d.ledger.Find(op); !linked {
		d.seats.Answer(Refuse(CodeLinkNotFound, "operator %d is not linked to source %d", op, d.source.ID))
		return
	}
	d.seats.Leave(op, Record{At: at, Events: []Event{&LinkRemoved{Source: d.source.ID, Operator: op}}})
	d.ledger.Remove(op)
}

// assign gives the contact of this rank to the eligible operator that is next, in one record after the events that
// come first; false when nobody is eligible. An operator whose last seat is lost to another source drops out, and the
// pick starts over.
func (d *Desk) assign(rank Rank, at Time, first ...Event) bool {
	set := d.look()
	for set.Count() > 0 {
		row := d.ledger.Pick(set)
		op := d.ledger.Links()[row].Operator
		if d.seats.Take(op, rank, Record{At: at, Events: append(first[:len(first):len(first)], d.assignment(rank, op, set))}) {
			d.ledger.Charge(set, row)
			d.holders[rank.Contact()] = op
			return true
		}
		set.Remove(row)
	}
	return false
}

// look is the set of rows that are eligible at this moment.
func (d *Desk) look() Rows {
	links := d.ledger.Links()
	d.eligible = d.eligible.cleared(len(links))
	for row := range links {
		if links[row].Weight > 0 && d.seats.Open(links[row].Operator) {
			d.eligible.Add(row)
		}
	}
	return d.eligible
}

func (d *Desk) assignment(rank Rank, op OperatorID, set Rows) *ContactAssigned {
	return &ContactAssigned{ID: rank.Contact(), Source: d.source.ID, Operator: op, How: Automatic, Among: d.ledger.Among(set)}
}

// head is the contact that a freed seat would serve; 0 = none.
func (d *Desk) head() Rank {
	if d.source.Backlog != BacklogAuto {
		return 0
	}
	head, _ := d.backlog.Min()
	return head
}

// Resume publishes the head of a desk that was built from the catalog.
func (d *Desk) Resume() { d.publish() }

func (d *Desk) publish() { d.seats.Publish(d.head()) }

// unqueue takes a contact out of the backlog, after its record was sent: a head that is published too long only costs
// a grant that comes back, one that is withdrawn too early would be overtaken.
func (d *Desk) unqueue(rank Rank) {
	d.backlog.Remove(rank)
	d.publish()
}

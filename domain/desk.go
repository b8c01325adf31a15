package domain

import (
	"cmp"
	"slices"
)

// Desk is one source's live state: who may serve it, who is next, which contacts wait. Commands come in, records go out
// through its Seats, exactly one for each command, or an answer; further records follow when the command lets waiting
// contacts go. It has one owner at a time.
//
// This file has what a desk decides about contacts that arrive and wait, life.go what is done to a contact later on,
// links.go who may serve.
type Desk struct {
	source   Source
	seats    Seats
	ledger   Ledger
	backlog  Ordered[Rank]             // the open contacts, in the order in which they are served
	live     map[ContactID]liveContact // the contacts that are not closed
	shunned  []shunned                 // ascending
	eligible Rows                      // scratch of assign
}

// liveContact is what the desk knows of a contact that is not closed.
type liveContact struct {
	operator OperatorID // who holds it; 0 = it waits
	avoid    OperatorID // see Contact.Avoid
	priority uint8
}

// shunned is an operator that some waiting contact must not have, and the head that was published for it.
type shunned struct {
	operator  OperatorID
	published Rank
}

// NewDesk is the desk of a new source.
func NewDesk(source Source, seats Seats) *Desk {
	return &Desk{source: source, seats: seats, live: map[ContactID]liveContact{}}
}

// Open commits the desk's source itself: its first record.
func (d *Desk) Open(at Time) {
	d.seats.Commit(Record{At: at, Events: []Event{d.source.created()}})
}

// Edit changes the source. A backlog that becomes auto is drained.
func (d *Desk) Edit(p SourcePatch, at Time) {
	edited := p.Apply(d.source)
	if edited == d.source {
		d.seats.Answer(nil)
		return
	}
	d.source = edited
	changed := Record{At: at, Events: []Event{(*SourceChanged)(edited.created())}}
	if edited.Backlog == BacklogAuto {
		d.publish() // before the journal says auto: from then on nobody overtakes
		d.seats.Commit(changed)
		d.Drain(at)
		return
	}
	d.seats.Commit(changed)
	d.publish()
}

// Create dispatches a new contact: to prefer (0 = nobody) when that operator is eligible, to whom the ledger picks, or
// into the backlog. It is false when the source refused it. number gives the id, and is not asked for one that would be
// wasted: only a contact whose seat another source takes in this moment, and which the backlog has no room for, wastes one.
func (d *Desk) Create(c *ContactCreated, number func() ContactID, prefer OperatorID, at Time) bool {
	if full := d.full(); full != nil && (d.queues() || d.look(0).Count() == 0) {
		d.seats.Answer(full)
		return false
	}
	c.ID = number()
	return d.enter(c.ID, c.Priority, prefer, at, c)
}

// StickyWindow is for how long a lead that comes back goes to its last operator; 0 = never.
func (d *Desk) StickyWindow() Time { return Time(d.source.StickyWindow) * 1_000_000 }

// queues says whether a contact that arrives can only wait: behind others that wait, unless the operator that is free is
// one that those must not have.
func (d *Desk) queues() bool {
	return d.source.Backlog == BacklogAuto && d.backlog.Len() > 0 && len(d.shunned) == 0
}

// full is the refusal of a contact that would have to wait, when there is no room; nil = there is.
func (d *Desk) full() error {
	limit := d.source.BacklogLimit
	if limit == 0 || d.backlog.Len() < limit {
		return nil
	}
	return Refuse(CodeBacklogFull, "%d contacts wait in source %d, the most it lets wait", limit, d.source.ID)
}

// enter dispatches a contact that the event brings to the desk.
func (d *Desk) enter(id ContactID, priority uint8, prefer OperatorID, at Time, event Event) bool {
	d.live[id] = liveContact{priority: priority}
	rank := RankOf(id, priority)
	if !d.queues() && (d.stick(rank, prefer, at, event) || d.assign(rank, at, event)) {
		return true
	}
	if full := d.full(); full != nil {
		delete(d.live, id)
		d.seats.Answer(full)
		return false
	}
	d.backlog.Add(rank)
	if head := d.head(); head == rank || len(d.shunned) > 0 {
		d.publish()
		// A seat that was released before the head was published went to nobody: look once more.
		if d.assign(rank, at, event) {
			d.unqueue(rank)
			return true
		}
	}
	d.seats.Commit(Record{At: at, Events: []Event{event}})
	return true
}

// stick gives a contact to the operator that its lead had before, if that one is eligible. The ledger is charged, unless
// that would take somebody too far from its share.
func (d *Desk) stick(rank Rank, prefer OperatorID, at Time, first Event) bool {
	row, linked := d.ledger.Find(prefer)
	if !linked {
		return false
	}
	set := d.look(0)
	if !set.Has(row) {
		return false
	}
	a := &ContactAssigned{ID: rank.Contact(), Source: d.source.ID, Operator: prefer, How: Sticky}
	charged := d.ledger.Bearable(set, row)
	if charged {
		a.Among = d.ledger.Among(set)
	}
	if !d.seats.Take(prefer, rank, Record{At: at, Events: events(first, a)}) {
		return false
	}
	if charged {
		d.ledger.Charge(set, row, Sticky)
	} else {
		d.ledger.Count(row, Sticky)
	}
	d.hold(rank.Contact(), prefer)
	return true
}

// Drain assigns waiting contacts, the first first, while somebody is eligible. Only what waits for another operator than
// the one that released it is passed over.
func (d *Desk) Drain(at Time) {
	if d.source.Backlog != BacklogAuto {
		return
	}
	for from := Rank(0); ; {
		rank, waits := d.backlog.Seek(from)
		if !waits {
			return
		}
		if d.assign(rank, at, nil) {
			d.unqueue(rank)
		} else if len(d.shunned) == 0 || d.look(0).Count() == 0 {
			return
		}
		from = rank + 1
	}
}

// Recheck drains after another operator of the source became active or inactive: what waits for another than the one
// that released it may have that one now, or no longer.
func (d *Desk) Recheck(at Time) {
	d.publish()
	d.Drain(at)
}

// Granted receives a seat of op that was freed while the desk's head was published.
func (d *Desk) Granted(op OperatorID, at Time) {
	rank := d.first(op)
	row, linked := d.ledger.Find(op)
	if rank == 0 || !linked {
		d.publish() // so that the seat does not come again for nothing
		d.seats.GiveBack(op, at)
		return
	}
	set := d.eligible.cleared(row + 1)
	set.Add(row)
	d.eligible = set
	if d.seats.UseGrant(op, rank, Record{At: at, Events: []Event{d.assignment(rank, op, set)}}) {
		d.ledger.Charge(set, row, Automatic)
		d.hold(rank.Contact(), op)
		d.unqueue(rank)
	}
}

// assign gives the contact of this rank to the eligible operator that is next, in one record, behind the event that
// comes first, if any; false when nobody is eligible. An operator whose last seat is lost to another source drops out, and the
// pick starts over.
func (d *Desk) assign(rank Rank, at Time, first Event) bool {
	set := d.look(d.barred(d.live[rank.Contact()]))
	for set.Count() > 0 {
		row := d.ledger.Pick(set)
		op := d.ledger.Links()[row].Operator
		if d.seats.Take(op, rank, Record{At: at, Events: events(first, d.assignment(rank, op, set))}) {
			d.ledger.Charge(set, row, Automatic)
			d.hold(rank.Contact(), op)
			return true
		}
		set.Remove(row)
	}
	return false
}

func events(first, second Event) []Event {
	if first == nil {
		return []Event{second}
	}
	return []Event{first, second}
}

// look is the set of rows that are eligible at this moment, without one operator (0 = nobody).
func (d *Desk) look(without OperatorID) Rows {
	links := d.ledger.Links()
	d.eligible = d.eligible.cleared(len(links))
	for row := range links {
		if links[row].Weight > 0 && d.seats.Open(links[row].Operator) && links[row].Operator != without {
			d.eligible.Add(row)
		}
	}
	return d.eligible
}

func (d *Desk) assignment(rank Rank, op OperatorID, set Rows) *ContactAssigned {
	return &ContactAssigned{ID: rank.Contact(), Source: d.source.ID, Operator: op, How: Automatic, Among: d.ledger.Among(set)}
}

// hold notes that an operator has a contact.
func (d *Desk) hold(id ContactID, op OperatorID) {
	d.live[id] = liveContact{operator: op, priority: d.live[id].priority}
}

// barred is the operator that a waiting contact must not have; 0 = nobody.
func (d *Desk) barred(p liveContact) OperatorID {
	if p.avoid != 0 && d.ledger.another(p.avoid, d.seats.Active) {
		return p.avoid
	}
	return 0
}

// first is the waiting contact that op would serve; 0 = none.
func (d *Desk) first(op OperatorID) Rank {
	head := d.head()
	if _, shunned := d.shuns(op); head == 0 || !shunned || !d.ledger.another(op, d.seats.Active) {
		return head
	}
	for rank := range d.backlog.All {
		if d.live[rank.Contact()].avoid != op {
			return rank
		}
	}
	return 0
}

// head is the contact that waits at the head of the backlog; 0 = none, or none that is drained.
func (d *Desk) head() Rank {
	if d.source.Backlog != BacklogAuto {
		return 0
	}
	head, _ := d.backlog.Min()
	return head
}

// Resume publishes the head of a desk that was built from the catalog.
func (d *Desk) Resume() { d.publish() }

// publish makes known who waits: first what single operators must not have, then the head of all.
func (d *Desk) publish() {
	head := d.head()
	for i := range d.shunned {
		s := &d.shunned[i]
		own := d.first(s.operator)
		switch own {
		case head:
			own = 0
		case 0:
			own = Nobody
		default:
		}
		s.publish(d.seats, own)
	}
	d.seats.Publish(head)
}

func (s *shunned) publish(seats Seats, own Rank) {
	if own != s.published {
		s.published = own
		seats.PublishFor(s.operator, own)
	}
}

// shun notes that a waiting contact must not go straight back to op.
func (d *Desk) shun(op OperatorID) {
	if i, known := d.shuns(op); !known {
		d.shunned = slices.Insert(d.shunned, i, shunned{operator: op})
	}
}

func (d *Desk) shuns(op OperatorID) (i int, found bool) {
	return slices.BinarySearchFunc(d.shunned, op, func(s shunned, op OperatorID) int { return cmp.Compare(s.operator, op) })
}

// unqueue takes a contact out of the backlog, after its record was sent: a head that is published too long only costs
// a grant that comes back, one that is withdrawn too early would be overtaken.
func (d *Desk) unqueue(rank Rank) {
	d.backlog.Remove(rank)
	d.publish()
	d.forgive()
}

// forgive ends the shunning when nothing waits.
func (d *Desk) forgive() {
	if len(d.shunned) == 0 || d.backlog.Len() > 0 {
		return
	}
	for i := range d.shunned {
		d.shunned[i].publish(d.seats, 0)
	}
	d.shunned = d.shunned[:0]
}

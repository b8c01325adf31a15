package actors

import (
	"sync"

	"minicrm/domain"
)

// seats is the one structure that actors share: the seats of all operators, with a lock an operator, and where each
// source publishes its head. A change of an operator's seats or state and the sending of the record that says so are
// one step under that operator's lock; so is the sending of the grants that follow. So, for every operator, the
// journal's order is the seats' order, whatever a crash cuts off.
//
// Sending is a push into a mailbox: it does not block, so a lock is never held for long. Two locks are only ever
// taken together by a transfer, in id order.
type seats struct {
	memory    memory
	journal   mailbox
	operators table[seat]
	sources   table[desk]
}

// seat is one operator's seats and their lock.
type seat struct {
	sync.Locker
	*domain.Seating
}

// desk is where a source can be reached: its mailbox, and its published head.
type desk struct {
	mailbox
	head domain.Head
}

func (s *seats) operator(id domain.OperatorID) *seat { return s.operators.get(int64(id)) }

// seat adds an operator.
func (s *seats) seat(seating *domain.Seating) {
	s.operators.put(int64(seating.ID), &seat{s.memory.lock(), seating})
}

// create adds a new operator and commits c, which says so, in one step: whoever guesses the id and links the operator
// at once waits for the lock, so that its record comes later.
func (s *seats) create(o domain.Operator, c *commit) {
	added := &seat{s.memory.lock(), domain.NewSeating(o, s.memory.word())}
	added.Lock()
	defer added.Unlock()
	s.operators.put(int64(o.ID), added)
	s.journal.Tell(c)
}

// change edits an operator and commits c, for which it makes the record. Free seats go to whoever waits.
func (s *seats) change(op domain.OperatorID, p domain.OperatorPatch, c *commit) {
	o := s.operator(op)
	o.Lock()
	defer o.Unlock()
	after := p.Apply(o.Operator)
	if after == o.Operator {
		s.journal.Tell(c)
		return
	}
	c.record = domain.Record{At: c.at, Events: []domain.Event{&domain.OperatorChanged{
		ID: op, Name: after.Name, Active: after.Active, MaxLoad: after.MaxLoad,
	}}}
	s.journal.Tell(c)
	o.Change(p)
	s.fill(o, c.at)
}

// fill grants the operator's free seats, from then on taken, to whoever waits for them. The caller holds the lock.
func (s *seats) fill(o *seat, at domain.Time) {
	for {
		source, granted := o.Grant()
		if !granted {
			return
		}
		s.sources.get(int64(source)).Tell(&grant{operator: o.ID, at: at})
	}
}

// port is the Seats of one source's desk. The record or answer that it sends first settles the current command.
type port struct {
	*seats
	source  domain.SourceID
	head    domain.Head
	current command
}

var _ domain.Seats = (*port)(nil)

// Publish stores the head where every operator that the source is linked to sees it.
func (p *port) Publish(head domain.Rank) {
	if p.head.Load() != int64(head) {
		p.head.Store(int64(head))
	}
}

// Open looks without the lock.
func (p *port) Open(op domain.OperatorID) bool { return p.operator(op).Looks() }

// Take takes a seat and sends r in one step.
func (p *port) Take(op domain.OperatorID, rank domain.Rank, r domain.Record) bool {
	o := p.operator(op)
	o.Lock()
	defer o.Unlock()
	return p.taken(o.Take(rank), o, r)
}

// UseGrant elects once more, and sends r when the seat is still this source's.
func (p *port) UseGrant(op domain.OperatorID, rank domain.Rank, r domain.Record) bool {
	o := p.operator(op)
	o.Lock()
	defer o.Unlock()
	return p.taken(o.UseGrant(p.source, rank), o, r)
}

// taken ends the step of a taken seat with its record, and that of a refused one with the grants to who comes first.
func (p *port) taken(taken bool, o *seat, r domain.Record) bool {
	if taken {
		p.Commit(r)
	} else {
		p.fill(o, r.At)
	}
	return taken
}

// GiveBack grants the seat to the next in line, or frees it.
func (p *port) GiveBack(op domain.OperatorID, at domain.Time) {
	o := p.operator(op)
	o.Lock()
	defer o.Unlock()
	p.free(o, at)
}

// Release sends r and frees the seat in one step.
func (p *port) Release(op domain.OperatorID, r domain.Record) {
	o := p.operator(op)
	o.Lock()
	defer o.Unlock()
	p.Commit(r)
	p.free(o, r.At)
}

func (p *port) free(o *seat, at domain.Time) {
	o.Free()
	p.fill(o, at)
}

// Place takes the new operator's seat, sends the record and frees the old operator's seat in one step, under both locks.
func (p *port) Place(a *domain.ContactAssigned, force bool, at domain.Time) error {
	to, from := p.operator(a.Operator), p.operator(a.From)
	if from != nil && a.From < a.Operator {
		defer lockBoth(from, to)()
	} else {
		defer lockBoth(to, from)()
	}
	how, err := to.Place(force)
	if err != nil {
		return err
	}
	a.How = how
	p.Commit(domain.Record{At: at, Events: []domain.Event{a}})
	if from != nil {
		p.free(from, at)
	}
	return nil
}

// lockBoth locks two operators, which the caller has in id order, or one when the second is nil, and returns the
// unlocking. The order must come from ids that the caller knows: an operator's own may be read only under its lock.
func lockBoth(a, b *seat) (unlock func()) {
	a.Lock()
	if b == nil {
		return a.Unlock
	}
	b.Lock()
	return func() { b.Unlock(); a.Unlock() }
}

// Serve sends the link and opens or closes the operator's seats to this source in one step.
func (p *port) Serve(op domain.OperatorID, wanted bool, r domain.Record) error {
	o := p.operator(op)
	o.Lock()
	defer o.Unlock()
	p.Commit(r)
	o.Serve(p.source, p.head, wanted)
	p.fill(o, r.At)
	return nil
}

// Leave sends the end of the link and closes the operator's seats to this source in one step.
func (p *port) Leave(op domain.OperatorID, r domain.Record) {
	o := p.operator(op)
	o.Lock()
	defer o.Unlock()
	p.Commit(r)
	o.Serve(p.source, p.head, false)
}

// Commit sends a record.
func (p *port) Commit(r domain.Record) {
	p.journal.Tell(&commit{command: p.settle(), record: r})
}

// Answer sends an answer without a record.
func (p *port) Answer(err error) {
	p.journal.Tell(&commit{command: p.settle(), err: err})
}

// settle hands the current command to the first message about it.
func (p *port) settle() command {
	c := p.current
	p.current = command{}
	return c
}

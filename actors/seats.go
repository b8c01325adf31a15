package actors

import (
	"sync"
	"sync/atomic"

	"minicrm/domain"
)

// seats is the one structure that actors share: the seats of all operators, with a lock an operator, and where each
// source publishes its head. A change of an operator's seats or state and the sending of the record that says so are
// one step under that operator's lock; so is the sending of the grants that follow. So, for every operator, the
// journal's order is the seats' order, whatever a crash cuts off.
//
// Sending is a push into a mailbox: it does not block, so a lock is never held for long. Two locks are only ever
// taken together by a transfer, in id order, and those of all its operators by the end of a source, in that order too.
type seats struct {
	memory    memory
	journal   mailbox
	operators table[seat]
	sources   table[desk]
	contacts  atomic.Int64 // the id that was given last
}

// seat is one operator's seats and their lock.
type seat struct {
	sync.Locker
	*domain.Seating
}

// desk is where a source can be reached: its mailbox, and its published heads.
type desk struct {
	mailbox
	*heads
	gone atomic.Bool // it was deleted, and that is committed
}

// heads is where one source publishes who waits: for all operators, and for each that it was ever linked to. The
// source itself makes the words, and so does the start.
type heads struct {
	all  domain.Head
	owns map[domain.OperatorID]domain.Head
}

func newHeads(m memory) *heads {
	return &heads{all: m.word(), owns: map[domain.OperatorID]domain.Head{}}
}

// of is what an operator reads.
func (h *heads) of(op domain.OperatorID, m memory) domain.Heads {
	if h.owns[op] == nil {
		h.owns[op] = m.word()
	}
	return domain.Heads{All: h.all, Own: h.owns[op]}
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
	if o.Deleted {
		c.err = domain.OperatorGone(op)
		s.journal.Tell(c)
		return
	}
	active := o.Active
	c.record = record(c.At, o.Change(p))
	s.journal.Tell(c)
	s.fill(o, c.At)
	if o.Active != active {
		s.recheck(o, c.At)
	}
}

// recheck tells the operator's sources that it came or went: what waits for somebody else than the one that released it
// may have that one now, or no longer. The caller holds the lock.
func (s *seats) recheck(o *seat, at domain.Time) {
	for source := range o.Sources {
		s.sources.get(int64(source)).Tell(&recheck{at})
	}
}

// delete ends an operator and commits c, for which it makes the record.
func (s *seats) delete(op domain.OperatorID, c *commit) {
	o := s.operator(op)
	o.Lock()
	defer o.Unlock()
	var events []domain.Event
	events, c.err = o.Delete()
	c.record = record(c.At, events)
	s.journal.Tell(c)
}

// record is a record of events; none makes none.
func record(at domain.Time, events []domain.Event) domain.Record {
	if len(events) == 0 {
		return domain.Record{}
	}
	return domain.Record{At: at, Events: events}
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
	heads   *heads
	current command
}

var _ domain.Seats = (*port)(nil)

// number gives the contact that the current command makes its id: its age, among those of all sources.
func (p *port) number() domain.ContactID {
	p.current.subject = p.contacts.Add(1)
	return domain.ContactID(p.current.subject)
}

// Publish stores the head where every operator that the source is linked to sees it.
func (p *port) Publish(head domain.Rank) {
	if p.heads.all.Load() != int64(head) {
		p.heads.all.Store(int64(head))
	}
}

// PublishFor stores the head where one operator sees it.
func (p *port) PublishFor(op domain.OperatorID, head domain.Rank) {
	p.heads.of(op, p.memory).Own.Store(int64(head))
}

// Open looks without the lock.
func (p *port) Open(op domain.OperatorID) bool { return p.operator(op).LooksOpen() }

// Active looks without the lock.
func (p *port) Active(op domain.OperatorID) bool { return p.operator(op).LooksActive() }

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
		p.finish(o, r.At, o.Retire())
	}
	return taken
}

// finish commits the end of a draining, if that is what freed a seat, and grants what is free.
func (p *port) finish(o *seat, at domain.Time, events []domain.Event) {
	if len(events) > 0 {
		p.journal.Tell(&commit{record: record(at, events)})
	}
	p.fill(o, at)
}

// GiveBack grants the seat to the next in line, or frees it.
func (p *port) GiveBack(op domain.OperatorID, at domain.Time) {
	o := p.operator(op)
	o.Lock()
	defer o.Unlock()
	p.finish(o, at, o.Free())
}

// Release sends r and frees the seat in one step.
func (p *port) Release(op domain.OperatorID, r domain.Record) {
	o := p.operator(op)
	o.Lock()
	defer o.Unlock()
	p.free(o, r)
}

// free frees a seat with the record that says so; a draining that this ends is part of it.
func (p *port) free(o *seat, r domain.Record) {
	r.Events = append(r.Events, o.Free()...)
	p.Commit(r)
	p.fill(o, r.At)
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
	r := domain.Record{At: at, Events: []domain.Event{a}}
	if from == nil {
		p.Commit(r)
		return nil
	}
	p.free(from, r)
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
	if err := o.Serve(p.source, p.heads.of(op, p.memory), wanted); err != nil {
		return err
	}
	p.Commit(r)
	p.fill(o, r.At)
	return nil
}

// Leave sends the end of links and closes the operators' seats to this source in one step, under all their locks.
func (p *port) Leave(ops []domain.OperatorID, r domain.Record) {
	for _, op := range ops { // ascending, as everywhere
		o := p.operator(op)
		o.Lock()
		defer o.Unlock()
		o.Leave(p.source)
	}
	p.Commit(r)
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

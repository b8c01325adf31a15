package domain

import (
	"cmp"
	"maps"
	"slices"
)

// Floor is the plain implementation of Seats for all desks of one goroutine: at the start, where the backlogs are
// drained before the actors run, and in tests. The actors' implementation is the same with a lock an operator.
type Floor struct {
	Commit func(Record)
	Answer func(error)

	seatings map[OperatorID]*Seating
	heads    map[SourceID]*plainHead
	owns     map[ownHead]*plainHead
	grants   []grant
}

type grant struct {
	source   SourceID
	operator OperatorID
	at       Time
}

// ownHead names where a source publishes for one operator.
type ownHead struct {
	source   SourceID
	operator OperatorID
}

type plainHead struct{ rank int64 }

func (h *plainHead) Load() int64      { return h.rank }
func (h *plainHead) Store(rank int64) { h.rank = rank }

// NewFloor is a floor without operators. commit takes the records, answer the answers.
func NewFloor(commit func(Record), answer func(error)) *Floor {
	return &Floor{Commit: commit, Answer: answer, seatings: map[OperatorID]*Seating{}, heads: map[SourceID]*plainHead{}, owns: map[ownHead]*plainHead{}}
}

// seated lists the operators, ascending.
func (f *Floor) seated() []*Seating {
	return slices.SortedFunc(maps.Values(f.seatings), func(a, b *Seating) int { return cmp.Compare(a.ID, b.ID) })
}

// Seat puts operators on the floor.
func (f *Floor) Seat(all ...*Seating) {
	for _, s := range all {
		f.seatings[s.ID] = s
	}
}

// Shown is where an operator shows whether it is open.
func (f *Floor) Shown() Head { return new(plainHead) }

// Heads is where a source publishes, for all operators and for one.
func (f *Floor) Heads(source SourceID, op OperatorID) Heads {
	return Heads{All: headIn(f.heads, source), Own: headIn(f.owns, ownHead{source, op})}
}

func headIn[K comparable](heads map[K]*plainHead, key K) *plainHead {
	h := heads[key]
	if h == nil {
		h = new(plainHead)
		heads[key] = h
	}
	return h
}

// Change edits an operator's state; its free seats go to whoever waits.
func (f *Floor) Change(op OperatorID, p OperatorPatch, at Time) {
	s := f.seatings[op]
	f.commit(s.Change(p), at)
	f.fill(s, at)
}

// commit commits events, if there are any.
func (f *Floor) commit(events []Event, at Time) {
	if len(events) > 0 {
		f.Commit(Record{At: at, Events: events})
	}
}

// Drain lets all desks of the floor assign what waits: the first first, over all of them.
func (f *Floor) Drain(desks []*Desk, at Time) {
	for _, s := range f.seated() {
		f.commit(s.Retire(), at) // a draining that ended with a seat that was still on its way
	}
	bySource := make(map[SourceID]*Desk, len(desks))
	for _, d := range desks {
		bySource[d.source.ID] = d
		d.publish()
	}
	for _, d := range desks {
		d.Drain(at)
		f.Deliver(bySource)
	}
}

// Deliver hands the grants to their desks until none is left.
func (f *Floor) Deliver(desks map[SourceID]*Desk) {
	for len(f.grants) > 0 {
		g := f.grants[0]
		f.grants = f.grants[1:]
		desks[g.source].Granted(g.operator, g.at)
	}
}

func (f *Floor) fill(s *Seating, at Time) {
	for {
		source, granted := s.Grant()
		if !granted {
			return
		}
		f.grants = append(f.grants, grant{source, s.ID, at})
	}
}

// For is the Seats of one source's desk.
func (f *Floor) For(source SourceID) Seats { return &place{f, source} }

type place struct {
	*Floor
	source SourceID
}

func (p *place) Publish(head Rank) { headIn(p.heads, p.source).Store(int64(head)) }
func (p *place) PublishFor(op OperatorID, head Rank) {
	headIn(p.owns, ownHead{p.source, op}).Store(int64(head))
}
func (p *place) Open(op OperatorID) bool   { return p.seatings[op].LooksOpen() }
func (p *place) Active(op OperatorID) bool { return p.seatings[op].LooksActive() }
func (p *place) Commit(r Record)           { p.Floor.Commit(r) }
func (p *place) Answer(err error)          { p.Floor.Answer(err) }

func (p *place) Take(op OperatorID, rank Rank, r Record) bool {
	s := p.seatings[op]
	return p.taken(s.Take(rank), s, r)
}

func (p *place) UseGrant(op OperatorID, rank Rank, r Record) bool {
	s := p.seatings[op]
	return p.taken(s.UseGrant(p.source, rank), s, r)
}

func (p *place) taken(taken bool, s *Seating, r Record) bool {
	if taken {
		p.Commit(r)
	} else {
		p.commit(s.Retire(), r.At)
		p.fill(s, r.At)
	}
	return taken
}

func (p *place) GiveBack(op OperatorID, at Time) {
	s := p.seatings[op]
	p.commit(s.Free(), at)
	p.fill(s, at)
}

func (p *place) Release(op OperatorID, r Record) {
	s := p.seatings[op]
	r.Events = append(r.Events, s.Free()...)
	p.Commit(r)
	p.fill(s, r.At)
}

func (p *place) Place(a *ContactAssigned, force bool, at Time) error {
	how, err := p.seatings[a.Operator].Place(force)
	if err != nil {
		return err
	}
	a.How = how
	r := Record{At: at, Events: []Event{a}}
	if a.From == 0 {
		p.Commit(r)
		return nil
	}
	p.Release(a.From, r)
	return nil
}

func (p *place) Serve(op OperatorID, wanted bool, r Record) error {
	s := p.seatings[op]
	if err := s.Serve(p.source, p.Heads(p.source, op), wanted); err != nil {
		return err
	}
	p.Commit(r)
	p.fill(s, r.At)
	return nil
}

func (p *place) Leave(ops []OperatorID, r Record) {
	for _, op := range ops {
		p.seatings[op].Leave(p.source)
	}
	p.Commit(r)
}

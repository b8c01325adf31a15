package domain

import (
	"cmp"
	"slices"
)

// Seats is what a desk decides over: the operators' seats, shared with the desks of all other sources, and the way out
// for records. Each method is one step: the change of the seats and the sending of the record that says so cannot be
// separated, neither by another desk nor by a crash. DESIGN.md section 6 has the rules; Seating implements them for one
// operator. One Seats value belongs to one desk.
type Seats interface {
	// Publish makes the desk's first waiting contact known to whoever releases a seat; 0 = nobody waits.
	Publish(head Rank)
	// Open says whether op looks able to take one more contact. Only Take can tell.
	Open(op OperatorID) bool
	// Take takes a free seat of op for the contact of this rank and commits r. It is false, and nothing is committed,
	// when op has no free seat or a contact that comes first is waiting for it.
	Take(op OperatorID, rank Rank, r Record) bool
	// UseGrant assigns the seat of op that was granted to this desk to its contact of this rank and commits r.
	// It is false when the seat went on to where a better contact waits, or back.
	UseGrant(op OperatorID, rank Rank, r Record) bool
	// GiveBack returns a granted seat for which the desk has no contact.
	GiveBack(op OperatorID, at Time)
	// Release commits r and frees a seat of op.
	Release(op OperatorID, r Record)
	// Place makes a manual assignment: it takes a seat of a.Operator, past full or inactive only with force, sets
	// a.How, commits it, and frees the seat of a.From, if any.
	Place(a *ContactAssigned, force bool, at Time) error
	// Serve commits r, a link of op with this desk's source; wanted says whether the link has a weight.
	Serve(op OperatorID, wanted bool, r Record) error
	// Leave commits r, the end of op's link with this desk's source.
	Leave(op OperatorID, r Record)
	// Commit commits r, which touches no seat.
	Commit(r Record)
	// Answer tells whoever waits for the current command that it changed nothing: refused (err) or done already (nil).
	// The answer takes the way of a record, so that all it was decided from is durable when it arrives.
	Answer(err error)
}

// Head is a number that one party stores and others load without a lock: where a source publishes its first waiting
// contact, and where an operator shows whether it is open.
type Head interface {
	Load() int64
	Store(v int64)
}

// Seating is one operator's seats and the rules for who gets them. It is not safe for concurrent use: whoever shares it
// holds a lock for each step; only Looks needs none. Load counts every seat that is taken, also by a grant on its way.
//
// Two parties must not miss each other: a source publishes its head and then looks at the operators, an operator shows
// that it is open and then looks at the heads. So every change is shown before the heads are read.
type Seating struct {
	Operator
	open   Head     // 1 while Operator.Open
	serves []served // the sources linked with a weight, ascending
}

type served struct {
	source SourceID
	head   Head
}

// NewSeating is the seating of an operator that serves no source yet. open is where it shows whether it is open.
func NewSeating(o Operator, open Head) *Seating {
	s := &Seating{Operator: o, open: open}
	s.show()
	return s
}

// Looks says whether the operator looks open: what it showed last.
func (s *Seating) Looks() bool { return s.open.Load() == 1 }

func (s *Seating) show() {
	var v int64
	if s.Open() {
		v = 1
	}
	if s.open.Load() != v {
		s.open.Store(v)
	}
}

// seats changes the number of seats taken.
func (s *Seating) seats(n int) {
	s.Load += n
	s.show()
}

// best is the source whose published head comes first.
func (s *Seating) best() (best SourceID, rank Rank) {
	for i := range s.serves {
		if r := Rank(s.serves[i].head.Load()); r != 0 && (rank == 0 || r < rank) {
			best, rank = s.serves[i].source, r
		}
	}
	return best, rank
}

// Grant takes a free seat for the source whose contact waited longest; false when there is no free seat or nobody waits.
// After each change, and after each Take or UseGrant that is false, it is called until it is false: so no seat stays
// free while a contact that was published and looked for a seat waits for it.
func (s *Seating) Grant() (SourceID, bool) {
	if !s.Open() {
		return 0, false
	}
	source, rank := s.best()
	if rank == 0 {
		return 0, false
	}
	s.seats(1)
	return source, true
}

// Take takes a free seat for the contact of this rank, unless a contact that comes first waits for it: its source has
// published it but not looked yet, and is to be granted the seat.
func (s *Seating) Take(rank Rank) bool {
	if !s.Open() {
		return false
	}
	if _, first := s.best(); first != 0 && first < rank {
		return false
	}
	s.seats(1)
	return true
}

// UseGrant turns the seat granted to source into one for its contact of this rank. It is false, and the seat is free,
// when the operator no longer takes contacts of this source or another source's contact comes first by now.
func (s *Seating) UseGrant(source SourceID, rank Rank) bool {
	s.Free()
	return s.Serves(source) && s.Take(rank)
}

// Free frees a seat.
func (s *Seating) Free() { s.seats(-1) }

// Change edits the operator.
func (s *Seating) Change(p OperatorPatch) {
	s.Operator = p.Apply(s.Operator)
	s.show()
}

// Place takes a seat for a manual assignment, and says how.
func (s *Seating) Place(force bool) (How, error) {
	switch {
	case s.Open():
		s.seats(1)
		return Manual, nil
	case force:
		s.seats(1)
		return Forced, nil
	case !s.Active:
		return 0, Refuse(CodeOperatorInactive, "operator %d is not active; with force=true it is assigned all the same", s.ID)
	}
	return 0, Refuse(CodeOperatorFull, "operator %d holds all of its max_load of %d contacts; with force=true it is assigned all the same", s.ID, s.MaxLoad)
}

// Serves says whether the operator is linked to source with a weight.
func (s *Seating) Serves(source SourceID) bool {
	_, found := s.find(source)
	return found
}

// Serve notes that the operator is linked to source with a weight (wanted) or no longer is.
func (s *Seating) Serve(source SourceID, head Head, wanted bool) {
	i, found := s.find(source)
	switch {
	case wanted && !found:
		s.serves = slices.Insert(s.serves, i, served{source, head})
	case !wanted && found:
		s.serves = slices.Delete(s.serves, i, i+1)
	}
}

func (s *Seating) find(source SourceID) (int, bool) {
	return slices.BinarySearchFunc(s.serves, source, func(e served, id SourceID) int { return cmp.Compare(e.source, id) })
}

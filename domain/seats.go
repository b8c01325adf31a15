package domain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Seats is what a desk decides over: the operators' seats, shared with the desks of all other sources, and the way out
// for records. Each method is one step: the change of the seats and the sending of the record that says so cannot be
// separated, neither by another desk nor by a crash. DESIGN.md section 6 has the rules; Seating implements them for one
// operator. One Seats value belongs to one desk.
type Seats interface {
	// Publish makes the desk's first waiting contact known to whoever releases a seat; 0 = nobody waits.
	Publish(head Rank)
	// PublishFor does the same for one operator, which the first waiting contact must not have: its own head, or Nobody;
	// 0 = the head of all.
	PublishFor(op OperatorID, head Rank)
	// Open says whether op looks able to take one more contact. Only Take can tell.
	Open(op OperatorID) bool
	// Active says whether op looks active, full or not.
	Active(op OperatorID) bool
	// Take takes a free seat of op for the contact of this rank and commits r. It is false, and nothing is committed,
	// when op has no free seat or a contact that comes first is waiting for it.
	Take(op OperatorID, rank Rank, r Record) bool
	// UseGrant assigns the seat of op that was granted to this desk to its contact of this rank and commits r.
	// It is false when the seat went on to where a better contact waits, or back.
	UseGrant(op OperatorID, rank Rank, r Record) bool
	// GiveBack returns a granted seat for which the desk has no contact.
	GiveBack(op OperatorID, at Time)
	// Release commits r and frees a seat of op. When a draining op holds nothing any more, r says that it is inactive.
	Release(op OperatorID, r Record)
	// Place makes a manual assignment: it takes a seat of a.Operator, past full or inactive only with force, sets
	// a.How, commits it, and frees the seat of a.From, if any.
	Place(a *ContactAssigned, force bool, at Time) error
	// Serve commits r, a link of op with this desk's source; wanted says whether the link has a weight.
	Serve(op OperatorID, wanted bool, r Record) error
	// Leave commits r, the end of the links of ops, ascending, with this desk's source.
	Leave(ops []OperatorID, r Record)
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
	shown  Head     // one of the shown words
	serves []served // the sources that the operator is linked to, ascending
}

// What an operator shows of itself.
const (
	shownAway int64 = iota // inactive or draining
	shownOpen
	shownFull
)

// Nobody is the head of an operator's own, when none of the waiting contacts may have it.
const Nobody Rank = -1

type served struct {
	source SourceID
	wanted bool // the link has a weight
	heads  Heads
}

// Heads is where a source publishes its first waiting contact: for all operators, and for one of them, where that is
// not 0.
type Heads struct{ All, Own Head }

// first is the source's first waiting contact that the operator may have; 0 = there is none.
func (h Heads) first() Rank {
	all := Rank(h.All.Load())
	if all == 0 {
		return 0
	}
	switch own := Rank(h.Own.Load()); own {
	case 0:
		return all
	case Nobody:
		return 0
	default:
		return own
	}
}

// NewSeating is the seating of an operator that serves no source yet. shown is where it shows whether it is open.
func NewSeating(o Operator, shown Head) *Seating {
	s := &Seating{Operator: o, shown: shown}
	s.show()
	return s
}

// LooksOpen says whether the operator looks open: what it showed last.
func (s *Seating) LooksOpen() bool { return s.shown.Load() == shownOpen }

// LooksActive says whether the operator looks active, full or not.
func (s *Seating) LooksActive() bool { return s.shown.Load() != shownAway }

func (s *Seating) show() {
	v := shownAway
	switch {
	case s.Open():
		v = shownOpen
	case s.Active:
		v = shownFull
	}
	if s.shown.Load() != v {
		s.shown.Store(v)
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
		if !s.serves[i].wanted {
			continue
		}
		if r := s.serves[i].heads.first(); r != 0 && (rank == 0 || r < rank) {
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
	s.seats(-1)
	return s.Serves(source) && s.Take(rank)
}

// Free frees a seat. It returns the event of a draining that this ends, if it does.
func (s *Seating) Free() []Event {
	s.seats(-1)
	return s.Retire()
}

// Retire ends the draining of an operator that holds nothing, with the event that says so.
func (s *Seating) Retire() []Event {
	if !s.retire() {
		return nil
	}
	return []Event{s.changed()}
}

// Change edits the operator, and returns the event that says so; nil = nothing changed.
func (s *Seating) Change(p OperatorPatch) []Event {
	after := p.Apply(s.Operator)
	if after == s.Operator {
		return nil
	}
	s.Operator = after
	s.show()
	return []Event{s.changed()}
}

// Delete ends the operator, unless it has contacts or links.
func (s *Seating) Delete() ([]Event, error) {
	switch {
	case s.Deleted:
		return nil, s.gone()
	case s.Load > 0:
		return nil, Refuse(CodeOperatorBusy, "operator %d has %d contacts; release or close them first", s.ID, s.Load)
	case len(s.serves) > 0:
		return nil, Refuse(CodeOperatorBusy, "operator %d is linked to %s; unlink it first", s.ID, s.sources())
	}
	s.Active, s.Draining, s.Deleted = false, false, true
	s.show()
	return []Event{&OperatorDeleted{ID: s.ID}}, nil
}

// shownSources bounds how many sources a refusal names.
const shownSources = 10

// sources names the sources that the operator is linked to.
func (s *Seating) sources() string {
	var b strings.Builder
	for i, e := range s.serves[:min(shownSources, len(s.serves))] {
		b.WriteString([]string{"source ", ", "}[min(i, 1)])
		fmt.Fprint(&b, e.source)
	}
	if more := len(s.serves) - shownSources; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

func (s *Seating) gone() error { return OperatorGone(s.ID) }

// OperatorGone is the refusal of an operator that was deleted, or never was.
func OperatorGone(id OperatorID) *Error {
	return Refuse(CodeOperatorNotFound, "there is no operator %d", id)
}

// Place takes a seat for a manual assignment, and says how.
func (s *Seating) Place(force bool) (How, error) {
	switch {
	case s.Deleted:
		return 0, s.gone()
	case s.Open():
		s.seats(1)
		return Manual, nil
	case force:
		s.seats(1)
		return Forced, nil
	case !s.Active:
		return 0, Refuse(CodeOperatorInactive, "operator %d is %s; with force=true it is assigned all the same", s.ID, s.State())
	}
	return 0, Refuse(CodeOperatorFull, "operator %d holds all of its max_load of %d contacts; with force=true it is assigned all the same", s.ID, s.MaxLoad)
}

// Serves says whether the operator is linked to source with a weight.
func (s *Seating) Serves(source SourceID) bool {
	i, found := s.find(source)
	return found && s.serves[i].wanted
}

// Sources lists the sources that the operator is linked to with a weight.
func (s *Seating) Sources(yield func(SourceID) bool) {
	for i := range s.serves {
		if s.serves[i].wanted && !yield(s.serves[i].source) {
			return
		}
	}
}

// Serve notes that the operator is linked to source, wanted or not. A deleted operator is not.
func (s *Seating) Serve(source SourceID, heads Heads, wanted bool) error {
	if s.Deleted {
		return s.gone()
	}
	i, found := s.find(source)
	if !found {
		s.serves = slices.Insert(s.serves, i, served{source: source, heads: heads})
	}
	s.serves[i].wanted = wanted
	return nil
}

// Leave notes that the operator is no longer linked to source.
func (s *Seating) Leave(source SourceID) {
	if i, found := s.find(source); found {
		s.serves = slices.Delete(s.serves, i, i+1)
	}
}

func (s *Seating) find(source SourceID) (int, bool) {
	return slices.BinarySearchFunc(s.serves, source, func(e served, id SourceID) int { return cmp.Compare(e.source, id) })
}

package main

import (
	"fmt"
	"hash/maphash"
	"math/bits"
	"slices"

	"github.com/anishathalye/porcupine"
)

// The sequential model that histories of the real server are checked against: operators with their seats, contacts with
// their holders, and sources that assign what waits by themselves. It knows nothing of actors, lags or the journal.
//
// What it demands, at the one moment between request and answer at which each command takes effect:
//
//   - An automatic assignment goes to an operator that serves the source, is active and has a free seat; it comes to a
//     source's contacts in the order of their ids, and a new contact never overtakes one of its own source.
//   - A manual one needs a free seat of an active operator, or force; what is closed stays closed and stays where it was.
//   - Every answer and every read shows exactly the state of that moment: status, holder, load, max_load, active.
//   - Ids ascend in a source, in the order in which its contacts take effect.
//   - Nothing but commands changes anything, except that a waiting contact may be given to an eligible operator at any
//     moment: a close is answered before the seat that it frees has reached the contact that waited longest.
//   - A command that got no answer took effect before the server was dead, or never.
//   - At rest, and when a start is ready, nobody waits whom an eligible operator serves; at rest the lists show it all.
//   - A contact may be told to be open, an operator to be full, or force to have been needed, only if the operators in
//     question had no free seat at some moment since the last rest. Not only at that very moment: a seat that is on its
//     way to a source counts as taken without any client seeing it, and a contact looks at one operator after the other.
//     Seats get on their way only after some contact found nobody, so where seats abound the rule is strict.
//
// What it does not check: whose turn it was (TestTorture does), and who waits longest over several sources. A contact may
// overtake an older one of another source that is published in the very step in which the seat is taken; only the
// simulation in package actors sees these steps.

const (
	modelOperators = 4
	modelSources   = 3
	modelContacts  = 256
)

// places is the part of the world that does not change in a history.
type places struct {
	serves   [modelSources]uint8  // bit o: operator o is linked to the source, with a weight
	count    int                  // of contacts that there will be, numbered in the order of their ids
	sourceOf [modelContacts]uint8 // of these
	initial  modelState
}

type modelState struct {
	operators [modelOperators]modelOperator
	contacts  [modelContacts]modelContact
}

type modelOperator struct {
	exists, active bool
	maxLoad, load  int8
	tight          bool // it had no seat to give at some moment since the last rest
}

func (o modelOperator) open() bool { return o.exists && o.active && o.load < o.maxLoad }

type modelContact struct {
	status modelStatus
	holder int8 // operator + 1; 0 = nobody
}

type modelStatus uint8

const (
	unborn modelStatus = iota
	isOpen
	isAssigned
	isClosed
)

// modelCommand is what a client asked for. Operators, sources and contacts are numbered from 0.
type modelCommand struct {
	verb     modelVerb
	contact  int
	operator int
	force    bool
	active   *bool // nil = not to be changed
	maxLoad  *int8
}

type modelVerb int

const (
	doPost modelVerb = iota
	doClose
	doAssign
	doChange
	doReadContact
	doReadOperator
	doRestart // from the kill until the server is ready again
	doRest    // nothing is under way: what the lists show
)

// modelAnswer is what it was told.
type modelAnswer struct {
	none     bool   // nobody knows: the server was killed
	code     string // of a refusal
	contact  modelContact
	how      string
	operator modelOperator
	lists    *modelState
}

// model is for porcupine.
func (p *places) model() porcupine.Model {
	seed := maphash.MakeSeed()
	nondeterministic := porcupine.NondeterministicModel{
		Init: func() []any { return []any{p.initial.settled()} },
		Step: func(state, input, output any) (next []any) {
			for _, s := range p.drains(state.(modelState)) {
				for _, after := range p.step(s, input.(modelCommand), output.(modelAnswer)) {
					next = append(next, after.noted())
				}
			}
			return next
		},
		Hash: func(state any) uint64 { return maphash.Comparable(seed, state.(modelState)) },
		DescribeOperation: func(input, output any) string {
			return pictured(input.(modelCommand), output.(modelAnswer))
		},
		DescribeState: func(state any) string { return state.(modelState).String() },
	}
	return nondeterministic.ToModel()
}

// noted remembers who has no seat to give.
func (s modelState) noted() modelState {
	for i := range s.operators {
		s.operators[i].tight = s.operators[i].tight || !s.operators[i].open()
	}
	return s
}

// settled forgets who had none: nothing is under way.
func (s modelState) settled() modelState {
	for i := range s.operators {
		s.operators[i].tight = !s.operators[i].open()
	}
	return s
}

// head is the contact of a source that waits for a seat, or -1: its first that is open.
func (p *places) head(s *modelState, source int) int {
	for i := range p.count {
		if s.contacts[i].status == isOpen && int(p.sourceOf[i]) == source {
			return i
		}
	}
	return -1
}

// drains lists the states that come of assignments from the backlogs, none or more.
func (p *places) drains(s modelState) []modelState {
	all := []modelState{s}
	for i := 0; i < len(all); i++ {
		for source := range p.serves {
			head := p.head(&all[i], source)
			if head < 0 {
				continue
			}
			for op := range operatorsIn(p.serves[source]) {
				if !all[i].operators[op].open() {
					continue
				}
				after := all[i].given(head, op).noted()
				if !slices.Contains(all, after) {
					all = append(all, after)
				}
			}
		}
	}
	return all
}

func operatorsIn(set uint8) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for ; set != 0; set &= set - 1 {
			if !yield(bits.TrailingZeros8(set)) {
				return
			}
		}
	}
}

// given assigns a contact, from whomever has it.
func (s modelState) given(contact, op int) modelState {
	c := &s.contacts[contact]
	if c.status == isAssigned {
		s.operators[c.holder-1].load--
	}
	s.operators[op].load++
	*c = modelContact{isAssigned, int8(op + 1)}
	return s
}

// conserving says whether nobody waits whom somebody could take.
func (p *places) conserving(s *modelState) bool {
	for source := range p.serves {
		if p.head(s, source) < 0 {
			continue
		}
		for op := range operatorsIn(p.serves[source]) {
			if s.operators[op].open() {
				return false
			}
		}
	}
	return true
}

// step lists the states that a command may leave behind when it is answered like this; none = it cannot be.
func (p *places) step(s modelState, c modelCommand, a modelAnswer) []modelState {
	switch c.verb {
	case doPost:
		return p.post(s, c, a)
	case doClose:
		return p.close(s, c, a)
	case doAssign:
		return p.assign(s, c, a)
	case doChange:
		return p.change(s, c, a)
	case doReadContact:
		return only(s, s.contacts[c.contact] == a.contact)
	case doReadOperator:
		return only(s, s.operators[c.operator].shows(a.operator))
	case doRestart:
		return only(s.settled(), p.conserving(&s))
	case doRest:
		return only(s.settled(), p.conserving(&s) && s.lists(a.lists))
	}
	panic(fmt.Sprintf("command %+v", c))
}

func only(s modelState, right bool) []modelState {
	if right {
		return []modelState{s}
	}
	return nil
}

// shows compares what clients can see.
func (o modelOperator) shows(other modelOperator) bool {
	other.tight, other.exists = o.tight, o.exists
	return o == other
}

func (s *modelState) lists(other *modelState) bool {
	for i, o := range s.operators {
		if !o.shows(other.operators[i]) {
			return false
		}
	}
	return s.contacts == other.contacts
}

func (p *places) post(s modelState, c modelCommand, a modelAnswer) (next []modelState) {
	source := int(p.sourceOf[c.contact])
	for other, o := range s.contacts[:p.count] {
		mine := int(p.sourceOf[other]) == source
		if mine && (other < c.contact && o.status == unborn || other >= c.contact && o.status != unborn) {
			return nil // ids ascend
		}
	}
	waits, everybodyTight := p.head(&s, source) >= 0, true
	for op := range operatorsIn(p.serves[source]) {
		o := s.operators[op]
		everybodyTight = everybodyTight && (o.tight || !o.open())
		if !waits && o.open() && (a.none || a.contact == modelContact{isAssigned, int8(op + 1)}) {
			next = append(next, s.given(c.contact, op))
		}
	}
	if (waits || everybodyTight) && (a.none || a.contact == modelContact{status: isOpen}) {
		s.contacts[c.contact] = modelContact{status: isOpen}
		next = append(next, s)
	}
	return next
}

func (p *places) close(s modelState, c modelCommand, a modelAnswer) (next []modelState) {
	contact := &s.contacts[c.contact]
	if contact.status == isClosed {
		return only(s, a.none || a.code == "contact_closed")
	}
	if a.none {
		next = append(next, s)
	}
	if contact.status == isAssigned {
		s.operators[contact.holder-1].load--
	}
	contact.status = isClosed
	if a.none || a.code == "" && a.contact == *contact {
		next = append(next, s)
	}
	return next
}

func (p *places) assign(s modelState, c modelCommand, a modelAnswer) (next []modelState) {
	contact, op := s.contacts[c.contact], s.operators[c.operator]
	holds := contact == modelContact{isAssigned, int8(c.operator + 1)}
	code := a.code
	switch {
	case contact.status == isClosed:
		return only(s, a.none || code == "contact_closed")
	case p.serves[p.sourceOf[c.contact]]>>c.operator&1 == 0:
		return only(s, a.none || code == "not_linked")
	case holds:
		return only(s, a.none || code == "" && a.contact == contact)
	case a.none:
		next = append(next, s)
		if c.force || op.open() {
			next = append(next, s.given(c.contact, c.operator))
		}
		return next
	case code == "operator_inactive":
		return only(s, !c.force && !op.active)
	case code == "operator_full":
		return only(s, !c.force && op.active && (op.tight || !op.open()))
	}
	fits := a.how == "manual" && op.open() || a.how == "forced" && c.force && (op.tight || !op.open())
	after := s.given(c.contact, c.operator)
	return only(after, code == "" && fits && a.contact == after.contacts[c.contact])
}

func (p *places) change(s modelState, c modelCommand, a modelAnswer) (next []modelState) {
	if a.none {
		next = append(next, s)
	}
	op := &s.operators[c.operator]
	if c.active != nil {
		op.active = *c.active
	}
	if c.maxLoad != nil {
		op.maxLoad = *c.maxLoad
	}
	if a.none || op.shows(a.operator) {
		next = append(next, s)
	}
	return next
}

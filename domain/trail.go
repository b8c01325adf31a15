package domain

import (
	"fmt"
	"slices"
)

// A source's trail is what its last decisions were decided from, so that it can be asked why an operator got a contact,
// and who got how much since when. It keeps the ledger as it stood at the beginning and what happened to it since: the
// ledger before and after any decision is found by playing that again, from the begin of the decision's leg.

// KeptDecisions is the number of decisions that a source's trail has at least, once there were so many.
const KeptDecisions = 10_000

// legSize is the number of steps in one leg.
const legSize = 256

// maxTrail bounds the steps of a trail when links change more often than contacts come.
const maxTrail = 2 * KeptDecisions

// trail is made of legs; only the last one grows.
type trail struct {
	legs []leg
	last Situation
	end  *Ledger // of the last leg; known during a thaw only
}

// leg is a piece of a trail: the ledger at its begin, never changed again, and the steps since.
type leg struct {
	start     *Ledger
	steps     []TrailStep
	decisions int
}

// TrailStep is one thing that happened to a source's ledger: a decision, an assignment that was not charged, or a change
// of a link.
type TrailStep struct {
	At       Time
	Contact  ContactID // 0 = a link changed, or an operator was drawn without a contact
	Operator OperatorID
	How      How   // 0 = a link changed
	Charged  bool  // the lags changed
	Weight   int64 // of the link from now on; -1 = it was removed
	Situation
}

// Situation is what a decision was decided over, as sets of the ledger's rows. Decisions share it as long as it stays
// the same.
type Situation struct {
	Set *Rows // the eligible; nil = Operator alone
	Out *Out  // why the others were not
}

// Out is who was not eligible for another reason than being full or having weight 0.
type Out struct{ Inactive, Draining Rows }

// open makes room for a step, before it is done to the ledger.
func (t *trail) open(before *Ledger) {
	n := len(t.legs)
	if n > 0 && len(t.legs[n-1].steps) < legSize {
		return
	}
	room := legSize
	if n == 0 {
		room = 16 // most sources are small, or new
	}
	start := before.Clone()
	t.legs = append(t.legs, leg{start: &start, steps: make([]TrailStep, 0, room)})
	t.cut()
}

// add notes a step.
func (t *trail) add(s TrailStep) {
	l := &t.legs[len(t.legs)-1]
	l.steps = append(l.steps, s)
	if s.How != 0 {
		l.decisions++
	}
}

// cut drops the oldest legs that nobody may ask for.
func (t *trail) cut() {
	decisions := 0
	for i := len(t.legs) - 1; i > 0; i-- {
		decisions += t.legs[i].decisions
		if decisions >= KeptDecisions || (len(t.legs)-i)*legSize >= maxTrail {
			t.legs = slices.Clone(t.legs[i:])
			return
		}
	}
}

// situation is the situation of a decision of the operator among set (nil = alone), the same value as that of the step
// before when it is equal.
func (t *trail) situation(set Rows, out Out) Situation {
	if set != nil && (t.last.Set == nil || !slices.Equal(*t.last.Set, set)) {
		kept := slices.Clone(set)
		t.last.Set = &kept
	}
	if t.last.Out == nil || !slices.Equal(t.last.Out.Inactive, out.Inactive) || !slices.Equal(t.last.Out.Draining, out.Draining) {
		t.last.Out = &Out{Inactive: slices.Clone(out.Inactive), Draining: slices.Clone(out.Draining)}
	}
	if set == nil {
		return Situation{Out: t.last.Out}
	}
	return t.last
}

// play does to a ledger what a step did.
func (s *TrailStep) play(l *Ledger) {
	row, linked := l.Find(s.Operator)
	switch {
	case s.How == 0 && s.Weight < 0:
		l.Remove(s.Operator)
	case s.How == 0:
		l.Set(s.Operator, s.Weight)
	case !linked: // impossible: it was when the step was made
	case !s.Charged:
		l.Count(row, s.How)
	default:
		l.Charge(s.set(row), row, s.How)
	}
}

// set is the eligible set of a charged step.
func (s *TrailStep) set(row int) Rows {
	if s.Set != nil {
		return *s.Set
	}
	alone := make(Rows, row>>6+1)
	alone.Add(row)
	return alone
}

// view is the trail as it is now: later steps are behind the ends of its legs.
func (t *trail) view() []leg { return slices.Clone(t.legs) }

// end is the ledger after a leg, or what is wrong with its steps: a snapshot may be damaged.
func (l *leg) end() (*Ledger, error) {
	ledger := l.start.Clone()
	for i := range l.steps {
		s := &l.steps[i]
		row, linked := ledger.Find(s.Operator)
		switch {
		case s.How > Sticky || s.How == 0 && (s.Weight < -1 || s.Weight > MaxWeight) || s.How != 0 && !linked:
			return nil, fmt.Errorf("step %d of a trail cannot be", i)
		case s.Charged && (s.Out == nil || !s.set(row).Has(row) || !ledger.holds(s.set(row))):
			return nil, fmt.Errorf("the eligible set of step %d of a trail does not fit the links", i)
		}
		s.play(&ledger)
	}
	return &ledger, nil
}

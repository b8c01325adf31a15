package domain

import (
	"fmt"
	"slices"
)

// leg is a piece of a trail: the ledger at its begin, never changed again, and the steps since. What the steps were decided
// over lies beside them, each once as long as it stays the same: there are millions of steps, and without pointers the
// garbage collector does not look at them.
type leg struct {
	start     *Ledger
	steps     []legStep
	sets      Rows // the words of the eligible sets, one set behind the other
	last      int  // how many of them are the last set's
	outs      []Out
	decisions int
}

// legStep is a TrailStep as a leg keeps it.
type legStep struct {
	at       Time
	contact  ContactID
	operator OperatorID
	weight   int32
	set      uint16 // where its set begins
	out      uint16 // which Out is its
	words    uint8  // of its set; 0 = the operator alone
	how      How
	charged  bool
}

// maxSetWords is the number of words in a set of a ledger's rows.
const maxSetWords = (MaxLinks + 63) / 64

// add notes a step. What it points to is copied.
func (l *leg) add(s TrailStep) {
	step := legStep{at: s.At, contact: s.Contact, operator: s.Operator, weight: int32(s.Weight), how: s.How, charged: s.Charged}
	if s.Charged {
		step.out = l.keepOut(s.Out)
		if s.Set != nil {
			step.set, step.words = l.keepSet(*s.Set), uint8(len(*s.Set))
		}
	}
	l.steps = append(l.steps, step)
	if s.How != 0 {
		l.decisions++
	}
}

func (l *leg) keepSet(set Rows) (at uint16) {
	if before := len(l.sets) - l.last; !slices.Equal(l.sets[before:], set) {
		l.sets, l.last = append(l.sets, set...), len(set)
	}
	return uint16(len(l.sets) - l.last)
}

func (l *leg) keepOut(out *Out) (at uint16) {
	if n := len(l.outs); n == 0 || !slices.Equal(l.outs[n-1].Inactive, out.Inactive) || !slices.Equal(l.outs[n-1].Draining, out.Draining) {
		l.outs = append(l.outs, Out{Inactive: slices.Clone(out.Inactive), Draining: slices.Clone(out.Draining)})
	}
	return uint16(len(l.outs) - 1)
}

// set is the eligible set of a charged step, whose operator has this row.
func (l *leg) set(s *legStep, row int) Rows {
	if s.words > 0 {
		return l.sets[s.set:][:s.words:s.words]
	}
	alone := make(Rows, row>>6+1)
	alone.Add(row)
	return alone
}

// list is the steps, as others see them.
func (l *leg) list() []TrailStep {
	list := make([]TrailStep, len(l.steps))
	var set *Rows
	for i := range l.steps {
		s := &l.steps[i]
		list[i] = TrailStep{At: s.at, Contact: s.contact, Operator: s.operator, How: s.how, Charged: s.charged, Weight: int64(s.weight)}
		if !s.charged {
			continue
		}
		list[i].Out = &l.outs[s.out]
		if s.words > 0 {
			if own := l.set(s, 0); set == nil || &(*set)[0] != &own[0] {
				set = &own
			}
			list[i].Set = set
		}
	}
	return list
}

// play does to a ledger what a step did.
func (l *leg) play(s *legStep, ledger *Ledger) {
	row, linked := ledger.Find(s.operator)
	switch {
	case s.how == 0:
		ledger.relink(s.operator, int64(s.weight))
	case !linked: // impossible: it was when the step was made
	case !s.charged:
		ledger.Count(row, s.how)
	default:
		ledger.Charge(l.set(s, row), row, s.how)
	}
}

// relink does what a step says of a link: below 0, its weight means that it was removed.
func (l *Ledger) relink(operator OperatorID, weight int64) {
	if weight < 0 {
		l.Remove(operator)
	} else {
		l.Set(operator, weight)
	}
}

// fits says what is wrong with a step of a snapshot, which may be damaged, before it is added.
func (s *TrailStep) fits() error {
	switch {
	case s.How > Sticky || s.Weight < -1 || s.Weight > MaxWeight:
		return fmt.Errorf("a step of a trail cannot be")
	case s.Charged && s.Out == nil, s.Charged && s.Set != nil && (len(*s.Set) == 0 || len(*s.Set) > maxSetWords):
		return fmt.Errorf("a step of a trail has no situation, or an eligible set that cannot be")
	}
	return nil
}

// end is the ledger after a leg, or what is wrong with its steps: a snapshot may be damaged.
func (l *leg) end() (*Ledger, error) {
	ledger := l.start.Clone()
	for i := range l.steps {
		s := &l.steps[i]
		row, linked := ledger.Find(s.operator)
		switch {
		case s.how != 0 && !linked:
			return nil, fmt.Errorf("step %d of a trail is of an operator that is not linked", i)
		case s.charged && (!l.set(s, row).Has(row) || !ledger.holds(l.set(s, row))):
			return nil, fmt.Errorf("the eligible set of step %d of a trail does not fit the links", i)
		}
		l.play(s, &ledger)
	}
	return &ledger, nil
}

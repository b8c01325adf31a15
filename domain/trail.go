package domain

import "slices"

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
	end  *Ledger // of the last leg; known during a thaw only
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

// Situation is what a decision was decided over, as sets of the ledger's rows. Successive steps of a part share it as long
// as it stays the same.
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
	t.legs = append(t.legs, leg{start: &start, steps: make([]legStep, 0, room)})
	t.cut()
}

// add notes a step. What it points to is copied.
func (t *trail) add(s TrailStep) { t.legs[len(t.legs)-1].add(s) }

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

// view is the trail as it is now: later steps are behind the ends of its legs.
func (t *trail) view() []leg { return slices.Clone(t.legs) }

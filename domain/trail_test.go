package domain

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// witness writes down each decision of a desk as it is made: the live ledger's lags before and after, and who looked
// able to take a contact.
type witness struct {
	*house
	desk    *Desk
	spelled []int // rows of the set that was written down last
	open    *Decision
	last    map[ContactID]*Decision // the latest of each contact
	order   []ContactID             // of all decisions; 0 = one without a contact
	held    []ContactID
}

func (w *witness) record(r Record) {
	w.settle()
	for _, event := range r.Events {
		switch e := event.(type) {
		case *ContactAssigned:
			w.decided(&Decision{Contact: e.ID, Operator: e.Operator, At: max(r.At, 1), Charged: e.Among.Kind != Uncharged}, e.How, e.Among)
			w.last[e.ID] = w.open
			w.held = append(w.held, e.ID)
		case *OperatorDrawn:
			w.decided(&Decision{Operator: e.Operator, Charged: true}, Automatic, e.Among)
		}
	}
}

// settle writes down the lags after the decision before: nothing has changed them since.
func (w *witness) settle() {
	if w.open == nil {
		return
	}
	for i := range w.open.Eligible {
		row, _ := w.desk.ledger.Find(w.open.Eligible[i].Operator)
		w.open.Eligible[i].LagNow = w.desk.ledger.rows[row].Lag
	}
	w.open = nil
}

func (w *witness) decided(d *Decision, how How, among Among) {
	w.open = d
	w.order = append(w.order, d.Contact)
	rows := w.desk.ledger.rows
	own, _ := w.desk.ledger.Find(d.Operator)
	switch set := []int{own}; among.Kind {
	case Uncharged:
	case Alone, SameSet, SpelledSet:
		if among.Kind == SpelledSet {
			w.spelled = slices.Collect(among.Rows.All())
		}
		if among.Kind != Alone {
			set = w.spelled
		}
		for row, link := range rows {
			if slices.Contains(set, row) {
				d.Eligible = append(d.Eligible, Candidate{Operator: link.Operator, Weight: link.Weight, Lag: link.Lag})
			} else {
				d.Excluded = append(d.Excluded, Excluded{link.Operator, w.reason(link)})
			}
		}
	}
	switch {
	case how == Sticky:
		d.Rule = RuleSticky
	case how != Automatic:
		*d = Decision{Contact: d.Contact, Operator: d.Operator, At: d.At, Rule: RuleManual}
	case len(d.Eligible) == 1:
		d.Rule = RuleOnly
	}
}

func (w *witness) reason(link Link) string {
	switch s := w.floor.seatings[link.Operator]; {
	case link.Weight == 0:
		return "weight 0"
	case s.Draining:
		return "draining"
	case !s.Active:
		return "inactive"
	}
	return "full"
}

// step is one of the things that happen to a source.
func (w *witness) step(rng *rand.Rand) {
	w.now++
	op := OperatorID(1 + rng.IntN(8))
	switch n := rng.IntN(100); {
	case n < 50:
		w.contact(1, 1, uint8(rng.IntN(2)), 0)
	case n < 60:
		w.contact(1, 1, 0, op)
	case n < 66:
		w.desk.Draw(func(OperatorID) bool { return true }, func(OperatorID) {}, w.now)
	case n < 68:
		w.change(op, []OperatorPatch{{Active: ptr(true)}, {Active: ptr(true)}, {Active: ptr(false)}, {Draining: ptr(true)}}[rng.IntN(4)])
	case n < 69:
		w.link(1, op, rng.Int64N(5))
	case n < 70:
		w.desk.Unlink(op, w.now)
		w.link(1, op, 1+rng.Int64N(5))
	case len(w.held) > 0:
		i := rng.IntN(len(w.held))
		id := w.held[i]
		if n < 73 {
			w.desk.Assign(id, op, true, w.now)
			w.floor.Deliver(w.desks)
			return
		}
		w.held = slices.Delete(w.held, i, i+1)
		w.close(1, id)
	}
}

// check asks for decisions, by their number from the latest back, and compares them with what was written down.
func (w *witness) check(c *Catalog, rng *rand.Rand) {
	w.t.Helper()
	w.settle()
	asked := 0
	for i, id := range w.order {
		age := len(w.order) - i
		if id == 0 || rng.IntN(5) > 0 && age != KeptDecisions {
			continue
		}
		want := w.last[id]
		got, err := c.Decision(id)
		if codeOf(err) == CodeDecisionExpired && age > KeptDecisions {
			continue
		}
		if err == nil && want.Rule == "" {
			want.Rule = got.Rule // by the ledger: checked against exact fractions where the model is
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			w.t.Fatalf("decision %d from the end: %+v, %v\nwant %+v", age, got, err, want)
		}
		asked++
	}
	w.t.Logf("%d decisions of %d were compared", asked, len(w.order))
}

// expired checks that what was decided early, and never again, is not known any more; what an admin decided always is.
func (w *witness) expired(early, later []ContactID) {
	w.t.Helper()
	n := 0
	for _, id := range early {
		if id == 0 || w.last[id].Rule == RuleManual || slices.Contains(later, id) {
			continue
		}
		n++
		if d, err := w.catalog.Decision(id); codeOf(err) != CodeDecisionExpired {
			w.t.Errorf("contact %d: %+v, %v", id, d, err)
		}
	}
	if n == 0 {
		w.t.Error("all early contacts were decided again")
	}
}

// Catches a decision that is explained otherwise than it was made: other lags before or after, another set, a wrong
// reason; one of the last 10,000 that is not known any more; and one from before that is known for ever, or wrongly.
func TestDecisionsAsTheyWereMade(t *testing.T) {
	seeded(t, 2, func(t *testing.T, rng *rand.Rand) {
		h := newHouse(t)
		w := &witness{house: h, last: map[ContactID]*Decision{}}
		h.source(Source{})
		w.desk = h.desks[1]
		h.lead()
		for range 8 {
			h.link(1, h.operator(3), 1+rng.Int64N(4))
		}
		h.seen = w.record
		for len(w.order) < KeptDecisions+5*legSize {
			w.step(rng)
		}
		w.check(h.catalog, rng)
		w.expired(w.order[:legSize], w.order[legSize:])
		thawed, err := thaw(h.catalog.Freeze())
		if err != nil {
			t.Fatal(err)
		}
		w.check(thawed, rng)
		for range 300 { // it goes on like the other one
			w.step(rng)
		}
		if err := h.catalog.Check(); err != nil {
			t.Error(err)
		}
	})
}

// Catches a trail that is cut too short at any moment: 10,000 decisions are always there, and not many more.
func TestTheLast10000DecisionsAreKept(t *testing.T) {
	h := newHouse(t)
	h.source(Source{})
	h.lead()
	h.link(1, h.operator(100), 1)
	h.link(1, h.operator(100), 1)
	for {
		id := h.contact(1, 1, 0, 0)
		h.close(1, id)
		for back, known := range map[ContactID]bool{KeptDecisions - 1: true, KeptDecisions + 2*legSize: false} {
			if id <= back || id%7 != 0 && back > KeptDecisions {
				continue
			}
			if d, err := h.catalog.Decision(id - back); (err == nil) != known || known && d.Contact != id-back {
				t.Fatalf("after %d decisions, that of %d before: %+v, %v", id, back, d, err)
			}
		}
		if id == KeptDecisions+4*legSize {
			return
		}
	}
}

// Catches a trail without a bound: one that only counts decisions, while links change.
func TestTrailIsBounded(t *testing.T) {
	c := smallCatalog(t)
	for i := range 3 * maxTrail {
		apply(t, c, Time(100+i), &LinkSet{Source: 1, Operator: 1, Weight: int64(1 + i%7)})
	}
	steps := 0
	for part := range c.Freeze().Trails() {
		steps += len(part.Steps)
	}
	if steps > maxTrail+legSize || steps < maxTrail-legSize {
		t.Errorf("%d steps are kept", steps)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

// Catches a frozen trail that changes while the catalog goes on.
func TestFrozenTrailStays(t *testing.T) {
	h := newHouse(t)
	h.source(Source{})
	h.lead()
	h.link(1, h.operator(1000), 1)
	h.link(1, h.operator(1000), 2)
	var frozen []*Frozen
	for range 600 {
		if id := h.contact(1, 1, 0, 0); id%50 == 0 {
			frozen = append(frozen, h.catalog.Freeze())
		}
	}
	for i, f := range frozen {
		thawed, err := thaw(f)
		if err == nil {
			err = thawed.Check()
		}
		if err != nil {
			t.Fatalf("frozen %d: %v", i, err)
		}
		steps, situations := 0, map[Situation]int{}
		for part := range f.Trails() {
			steps += len(part.Steps)
			for _, s := range part.Steps {
				if s.Charged {
					situations[s.Situation]++
				}
			}
		}
		if len(situations) != 1+steps/legSize { // else a snapshot would have the set of each step
			t.Errorf("%d steps were decided over %d situations", steps, len(situations))
		}
		if want := 2 + 50*(i+1); steps != want {
			t.Errorf("frozen %d has %d steps, want %d", i, steps, want)
		}
	}
}

// Catches a damaged trail that becomes a wrong answer, or a panic.
func TestAddTrailRefusesWhatCannotBe(t *testing.T) {
	begin := &LedgerState{Links: []Link{{Operator: 1, Weight: 1, Seq: 1}, {Operator: 2, Weight: 1, Seq: 2}}, Linked: 2}
	out := &Out{}
	rows := func(r ...uint64) *Rows { return (*Rows)(&r) }
	long := append([]uint64{3}, make([]uint64, maxSetWords)...)
	good := TrailStep{Contact: 1, Operator: 1, How: Automatic, Charged: true, Situation: Situation{rows(3), out}}
	for name, c := range map[string]struct {
		good bool
		part TrailPart
	}{
		"good":                  {true, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{good}}},
		"no source":             {false, TrailPart{Source: 9, Begin: begin, Steps: []TrailStep{good}}},
		"no begin":              {false, TrailPart{Source: 1, Steps: []TrailStep{good}}},
		"no steps":              {false, TrailPart{Source: 1, Begin: begin}},
		"too many":              {false, TrailPart{Source: 1, Begin: begin, Steps: slices.Repeat([]TrailStep{good}, legSize+1)}},
		"bad begin":             {false, TrailPart{Source: 1, Begin: &LedgerState{Links: []Link{{Operator: 1, Lag: 5}}}, Steps: []TrailStep{good}}},
		"operator not linked":   {false, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{{Operator: 3, How: Manual}}}},
		"charged, no situation": {false, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{{Operator: 1, How: Automatic, Charged: true}}}},
		"set without it":        {false, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{{Operator: 1, How: Automatic, Charged: true, Situation: Situation{rows(2), out}}}}},
		"set beyond the links":  {false, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{{Operator: 1, How: Automatic, Charged: true, Situation: Situation{rows(1, 1), out}}}}},
		"set of nothing":        {false, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{{Operator: 1, How: Automatic, Charged: true, Situation: Situation{rows(), out}}}}},
		"set too long":          {false, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{{Operator: 1, How: Automatic, Charged: true, Situation: Situation{(*Rows)(&long), out}}}}},
		"unknown way":           {false, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{{Operator: 1, How: Sticky + 1}}}},
		"weight too high":       {false, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{{Operator: 1, Weight: MaxWeight + 1}}}},
		"weight below":          {false, TrailPart{Source: 1, Begin: begin, Steps: []TrailStep{{Operator: 1, Weight: -2}}}},
	} {
		f := smallCatalog(t).Freeze()
		f.trails = nil
		thawed, err := thaw(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := thawed.AddTrail(c.part); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		if c.good {
			if err := fmt.Sprint(thawed.Check()); err == "<nil>" {
				t.Error("a trail that does not lead to the ledger, and the check does not see it")
			}
		}
	}
}

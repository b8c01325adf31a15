package domain

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Catches a lead that comes back and does not get its last operator, or waits for it.
func TestSticky(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*world)
		want   OperatorID
		how    How
	}{
		"free":         {func(*world) {}, 3, Sticky},
		"full":         {func(w *world) { w.change(3, OperatorPatch{MaxLoad: ptr(0)}) }, 1, Automatic},
		"inactive":     {func(w *world) { w.activate(3, false) }, 1, Automatic},
		"weight 0":     {func(w *world) { w.link(1, 3, 0) }, 1, Automatic},
		"unlinked":     {func(w *world) { w.unlink(1, 3) }, 1, Automatic},
		"others gone":  {func(w *world) { w.activate(1, false); w.activate(2, false) }, 3, Sticky},
		"others wait":  {func(w *world) { w.edit(1, SourcePatch{Backlog: ptr(BacklogManual)}) }, 3, Sticky},
		"all are gone": {func(w *world) { w.activate(1, false); w.activate(2, false); w.activate(3, false) }, 0, 0},
	} {
		w := team(t, 5, 5, 5)
		c.before(w)
		id := w.returning(3)
		w.with(id, c.want)
		if got, _ := w.catalog.Contact(id); got.How != c.how {
			t.Errorf("%s: got %+v, want how = %d", name, got, c.how)
		}
		w.done()
	}
}

// Catches a sticky assignment that is not charged although every lag stays within two contacts, one that is charged
// although a lag would pass them, and one that is not counted.
func TestStickyIsChargedUpToTwoContacts(t *testing.T) {
	w := team(t, 1000, 1000)
	var lags []float64
	for range 8 {
		w.returning(1)
		lags = append(lags, float64(w.desks[1].State().Links[0].Lag)/One)
	}
	if got, want := fmt.Sprint(lags), "[-0.5 -1 -1.5 -2 -2 -2 -2 -2]"; got != want {
		t.Errorf("lags %s, want %s", got, want)
	}
	link := w.desks[1].State().Links[0]
	if link.Sticky != 8 || link.Received != 0 || w.desks[1].State().Decisions != 4 {
		t.Errorf("got %+v after %d decisions", link, w.desks[1].State().Decisions)
	}
	for want := range 4 { // the other one is owed two contacts, and gets them first
		id := w.contact(1, "a@example.com")
		w.with(id, 2)
		if got := w.desks[1].State().Links[1].Received; got != uint64(want+1) {
			t.Errorf("operator 2 received %d", got)
		}
	}
	w.with(w.contact(1, "a@example.com"), 1)
	w.done()
}

// Catches a lag that sticky decisions take past two contacts, or that drifts when they are mixed with automatic ones.
// There is no proof for the automatic ones among them: over 4,000 runs of 12,000 decisions the largest lag was 2.96 while
// the set stayed the same, and 3.65 while it changed.
func TestLagsStaySmallWithStickyDecisions(t *testing.T) {
	seeded(t, 12, func(t *testing.T, rng *rand.Rand) {
		l := randomLedger(rng, 2+rng.IntN(63))
		odds, keep, often, limit := []float64{0.1, 0.5, 0.9, 1.1}[rng.IntN(4)], 1+rng.IntN(4), rng.Float64(), int64(5*One)
		if odds > 1 { // always everybody
			limit = 3 * One
		}
		favourite := rng.IntN(len(l.rows))
		set, charged, refused := Rows{}, 0, 0
		for step := range 12_000 {
			if step%keep == 0 {
				set = randomSet(rng, set, l, odds)
			}
			row := randomRow(rng, set, favourite)
			switch {
			case rng.Float64() > often:
				decide(l, set)
			case l.Bearable(set, row):
				charged++
				l.Charge(set, row, Sticky)
				if lag := largestLag(l, set); lag > 2*One && set.Count() > 1 {
					t.Fatalf("step %d: a sticky decision left a lag of %.3f", step, float64(lag)/One)
				}
			default:
				refused++
				l.Count(row, Sticky)
			}
			if err := lagBeyond(l, limit); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d operators, %d charged, %d not", len(l.rows), charged, refused)
	})
}

// randomSet is a set in which each operator is with these odds; it is never empty.
func randomSet(rng *rand.Rand, set Rows, l *Ledger, odds float64) Rows {
	set = set.cleared(len(l.rows))
	for row := range l.rows {
		if rng.Float64() < odds {
			set.Add(row)
		}
	}
	if set.Count() == 0 {
		set.Add(rng.IntN(len(l.rows)))
	}
	return set
}

// randomRow is the favourite, if it is in the set, or any row of it.
func randomRow(rng *rand.Rand, set Rows, favourite int) int {
	if set.Has(favourite) && rng.IntN(2) == 0 {
		return favourite
	}
	n := rng.IntN(set.Count())
	for row := range set.All() {
		if n == 0 {
			return row
		}
		n--
	}
	panic("the set has fewer rows than it says")
}

// largestLag is the largest lag of a set, without its sign.
func largestLag(l *Ledger, set Rows) (largest int64) {
	for row := range set.All() {
		largest = max(largest, l.rows[row].Lag, -l.rows[row].Lag)
	}
	return largest
}

// Catches a sticky window that is off by a moment, that is counted from the wrong end, or that mixes sources and leads.
func TestLastOperator(t *testing.T) {
	c := smallCatalog(t) // contact 2 was assigned to operator 1 at 70; contact 3, too, and closed at 80
	if got := []OperatorID{c.LastOperator(1, 1, 80), c.LastOperator(1, 1, 81), c.LastOperator(2, 1, 0), c.LastOperator(1, 9, 0)}; fmt.Sprint(got) != "[1 0 0 0]" {
		t.Errorf("got %v", got)
	}
	apply(t, c, 90, &ContactAssigned{ID: 2, Source: 1, Operator: 2, From: 1, How: Forced})
	if got := c.LastOperator(1, 1, 0); got != 1 {
		t.Errorf("got operator %d, want the one of the latest contact", got)
	}
	apply(t, c, 91, &ContactsArchived{Day: 1, IDs: []ContactID{3}})
	if got := c.LastOperator(1, 1, 90); got != 2 {
		t.Errorf("got operator %d, want the one of the latest contact that is there", got)
	}
	apply(t, c, 92, &ContactReleased{ID: 2, Source: 1, Operator: 2})
	if got := c.LastOperator(1, 1, 0); got != 0 {
		t.Errorf("got operator %d, and nobody has or had one", got)
	}
}

// Catches a drawn operator that is not next, that takes a seat, that is not charged, or that the other system does not know.
func TestDraw(t *testing.T) {
	w := team(t, 1, 1, 1)
	for i, want := range []OperatorID{1, 2, 3, 1, 2, 3} {
		if got := w.draw(1, 1, 2, 3); got != want {
			t.Errorf("draw %d: got operator %d, want %d", i, got, want)
		}
		w.committed("OperatorDrawn")
		w.is(want, "active", 0)
	}
	if got := w.draw(1, 3); got != 3 {
		t.Errorf("got operator %d", got)
	}
	w.draw(1)
	w.refused(CodeNobodyEligible)
	w.activate(2, false)
	w.draw(1, 2)
	w.refused(CodeNobodyEligible)
	w.contact(1, "a@example.com")
	w.draw(1, 1)
	w.refused(CodeNobodyEligible) // operator 1 is full
	w.done()
}

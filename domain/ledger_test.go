package domain

import (
	"reflect"
	"slices"
	"testing"
)

// Catches a wrong order of decisions, in a form that a reader can follow with section 5 and a pencil.
func TestLedgerFirstRound(t *testing.T) {
	for _, c := range []struct {
		name    string
		weights []int64
		want    []OperatorID
	}{
		{"one", []int64{5}, []OperatorID{1, 1, 1}},
		{"equal", []int64{1, 1, 1}, []OperatorID{1, 2, 3, 1, 2, 3}},
		{"two", []int64{1, 3}, []OperatorID{2, 1, 2, 2, 2, 1, 2, 2}},
		{"1:2:7", []int64{1, 2, 7}, []OperatorID{3, 3, 2, 3, 3, 1, 3, 3, 2, 3, 3, 3, 2, 3, 3, 1, 3, 3, 2, 3}},
		{"exactly due", []int64{1, 1, 6}, []OperatorID{3, 3, 3, 1, 3, 2, 3, 3}},
		{"exactly due of five", []int64{1, 1, 1, 2, 3}, []OperatorID{5, 4, 5, 1, 2, 3, 4, 5}},
		{"zero in the middle", []int64{1, 0, 1}, []OperatorID{1, 3, 1, 3}},
	} {
		l := ledgerOf(c.weights...)
		var got []OperatorID
		for range c.want {
			got = append(got, decide(l, everybody(l)))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// Catches a tie break other than the least recently assigned, then the lowest id.
func TestLedgerTies(t *testing.T) {
	l := ledgerOf(1, 1, 1, 1)
	decide(l, rowsOf(l, 2)) // alone: its lag stays 0, but it was assigned
	decide(l, rowsOf(l, 1))
	for i, want := range []OperatorID{3, 4, 2, 1} {
		if got := decide(l, everybody(l)); got != want {
			t.Errorf("decision %d: got operator %d, want %d", i+1, got, want)
		}
	}
}

// Catches a ledger that charges an operator for being the only one: it must earn what it gets.
func TestLedgerAlone(t *testing.T) {
	l := ledgerOf(1, 1)
	for range 100 {
		decide(l, rowsOf(l, 2))
	}
	want := []Link{{Operator: 1, Weight: 1, Seq: 1}, {Operator: 2, Weight: 1, Last: 100, Received: 100, Seq: 2}}
	if !reflect.DeepEqual(l.Links(), want) || l.Decisions() != 100 {
		t.Errorf("got %+v after %d decisions, want %+v", l.Links(), l.Decisions(), want)
	}
}

// Catches a weight edit that resets the lag or the counts, or keeps what was earned per decision from before.
func TestLedgerWeightEdit(t *testing.T) {
	l := ledgerOf(1, 2, 7)
	for range 4 {
		decide(l, everybody(l))
	}
	before := slices.Clone(l.Links())
	l.Set(2, 500)
	want := slices.Clone(before)
	want[1].Weight = 500
	if !reflect.DeepEqual(l.Links(), want) {
		t.Errorf("got %+v, want only the weight changed in %+v", l.Links(), before)
	}
	for range 508 { // one round of the new weights
		decide(l, everybody(l))
	}
	if got := l.Links()[1].Received - before[1].Received; got < 499 || got > 501 {
		t.Errorf("operator 2 got %d of 508 contacts at weight 500", got)
	}
}

// Catches a lag that is not spread exactly: lost units, a wrong sign, or the remainder to the wrong links.
func TestLedgerUnlinkSpreadsTheLag(t *testing.T) {
	for _, c := range []struct {
		name string
		lags []int64 // of operators 1, 2, 3 ...; the last one leaves
		want []int64
	}{
		{"even", []int64{-3, -3, 6}, []int64{0, 0}},
		{"remainder to the lowest ids", []int64{-1, -2, -3, -5, 11}, []int64{2, 1, 0, -3}},
		{"negative", []int64{1, 2, 3, 5, -11}, []int64{-2, -1, 0, 3}},
		{"less than one each", []int64{-1, -1, 0, 2}, []int64{0, 0, 0}},
		{"negative, less than one each", []int64{1, 1, 0, -2}, []int64{0, 0, 0}},
		{"nothing to spread", []int64{4, -4, 0}, []int64{4, -4}},
		{"the last but one", []int64{7, -7}, []int64{0}},
		{"the last", []int64{0}, nil},
	} {
		l := ledgerOf(make([]int64, len(c.lags))...)
		for i, lag := range c.lags {
			l.rows[i].Lag = lag
		}
		l.Remove(OperatorID(len(c.lags)))
		var got []int64
		for _, link := range l.Links() {
			got = append(got, link.Lag)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// Catches a relink that finds its old lag again (a flood), or takes the place in the list that it had.
func TestLedgerRelinkStartsAtZero(t *testing.T) {
	l := ledgerOf(1, 1, 1)
	decide(l, everybody(l))
	l.Remove(1)
	if sum := sumOfLags(l); sum != 0 {
		t.Errorf("lags sum to %d after the unlink", sum)
	}
	l.Remove(1) // not linked: nothing happens
	l.Set(1, 1)
	if want := (Link{Operator: 1, Weight: 1, Seq: 4}); l.Links()[0] != want {
		t.Errorf("got %+v, want %+v", l.Links()[0], want)
	}
}

// Catches a Pick that books: a take that fails in between must leave nothing behind.
func TestLedgerPickChangesNothing(t *testing.T) {
	l := ledgerOf(1, 2, 7, 9)
	for range 5 {
		decide(l, everybody(l))
	}
	before := l.Clone()
	l.Pick(rowsOf(l, 1, 3))
	l.Pick(rowsOf(l, 4))
	l.Pick(everybody(l))
	if !reflect.DeepEqual(l.rows, before.rows) || l.decisions != before.decisions || l.linked != before.linked {
		t.Errorf("got %+v, want %+v", l.rows, before.rows)
	}
}

// Catches a clone that shares rows or the plan with its origin: desks are clones of the catalog's ledgers.
func TestLedgerCloneSharesNothing(t *testing.T) {
	l := ledgerOf(1, 2, 7)
	decide(l, everybody(l))
	clone := l.Clone()
	before := slices.Clone(l.rows)
	plan := slices.Clone(l.plan.earn)
	for range 3 {
		decide(&clone, rowsOf(&clone, 1, 2))
	}
	clone.Set(1, 9)
	if !reflect.DeepEqual(l.rows, before) || !slices.Equal(l.plan.earn, plan) || !slices.Equal(l.plan.set, everybody(l)) {
		t.Error("a change of the clone changed its origin")
	}
}

// Catches lists that are not ascending by operator, and sums over the wrong links.
func TestLedgerLinks(t *testing.T) {
	l := &Ledger{}
	for i, op := range []OperatorID{5, 2, 9, 1} {
		l.Set(op, int64(i))
	}
	var ops []OperatorID
	for _, link := range l.Links() {
		ops = append(ops, link.Operator)
	}
	if want := []OperatorID{1, 2, 5, 9}; !slices.Equal(ops, want) || l.Weights() != 6 {
		t.Errorf("got %v with %d in all, want %v with 6", ops, l.Weights(), want)
	}
	for op, want := range map[OperatorID]bool{0: false, 1: true, 3: false, 5: true, 9: true, 10: false, 1 << 62: false} {
		if _, linked := l.Find(op); linked != want {
			t.Errorf("operator %d: linked is %v", op, linked)
		}
	}
}

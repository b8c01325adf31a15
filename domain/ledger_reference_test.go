package domain

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// reference is section 5 of DESIGN.md written down again, slowly, in exact fractions of a contact. It knows operators,
// not rows, and shares nothing with Ledger but the one rounding that the section allows: what a link earns is cut to
// 1/One contacts.
type reference struct {
	links     map[OperatorID]*refLink
	decisions int
}

type refLink struct {
	weight   int64
	lag      *big.Rat // contacts
	last     int
	received int
	sticky   int
	manual   int
}

func newReference() *reference { return &reference{links: map[OperatorID]*refLink{}} }

// cut is a/b cut to 1/One.
func cut(a, b int64) *big.Rat {
	units := new(big.Int).Mul(big.NewInt(a), big.NewInt(One))
	return new(big.Rat).SetFrac(units.Quo(units, big.NewInt(b)), big.NewInt(One))
}

func (r *reference) set(op OperatorID, weight int64) {
	if link := r.links[op]; link != nil {
		link.weight = weight
		return
	}
	r.links[op] = &refLink{weight: weight, lag: new(big.Rat)}
}

// remove unlinks, and spreads the lag in whole units of 1/One.
func (r *reference) remove(op OperatorID) {
	units := new(big.Rat).Mul(r.links[op].lag, big.NewRat(One, 1)).Num().Int64()
	delete(r.links, op)
	ops := r.operators()
	for i, other := range ops {
		n, part := int64(len(ops)), int64(0)
		switch part = units / n; {
		case units > 0 && int64(i) < units%n:
			part++
		case units < 0 && int64(i) < -units%n:
			part--
		}
		r.links[other].lag.Add(r.links[other].lag, big.NewRat(part, One))
	}
}

func (r *reference) operators() (ops []OperatorID) {
	for op := range r.links {
		ops = append(ops, op)
	}
	slices.Sort(ops)
	return ops
}

// earned is the lags of set after everybody earned, and what was earned in all.
func (r *reference) earned(set []OperatorID) (lags map[OperatorID]*big.Rat, total *big.Rat) {
	var weights int64
	for _, op := range set {
		weights += r.links[op].weight
	}
	lags, total = map[OperatorID]*big.Rat{}, new(big.Rat)
	for _, op := range set {
		earn := cut(r.links[op].weight, weights)
		lags[op] = new(big.Rat).Add(r.links[op].lag, earn)
		total.Add(total, earn)
	}
	return lags, total
}

// units is an operator's lag in 1/One contacts.
func (r *reference) units(op OperatorID) int64 {
	return new(big.Rat).Mul(r.links[op].lag, big.NewRat(One, 1)).Num().Int64()
}

// earnings is what everybody of set earns by one decision, in 1/One contacts.
func (r *reference) earnings(set []OperatorID) map[OperatorID]int64 {
	var weights int64
	for _, op := range set {
		weights += r.links[op].weight
	}
	earned := map[OperatorID]int64{}
	for _, op := range set {
		earned[op] = new(big.Rat).Mul(cut(r.links[op].weight, weights), big.NewRat(One, 1)).Num().Int64()
	}
	return earned
}

// bearable says whether no lag of set is further than two contacts from 0 after op was charged.
func (r *reference) bearable(set []OperatorID, op OperatorID) bool {
	lags, total := r.earned(set)
	lags[op].Sub(lags[op], total)
	two := big.NewRat(2, 1)
	for _, lag := range lags {
		if len(set) > 1 && new(big.Rat).Abs(lag).Cmp(two) > 0 {
			return false
		}
	}
	return true
}

// pick is who is next among set, and by which rule.
func (r *reference) pick(set []OperatorID) (OperatorID, Rule) {
	if len(set) == 1 {
		return set[0], RuleOnly
	}
	lags, _ := r.earned(set)
	one, due := big.NewRat(1, 1), cut(1, int64(2*len(set)-2))
	atLeast := func(limit *big.Rat) (some []OperatorID) {
		for _, op := range set {
			if lags[op].Cmp(limit) >= 0 {
				some = append(some, op)
			}
		}
		return some
	}
	byLag := func(op OperatorID) *big.Rat { return new(big.Rat).Neg(lags[op]) }
	byDeadline := func(op OperatorID) *big.Rat {
		left := new(big.Rat).Sub(new(big.Rat).Sub(one, due), lags[op])
		return left.Quo(left, big.NewRat(r.links[op].weight, 1))
	}
	if overdue := atLeast(one); len(overdue) > 0 {
		return r.first(overdue, byLag), RuleOverdue
	}
	if due := atLeast(due); len(due) > 0 {
		return r.first(due, byDeadline), RuleDue
	}
	return r.first(set, byLag), RuleLargestLag
}

// first is the operator of set with the smallest key, of these the least recently assigned, of these the lowest id.
func (r *reference) first(set []OperatorID, key func(OperatorID) *big.Rat) OperatorID {
	return slices.MinFunc(set, func(a, b OperatorID) int {
		if c := key(a).Cmp(key(b)); c != 0 {
			return c
		}
		if c := r.links[a].last - r.links[b].last; c != 0 {
			return c
		}
		return int(a - b)
	})
}

// charge books the decision for op among set.
func (r *reference) charge(set []OperatorID, op OperatorID, how How) {
	lags, total := r.earned(set)
	for other, lag := range lags {
		r.links[other].lag = lag
	}
	r.links[op].lag.Sub(r.links[op].lag, total)
	r.decisions++
	r.links[op].last = r.decisions
	if how == Sticky {
		r.links[op].sticky++
	} else {
		r.links[op].received++
	}
}

// differs says where a ledger's links are not the reference's.
func (r *reference) differs(l *Ledger) error {
	if len(l.rows) != len(r.links) || l.decisions != uint64(r.decisions) {
		return fmt.Errorf("%d links and %d decisions, want %d and %d", len(l.rows), l.decisions, len(r.links), r.decisions)
	}
	for i, op := range r.operators() {
		want, got := r.links[op], l.rows[i]
		if got.Operator != op || got.Weight != want.weight || big.NewRat(got.Lag, One).Cmp(want.lag) != 0 ||
			got.Last != uint64(want.last) || got.Received != uint64(want.received) ||
			got.Sticky != uint64(want.sticky) || got.Manual != uint64(want.manual) {
			return fmt.Errorf("row %d is %+v, want operator %d: %+v with lag %s", i, got, op, want, want.lag.FloatString(15))
		}
	}
	return nil
}

// rowRule is by which rule an operator is next.
func rowRule(l *Ledger, set []OperatorID, op OperatorID) Rule {
	row, _ := l.Find(op)
	return l.rule(rowsOf(l, set...), row, Automatic)
}

// Catches any deviation from section 5, decision by decision and bit by bit: classes, thresholds, deadlines, ties,
// what is earned and paid, and what link changes do to lags.
func TestLedgerAgainstReference(t *testing.T) {
	property(t, 150, 150, func(t *rapid.T) {
		l, ref := &Ledger{}, newReference()
		weight := rapid.OneOf(rapid.Int64Range(1, 8), rapid.Int64Range(1, MaxWeight), rapid.SampledFrom([]int64{0, 1, 2, 7, MaxWeight}))
		operator := rapid.Map(rapid.IntRange(1, 9), func(i int) OperatorID { return OperatorID(i) })
		link := func(t *rapid.T) {
			op, w := operator.Draw(t, "operator"), weight.Draw(t, "weight")
			l.Set(op, w)
			ref.set(op, w)
		}
		for range rapid.IntRange(1, 9).Draw(t, "links") {
			link(t)
		}
		var set []OperatorID
		t.Repeat(map[string]func(*rapid.T){
			"eligible": func(t *rapid.T) {
				set = set[:0]
				mask := rapid.OneOf(rapid.Just(1<<9-1), rapid.IntRange(0, 1<<9-1)).Draw(t, "mask")
				for _, op := range ref.operators() {
					if mask>>(op-1)&1 == 1 && ref.links[op].weight > 0 {
						set = append(set, op)
					}
				}
			},
			"decide": func(t *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(t, "decisions") {
					if len(set) == 0 {
						return
					}
					want, rule := ref.pick(set)
					if got := rowRule(l, set, want); got != rule {
						t.Fatalf("among %v operator %d is next by rule %s, want %s", set, want, got, rule)
					}
					if got := decide(l, rowsOf(l, set...)); got != want {
						t.Fatalf("among %v got operator %d, want %d; before it: %+v", set, got, want, l.rows)
					}
					ref.charge(set, want, Automatic)
				}
			},
			"sticky": func(t *rapid.T) {
				if len(set) == 0 {
					return
				}
				op := rapid.SampledFrom(set).Draw(t, "preferred")
				row, _ := l.Find(op)
				got := l.Bearable(rowsOf(l, set...), row)
				if want := ref.bearable(set, op); got != want {
					t.Fatalf("operator %d among %v is bearable: %v, want %v; before it: %+v", op, set, got, want, l.rows)
				}
				if got {
					l.Charge(rowsOf(l, set...), row, Sticky)
					ref.charge(set, op, Sticky)
				}
			},
			"link": func(t *rapid.T) { link(t); set = set[:0] },
			"unlink": func(t *rapid.T) {
				if op := operator.Draw(t, "operator"); ref.links[op] != nil {
					l.Remove(op)
					ref.remove(op)
					set = set[:0]
				}
			},
			"": func(t *rapid.T) {
				if err := ref.differs(l); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}

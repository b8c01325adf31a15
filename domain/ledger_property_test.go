package domain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// maxAssignments is how long the share is followed; with it every number of shareError fits an int64.
const maxAssignments = 10_000

// shareError says who is further from its exact share than section 5 allows after n decisions over one set:
// |received - n*w/W| <= 1 - 1/(2k-2) + n*k/2^40. Both sides are multiplied by W*(2k-2), so that it stays in integers.
func shareError(l *Ledger, set Rows, n int64) error {
	k, weights := int64(set.Count()), int64(0)
	for row := range set.All() {
		weights += l.rows[row].Weight
	}
	limit := weights * (2*k - 3)
	rounding := n * k * weights * (2*k - 2) / One // at most 10,000 * 64 * 64,000,000 * 126 < 2^53 before the division
	if k == 1 {
		limit, rounding = 0, 0
	}
	for row := range set.All() {
		off := int64(l.rows[row].Received)*weights - n*l.rows[row].Weight
		if max(off, -off)*max(2*k-2, 1)-limit > rounding {
			return fmt.Errorf("after %d of %d: operator %d with weight %d of %d got %d",
				n, maxAssignments, l.rows[row].Operator, l.rows[row].Weight, weights, l.rows[row].Received)
		}
	}
	return nil
}

// followShare makes n decisions over all links that have a weight, and checks after each.
func followShare(weights []int64, n int) error {
	l := ledgerOf(weights...)
	set := everybody(l)
	for i := range n {
		decide(l, set)
		if err := shareError(l, set, int64(i+1)); err != nil {
			return err
		}
		if sum := sumOfLags(l); sum != 0 {
			return fmt.Errorf("after %d: the lags sum to %d", i+1, sum)
		}
	}
	for _, link := range l.rows {
		if link.Weight == 0 && (link.Received != 0 || link.Lag != 0) {
			return fmt.Errorf("weight 0, but %+v", link)
		}
	}
	return nil
}

// Catches an algorithm that is not Tijdeman's: weighted random and smooth weighted round robin fail here.
func TestLedgerShareOfKnownWeights(t *testing.T) {
	for name, weights := range map[string][]int64{
		"one":           {3},
		"1:2:7":         {1, 2, 7},
		"with zeros":    {0, 1, 0, 2, 7, 0},
		"1:1,000,000":   {1, MaxWeight},
		"1,000,000:1":   {MaxWeight, 1},
		"one heavy":     append(slices.Repeat([]int64{1}, 63), 63),
		"one very":      append(slices.Repeat([]int64{1}, 63), MaxWeight),
		"one light":     append(slices.Repeat([]int64{MaxWeight}, 63), 1),
		"64 equal":      slices.Repeat([]int64{MaxWeight}, 64),
		"powers of two": {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288},
	} {
		if err := followShare(weights, maxAssignments); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Catches the same, for weights that nobody thought of; links of weight 0 lie between the others.
func TestLedgerShare(t *testing.T) {
	property(t, 60, 1, func(t *rapid.T) {
		k := rapid.IntRange(1, 64).Draw(t, "k")
		weight := rapid.SampledFrom([]*rapid.Generator[int64]{
			rapid.Int64Range(1, 3), rapid.Int64Range(1, 100), rapid.Int64Range(1, MaxWeight),
			rapid.SampledFrom([]int64{1, 2, 7}), rapid.SampledFrom([]int64{1, MaxWeight}),
		}).Draw(t, "kind")
		weights := rapid.SliceOfN(weight, k, k).Draw(t, "weights")
		for range rapid.IntRange(0, 3).Draw(t, "zeros") {
			weights = slices.Insert(weights, rapid.IntRange(0, len(weights)).Draw(t, "zero at"), 0)
		}
		n := rapid.SampledFrom([]int{100, 1_000, 3_000, maxAssignments}).Draw(t, "n")
		if err := followShare(weights, n); err != nil {
			t.Fatal(err)
		}
	})
}

// randomLedger has k links with weights of one of several kinds.
func randomLedger(rng *rand.Rand, k int) *Ledger {
	l := &Ledger{}
	kind := rng.IntN(4)
	for op := range k {
		w := int64(1)
		switch kind {
		case 1:
			w += rng.Int64N(10)
		case 2:
			w += rng.Int64N(MaxWeight)
		case 3:
			if rng.IntN(4) == 0 {
				w = MaxWeight
			}
		}
		l.Set(OperatorID(op+1), w)
	}
	return l
}

// lagError says whose lag is too large: with random sets there is no proof, but 2 was never measured.
func lagError(l *Ledger) error { return lagBeyond(l, One*5/2) }

// lagBeyond says whose lag has reached a limit, or that the lags do not sum to 0.
func lagBeyond(l *Ledger, limit int64) error {
	for _, link := range l.rows {
		if link.Lag <= -limit || link.Lag >= limit {
			return fmt.Errorf("after %d decisions operator %d has lag %.3f", l.decisions, link.Operator, float64(link.Lag)/One)
		}
	}
	if sum := sumOfLags(l); sum != 0 {
		return fmt.Errorf("after %d decisions the lags sum to %d", l.decisions, sum)
	}
	return nil
}

// Catches a lag that grows while its operator is away (a flood when it comes back), or that drifts when sets change.
func TestLedgerLagStaysSmallWhileEligibilityChanges(t *testing.T) {
	seeded(t, 12, func(t *testing.T, rng *rand.Rand) {
		l := randomLedger(rng, 2+rng.IntN(63))
		odds, keep := []float64{0.1, 0.5, 0.9}[rng.IntN(3)], 1+rng.IntN(4)
		set, before := Rows{}, slices.Clone(l.rows)
		for step := range 12_000 {
			if step%keep == 0 {
				set = set.cleared(len(l.rows))
				for row := range l.rows {
					if rng.Float64() < odds {
						set.Add(row)
					}
				}
				if set.Count() == 0 {
					set.Add(rng.IntN(len(l.rows)))
				}
			}
			copy(before, l.rows)
			decide(l, set)
			for row := range l.rows {
				if !set.Has(row) && l.rows[row] != before[row] {
					t.Fatalf("step %d: operator %d is away, but went from %+v to %+v", step, row+1, before[row], l.rows[row])
				}
			}
			if err := lagError(l); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Catches the same for sets that come from load, as they do in the field: several sources pick from the same operators'
// seats, and contacts close at random. Full operators drop out of the sets of all sources at once.
func TestLedgersThatShareSeats(t *testing.T) {
	seeded(t, 8, func(t *testing.T, rng *rand.Rand) {
		k := 1 + rng.IntN(64)
		ledgers := make([]*Ledger, 1+rng.IntN(4))
		for i := range ledgers {
			ledgers[i] = randomLedger(rng, k)
		}
		seats, load := make([]int, k), make([]int, k)
		var held []int // by contact: who holds it
		for row := range seats {
			seats[row] = 1 + rng.IntN(8)
		}
		set := Rows{}
		for range 12_000 {
			l := ledgers[rng.IntN(len(ledgers))]
			set = set.cleared(k)
			for row := range seats {
				if load[row] < seats[row] {
					set.Add(row)
				}
			}
			if set.Count() > 0 && rng.IntN(100) < 52 {
				row := int(decide(l, set)) - 1
				load[row]++
				held = append(held, row)
			} else if n := len(held); n > 0 {
				i := rng.IntN(n)
				load[held[i]]--
				held[i] = held[n-1]
				held = held[:n-1]
			}
			if err := lagError(l); err != nil {
				t.Fatal(err)
			}
		}
		for row := range seats {
			if load[row] < 0 || load[row] > seats[row] {
				t.Errorf("operator %d holds %d of %d", row+1, load[row], seats[row])
			}
		}
	})
}

// Catches a unit lost or made by link changes: whatever is edited, unlinked and linked again, the lags sum to 0.
func TestLedgerSumStaysZero(t *testing.T) {
	seeded(t, 20, func(t *testing.T, rng *rand.Rand) {
		l := randomLedger(rng, 1+rng.IntN(40))
		for range 3_000 {
			op := OperatorID(1 + rng.IntN(70))
			switch _, linked := l.Find(op); {
			case rng.IntN(10) > 0:
				if set := everybody(l); set.Count() > 0 {
					decide(l, set)
				}
			case linked && rng.IntN(2) == 0:
				l.Remove(op)
			default:
				l.Set(op, rng.Int64N(MaxWeight+1))
			}
			if sum := sumOfLags(l); sum != 0 {
				t.Fatalf("the lags sum to %d", sum)
			}
		}
	})
}

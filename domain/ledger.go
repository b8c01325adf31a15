package domain

import (
	"cmp"
	"fmt"
	"slices"
)

// One is one contact in a lag's fixed-point unit.
const One = 1 << 40

// Link is one row of a ledger: how much of a source's contacts an operator shall get, and what it got.
type Link struct {
	Operator OperatorID
	Weight   int64
	Lag      int64  // what the operator is owed, in 1/One contacts: earned minus received
	Last     uint64 // number of the decision that gave it its last contact; 0 = none yet
	Received uint64 // contacts given by decisions of this ledger, but for the sticky ones
	Seq      uint64 // place among the links that the source ever had
	Sticky   uint64 // contacts given because the lead had this operator before
	Manual   uint64 // contacts given by an admin
}

// Target is the link's share of its source's contacts while all links are eligible; weights is the sum of theirs.
func (l *Link) Target(weights int64) float64 {
	if weights == 0 {
		return 0
	}
	return float64(l.Weight) / float64(weights)
}

// Ledger is one source's fair share: who is next. It is Tijdeman's chairman assignment algorithm (1980) in integers:
// while the eligible set S of k operators does not change, every operator's count stays within 1 - 1/(2k-2) of its
// exact share after every decision, and no algorithm can do better. DESIGN.md section 5 has the rules.
//
// A decision has two steps, so that lags change only after the seat was really taken: Pick says who, Charge books it.
type Ledger struct {
	rows      []Link // ascending by operator
	decisions uint64
	linked    uint64 // links ever made
	plan      plan
}

// plan is what a decision needs of the set S, kept from one decision to the next because S seldom changes.
type plan struct {
	set     Rows
	earn    []int64 // by row: w * One / W
	total   int64   // what all earn together
	due     int64   // the lag from which a row is due: One / (2k-2)
	spelled bool    // set is the one that the last SpelledSet wrote down
}

// Links lists the rows, ascending by operator; not to be changed.
func (l *Ledger) Links() []Link { return l.rows }

// Decisions is the number of decisions that were charged.
func (l *Ledger) Decisions() uint64 { return l.decisions }

// Weights is the sum of all weights.
func (l *Ledger) Weights() (sum int64) {
	for i := range l.rows {
		sum += l.rows[i].Weight
	}
	return sum
}

// Find is the row of an operator.
func (l *Ledger) Find(op OperatorID) (row int, linked bool) {
	return slices.BinarySearchFunc(l.rows, op, func(r Link, op OperatorID) int { return cmp.Compare(r.Operator, op) })
}

// another says whether another active operator than op is linked with a weight.
func (l *Ledger) another(op OperatorID, active func(OperatorID) bool) bool {
	return slices.ContainsFunc(l.rows, func(r Link) bool { return r.Operator != op && r.Weight > 0 && active(r.Operator) })
}

// Set links an operator or changes its weight. A weight edit keeps the lag; a new link starts at 0.
func (l *Ledger) Set(op OperatorID, weight int64) {
	row, linked := l.Find(op)
	if linked {
		l.rows[row].Weight = weight
	} else {
		l.linked++
		l.rows = slices.Insert(l.rows, row, Link{Operator: op, Weight: weight, Seq: l.linked})
	}
	l.plan.forget()
}

// Remove unlinks an operator and spreads its lag over the others in equal parts, the remainder to the lowest ids,
// so that the lags still sum to 0.
func (l *Ledger) Remove(op OperatorID) {
	row, linked := l.Find(op)
	if !linked {
		return
	}
	lag := l.rows[row].Lag
	l.rows = slices.Delete(l.rows, row, row+1)
	l.plan.forget()
	n := int64(len(l.rows))
	if n == 0 {
		l.rows = nil // as in a ledger that is restored
		return
	}
	part, rest := lag/n, lag%n
	step := int64(1)
	if rest < 0 {
		step = -1
	}
	for i := range l.rows {
		l.rows[i].Lag += part
		if rest != 0 {
			l.rows[i].Lag += step
			rest -= step
		}
	}
}

// Pick says which row of set is next; set must not be empty and has only rows with a weight. Nothing changes but the
// plan that the next Charge of the same set uses.
func (l *Ledger) Pick(set Rows) int {
	k := set.Count()
	if k == 1 {
		for row := range set.All() {
			return row
		}
	}
	p := &l.plan
	if !slices.Equal(p.set, set) {
		p.make(set, l.rows, int64(k))
	}
	best, class := -1, lagging
	for row := range set.All() {
		if c := p.class(l.rows[row].Lag + p.earn[row]); best < 0 || c > class || c == class && l.before(row, best, class) {
			best, class = row, c
		}
	}
	return best
}

// class is how urgent a row is: the overdue come first, then the due, then the rest.
type class int

const (
	lagging class = iota
	due
	overdue
)

func (p *plan) class(lag int64) class {
	switch {
	case lag >= One:
		return overdue
	case lag >= p.due:
		return due
	}
	return lagging
}

// before says whether row a comes before row b when both are of the same class. Due rows are compared by deadline,
// the smallest (One - t - lag) / w, through cross-multiplication: both factors keep the products under 2^60.
func (l *Ledger) before(a, b int, c class) bool {
	ra, rb := &l.rows[a], &l.rows[b]
	lagA, lagB := ra.Lag+l.plan.earn[a], rb.Lag+l.plan.earn[b]
	if c == due {
		limit := One - l.plan.due
		lagA, lagB = -(limit-lagA)*rb.Weight, -(limit-lagB)*ra.Weight
	}
	if lagA != lagB {
		return lagA > lagB
	}
	if ra.Last != rb.Last {
		return ra.Last < rb.Last
	}
	return ra.Operator < rb.Operator
}

// Among is set as the event of a decision shall write it down. To be called between Pick and Charge.
func (l *Ledger) Among(set Rows) Among {
	switch {
	case set.Count() == 1:
		return Among{Kind: Alone}
	case l.plan.spelled && slices.Equal(l.plan.set, set):
		return Among{Kind: SameSet}
	}
	return Among{Kind: SpelledSet, Rows: slices.Clone(set)}
}

// Charge books the decision that gave row a contact, chosen among set.
func (l *Ledger) Charge(set Rows, row int, how How) {
	if k := set.Count(); k > 1 {
		p := &l.plan
		if !slices.Equal(p.set, set) {
			p.make(set, l.rows, int64(k))
		}
		p.spelled = true
		for i := range set.All() {
			l.rows[i].Lag += p.earn[i]
		}
		l.rows[row].Lag -= p.total
	}
	// An operator that was alone earned exactly what it got: its lag stays.
	l.decisions++
	l.rows[row].Last = l.decisions
	l.Count(row, how)
}

// Count counts a contact that row received. A decision that is charged counts by itself.
func (l *Ledger) Count(row int, how How) {
	switch how {
	case Automatic:
		l.rows[row].Received++
	case Sticky:
		l.rows[row].Sticky++
	case Manual, Forced:
		l.rows[row].Manual++
	}
}

// Bearable says whether a charge of row, who is not next but gets the contact all the same, leaves every lag within
// two contacts.
func (l *Ledger) Bearable(set Rows, row int) bool {
	k := set.Count()
	if k == 1 {
		return true
	}
	p := &l.plan
	if !slices.Equal(p.set, set) {
		p.make(set, l.rows, int64(k))
	}
	for i := range set.All() {
		lag := l.rows[i].Lag + p.earn[i]
		if i == row {
			lag -= p.total
		}
		if lag > 2*One || lag < -2*One {
			return false
		}
	}
	return true
}

// Replay books a decision from its event.
func (l *Ledger) Replay(op OperatorID, among Among, how How) error {
	row, linked := l.Find(op)
	if !linked {
		return fmt.Errorf("operator %d is not linked", op)
	}
	if among.Kind == Uncharged {
		l.Count(row, how)
		return nil
	}
	set := among.Rows
	switch {
	case among.Kind == Alone:
		set = make(Rows, row>>6+1)
		set.Add(row)
	case among.Kind == SameSet && !l.plan.spelled:
		return fmt.Errorf("no eligible set was written down before")
	case among.Kind == SameSet:
		set = l.plan.set
	}
	if !set.Has(row) || !l.holds(set) {
		return fmt.Errorf("the eligible set does not fit the links")
	}
	l.Charge(set, row, how)
	return nil
}

// holds says whether every row of a set exists and has a weight.
func (l *Ledger) holds(set Rows) bool {
	for row := range set.All() {
		if row >= len(l.rows) || l.rows[row].Weight <= 0 {
			return false
		}
	}
	return true
}

// Clone is a copy that shares nothing.
func (l *Ledger) Clone() Ledger {
	c := *l
	c.rows = slices.Clone(l.rows)
	c.plan.set = slices.Clone(l.plan.set)
	c.plan.earn = slices.Clone(l.plan.earn)
	return c
}

// make computes the plan for a set of k rows.
func (p *plan) make(set Rows, rows []Link, k int64) {
	p.set = append(p.set[:0], set...)
	p.earn = append(p.earn[:0], make([]int64, len(rows))...)
	p.due = One / (2*k - 2)
	p.total, p.spelled = 0, false
	var weights int64
	for row := range set.All() {
		weights += rows[row].Weight
	}
	for row := range set.All() {
		p.earn[row] = rows[row].Weight * One / weights
		p.total += p.earn[row]
	}
}

// forget drops the plan: the links changed.
func (p *plan) forget() { p.set, p.spelled = p.set[:0], false }

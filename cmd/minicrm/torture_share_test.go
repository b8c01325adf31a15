package main

import (
	"cmp"
	"fmt"
	"slices"

	"minicrm/persistence/journalpb"
)

// one is a contact in a lag's unit.
const one = 1 << 40

// maxLag is more than was ever measured. While the eligible sets change there is no small bound; what grows without
// bound passes this one, too.
const maxLag = 4 * one

// examinedShare is a source's fair share as DESIGN.md section 5 describes it, written a second time from that page and
// without an eye to speed, so that every automatic assignment of a journal can be held against it.
type examinedShare struct {
	rows      []examinedLink // ascending by operator
	spelled   []int          // the rows of the last set that was written out; nil = none since the links changed
	decisions uint64
	largest   int64 // |lag| that there ever was
}

type examinedLink struct {
	operator, weight, lag int64
	last                  uint64 // decision
	received              int64
}

func (s *examinedShare) find(operator int64) *examinedLink {
	i := slices.IndexFunc(s.rows, func(l examinedLink) bool { return l.operator == operator })
	if i < 0 {
		return nil
	}
	return &s.rows[i]
}

func (s *examinedShare) link(operator, weight int64) {
	s.spelled = nil
	if l := s.find(operator); l != nil {
		l.weight = weight
		return
	}
	s.rows = append(s.rows, examinedLink{operator: operator, weight: weight})
	slices.SortFunc(s.rows, func(a, b examinedLink) int { return int(a.operator - b.operator) })
}

// unlink spreads the leaver's lag over the others in equal parts, the remainder to the lowest ids.
func (s *examinedShare) unlink(operator int64) error {
	gone := s.find(operator)
	if gone == nil {
		return fmt.Errorf("operator %d was not linked", operator)
	}
	lag := gone.lag
	s.spelled = nil
	s.rows = slices.DeleteFunc(s.rows, func(l examinedLink) bool { return l.operator == operator })
	for i := range s.rows {
		part := lag / int64(len(s.rows)-i) // of what is left, so that a remainder stays for the first
		if lag%int64(len(s.rows)-i) > 0 {
			part++
		} else if lag%int64(len(s.rows)-i) < 0 {
			part--
		}
		s.rows[i].lag += part
		lag -= part
	}
	return nil
}

// among lists the rows over which an assignment was decided.
func (s *examinedShare) among(operator int64, a *journalpb.Among) ([]int, error) {
	switch a.GetKind() {
	case journalpb.SetKind_SET_KIND_ALONE:
		return []int{slices.IndexFunc(s.rows, func(l examinedLink) bool { return l.operator == operator })}, nil
	case journalpb.SetKind_SET_KIND_SAME_SET:
		if s.spelled == nil {
			return nil, fmt.Errorf("the same set as none")
		}
		return s.spelled, nil
	case journalpb.SetKind_SET_KIND_SPELLED_SET:
		var set []int
		for row := range 64 * len(a.Rows) {
			if a.Rows[row/64]>>(row%64)&1 == 1 {
				set = append(set, row)
			}
		}
		s.spelled = set
		return set, nil
	case journalpb.SetKind_SET_KIND_UNCHARGED:
	}
	return nil, fmt.Errorf("an automatic assignment that was not charged")
}

// assign books an automatic assignment after checking that nobody else was next.
func (s *examinedShare) assign(operator int64, a *journalpb.Among) error {
	set, err := s.among(operator, a)
	if err != nil {
		return err
	}
	var weights int64
	for _, row := range set {
		if row < 0 || row >= len(s.rows) || s.rows[row].weight <= 0 {
			return fmt.Errorf("decided over %v, and the links are %+v", set, s.rows)
		}
		weights += s.rows[row].weight
	}
	if next := s.next(set, weights); s.rows[next].operator != operator {
		return fmt.Errorf("share: operator %d was next of %v in %+v", s.rows[next].operator, set, s.rows)
	}
	var total int64
	for _, row := range set {
		earned := s.rows[row].weight * one / weights
		s.rows[row].lag += earned
		total += earned
	}
	s.decisions++
	winner := s.find(operator)
	winner.lag -= total
	winner.last = s.decisions
	winner.received++
	return s.sum()
}

// next is the row that is next: of the overdue the one that is owed most, else of the due the one with the earliest
// deadline, else the one that is owed most.
func (s *examinedShare) next(set []int, weights int64) int {
	threshold := one / max(1, int64(2*len(set)-2))
	class := func(lag int64) int {
		if lag >= one {
			return 2
		}
		if lag >= threshold {
			return 1
		}
		return 0
	}
	return slices.MinFunc(set, func(x, y int) int {
		a, b := s.rows[x], s.rows[y]
		lagA, lagB := a.lag+a.weight*one/weights, b.lag+b.weight*one/weights
		urgency := cmp.Compare(lagB, lagA)
		if class(lagA) == 1 && class(lagB) == 1 {
			urgency = cmp.Compare((one-threshold-lagA)*b.weight, (one-threshold-lagB)*a.weight)
		}
		return cmp.Or(cmp.Compare(class(lagB), class(lagA)), urgency, cmp.Compare(a.last, b.last), cmp.Compare(x, y))
	})
}

// sum checks that the lags sum to 0.
func (s *examinedShare) sum() error {
	var sum int64
	for _, l := range s.rows {
		sum += l.lag
		s.largest = max(s.largest, l.lag, -l.lag)
	}
	if sum != 0 {
		return fmt.Errorf("share: the lags sum to %d: %+v", sum, s.rows)
	}
	if s.largest > maxLag {
		return fmt.Errorf("share: a lag of %f", float64(s.largest)/one)
	}
	return nil
}

// shown holds what the API shows of the links against the journal.
func (s *examinedShare) shown(links []linkJSON) error {
	if len(links) != len(s.rows) {
		return fmt.Errorf("%d links are shown, the journal has %d", len(links), len(s.rows))
	}
	for _, l := range links {
		row := s.find(l.Operator)
		if row == nil || row.weight != l.Weight || row.received != l.Received.Automatic || float64(row.lag)/one != l.Lag {
			return fmt.Errorf("the link %+v is in the journal %+v", l, row)
		}
	}
	return nil
}

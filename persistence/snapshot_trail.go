package persistence

import "minicrm/domain"

// The walk through a part of a source's trail. What the steps were decided over is shared between them in memory, and so
// it is in the file: it is written where it changes.

func trailPart(c *coder, p *domain.TrailPart) {
	integer(c, 1, &p.Source)
	if c.reading && c.peek() == 2 {
		p.Begin = new(domain.LedgerState)
	}
	if p.Begin != nil {
		message(c, 2, p.Begin, ledger)
	}
	var before domain.Situation
	repeated(c, 3, &p.Steps, func(c *coder, s *domain.TrailStep) { trailStep(c, s, &before) })
}

// trailStep is a step; before has the last set and the last Out of the steps before it.
func trailStep(c *coder, s *domain.TrailStep, before *domain.Situation) {
	integer(c, 1, &s.At)
	integer(c, 2, &s.Contact)
	integer(c, 3, &s.Operator)
	enum(c, 4, &s.How, domain.Sticky)
	boolean(c, 5, &s.Charged)
	zigzag(c, 6, &s.Weight)
	switch {
	case !s.Charged: // it was decided over nothing
	case c.reading:
		readSituation(c, &s.Situation, before)
	default:
		writeSituation(c, s.Situation, before)
	}
}

func writeSituation(c *coder, s domain.Situation, before *domain.Situation) {
	alone := s.Set == nil
	boolean(c, 7, &alone)
	if !alone && s.Set != before.Set {
		words(c, 8, s.Set)
		before.Set = s.Set
	}
	if s.Out != before.Out {
		message(c, 9, s.Out, out)
		before.Out = s.Out
	}
}

func readSituation(c *coder, s, before *domain.Situation) {
	var alone bool
	boolean(c, 7, &alone)
	if c.peek() == 8 && !alone {
		before.Set = new(domain.Rows)
		words(c, 8, before.Set)
	}
	if c.peek() == 9 {
		before.Out = new(domain.Out)
		message(c, 9, before.Out, out)
	}
	if !alone {
		s.Set = before.Set
	}
	s.Out = before.Out
	if s.Out == nil || !alone && s.Set == nil {
		c.fail(8, "it is to be as in the step before, and there is none")
	}
}

func out(c *coder, o *domain.Out) {
	words(c, 1, &o.Inactive)
	words(c, 2, &o.Draining)
}

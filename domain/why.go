package domain

// Why an operator got a contact, who got how much, and who would be next: answers from a source's trail and ledger.

// Rule is what decided an assignment.
type Rule string

// The rules, in the words of DESIGN.md section 5.
const (
	RuleOnly       Rule = "only"        // nobody else was eligible
	RuleOverdue    Rule = "overdue"     // was owed a whole contact: the largest lag wins
	RuleDue        Rule = "due"         // its turn had begun: the earliest deadline wins
	RuleLargestLag Rule = "largest_lag" // nobody's turn had begun
	RuleSticky     Rule = "sticky"      // had the lead, or the contact, before
	RuleManual     Rule = "manual"      // an admin said so
)

// Decision is why an operator got a contact.
type Decision struct {
	Contact  ContactID
	Operator OperatorID
	At       Time
	Rule     Rule
	Charged  bool
	Eligible []Candidate
	Excluded []Excluded
}

// Candidate is an eligible operator: its lag before, and after.
type Candidate struct {
	Operator    OperatorID
	Weight      int64
	Lag, LagNow int64
}

// Excluded is a linked operator that was not eligible.
type Excluded struct {
	Operator OperatorID
	Reason   string
}

// Decision says why the operator that has a contact, or had it last, got it.
func (c *Catalog) Decision(id ContactID) (*Decision, error) {
	contact, err := c.FindContact(id)
	switch {
	case err != nil:
		return nil, err
	case contact.Operator == 0:
		return nil, Refuse(CodeNoDecision, "nobody has contact %d, or had it when it was closed", id)
	case contact.How == Manual || contact.How == Forced:
		return &Decision{Contact: id, Operator: contact.Operator, At: contact.AssignedAt, Rule: RuleManual}, nil
	}
	legs := c.sources[contact.Source].trail.legs
	for l := len(legs) - 1; l >= 0; l-- {
		for i := len(legs[l].steps) - 1; i >= 0; i-- {
			if legs[l].steps[i].contact == id {
				d := legs[l].explain(i)
				d.At = contact.AssignedAt
				d.avoided(contact.releaser())
				return d, nil
			}
		}
	}
	return nil, Refuse(CodeDecisionExpired, "the decision about contact %d is more than %d decisions of its source ago", id, KeptDecisions)
}

// explain plays a leg up to a step and says what decided it.
func (l *leg) explain(at int) *Decision {
	ledger := l.start.Clone()
	for i := range at {
		l.play(&l.steps[i], &ledger)
	}
	s := &l.steps[at]
	row, _ := ledger.Find(s.operator)
	set := l.set(s, row)
	d := &Decision{Contact: s.contact, Operator: s.operator, At: s.at, Charged: s.charged, Rule: ledger.rule(set, row, s.how)}
	if !s.charged {
		return d
	}
	before := ledger.Clone()
	l.play(s, &ledger)
	for r, link := range before.rows {
		if set.Has(r) {
			d.Eligible = append(d.Eligible, Candidate{link.Operator, link.Weight, link.Lag, ledger.rows[r].Lag})
		} else {
			d.Excluded = append(d.Excluded, Excluded{link.Operator, l.outs[s.out].reason(r, link.Weight)})
		}
	}
	return d
}

// avoided says of an operator that could have had the contact that it had released it. Somebody else got it, so it did
// not go back, whether the operator was full or not.
func (d *Decision) avoided(op OperatorID) {
	for i := range d.Excluded {
		if e := &d.Excluded[i]; e.Operator == op && e.Reason == "full" {
			e.Reason = "released it"
		}
	}
}

func (o *Out) reason(row int, weight int64) string {
	switch {
	case weight == 0:
		return "weight 0"
	case o.Inactive.Has(row):
		return "inactive"
	case o.Draining.Has(row):
		return "draining"
	}
	return "full"
}

// rule says by which rule a row of set is next.
func (l *Ledger) rule(set Rows, row int, how How) Rule {
	k := set.Count()
	switch {
	case how == Sticky:
		return RuleSticky
	case k == 1:
		return RuleOnly
	}
	var p plan
	p.make(set, l.rows, int64(k))
	switch p.class(l.rows[row].Lag + p.earn[row]) {
	case overdue:
		return RuleOverdue
	case due:
		return RuleDue
	default:
		return RuleLargestLag
	}
}

// Shares is who got how much of a source's contacts since a moment.
type Shares struct {
	Since     Time // the first step that was counted is not before
	Complete  bool // nothing since the moment asked for was left out
	Decisions int  // automatic and sticky ones, and drawn operators
	Manual    int
	Rows      []Share // ascending by operator
}

// Share is what one operator got.
type Share struct {
	LinkView
	Expected  int64 // contacts by weight, in 1/One, over the decisions in which it was eligible
	Eligible  int   // how many those were
	Automatic int
	Sticky    int
	Manual    int
}

// Tally is a view of a source's trail, to be counted when nobody waits for the catalog: with a thousand operators that
// takes a tenth of a second. Later steps are behind the ends of its legs.
type Tally struct {
	shares Shares
	legs   []leg
}

// Tally takes a view of a source's trail since a moment. It looks at no more than the trail has.
func (c *Catalog) Tally(id SourceID, since Time) (*Tally, bool) {
	s := c.sources[id]
	if s == nil || s.Deleted {
		return nil, false
	}
	t := &Tally{shares: Shares{Since: since, Complete: true}, legs: s.trail.view()}
	weights := s.ledger.Weights()
	for _, link := range s.ledger.Links() {
		t.shares.Rows = append(t.shares.Rows, Share{LinkView: c.linkView(s, link, weights)})
	}
	return t, true
}

// Count counts. It is to be called once.
func (t *Tally) Count() *Shares {
	shares, legs := &t.shares, t.legs
	if len(legs) == 0 {
		return shares
	}
	since := shares.Since
	if begun := legs[0].start.decisions > 0 || legs[0].start.linked > 0; begun && legs[0].steps[0].at > since {
		shares.Since, shares.Complete = legs[0].steps[0].at, false
	}
	for i := range legs {
		if i+1 < len(legs) && legs[i+1].steps[0].at < since {
			continue
		}
		shares.count(&legs[i], since)
	}
	return shares
}

// count counts the steps of a leg since a moment.
func (s *Shares) count(l *leg, since Time) {
	ledger := l.start.Clone()
	places := s.places(&ledger)
	for i := range l.steps {
		step := &l.steps[i]
		if step.at >= since && step.how != 0 {
			s.step(l, step, &ledger, places)
		}
		l.play(step, &ledger)
		if step.how == 0 {
			places = s.places(&ledger)
		}
	}
}

// places finds the shares of a ledger's rows; -1 = the operator is not linked any more.
func (s *Shares) places(l *Ledger) []int {
	places := make([]int, len(l.rows))
	at := 0
	for i := range l.rows { // both ascend by operator
		places[i] = -1
		for at < len(s.Rows) && s.Rows[at].Operator < l.rows[i].Operator {
			at++
		}
		if at < len(s.Rows) && s.Rows[at].Operator == l.rows[i].Operator {
			places[i] = at
		}
	}
	return places
}

func (s *Shares) step(of *leg, step *legStep, l *Ledger, places []int) {
	row, _ := l.Find(step.operator)
	manual := step.how == Manual || step.how == Forced
	if manual {
		s.Manual++
	} else {
		s.Decisions++
	}
	if place := places[row]; place >= 0 {
		got := &s.Rows[place]
		switch {
		case manual:
			got.Manual++
		case step.how == Sticky:
			got.Sticky++
		default:
			got.Automatic++
		}
	}
	if !step.charged {
		return
	}
	set := of.set(step, row)
	var weights int64
	for r := range set.All() {
		weights += l.rows[r].Weight
	}
	for r := range set.All() {
		if place := places[r]; place >= 0 {
			s.Rows[place].Expected += l.rows[r].Weight * One / weights
			s.Rows[place].Eligible++
		}
	}
}

// MaxPreview is the number of contacts that a preview looks ahead at most.
const MaxPreview = 1_000

// Preview is a copy of what a source decides from.
type Preview struct {
	ledger Ledger
	seats  []int // free, by row
}

// Preview copies what a source decides from.
func (c *Catalog) Preview(id SourceID) (*Preview, bool) {
	s := c.sources[id]
	if s == nil || s.Deleted {
		return nil, false
	}
	p := &Preview{ledger: s.ledger.Clone(), seats: make([]int, len(s.ledger.rows))}
	for i, l := range s.ledger.rows {
		if o := c.operator(l.Operator); l.Weight > 0 && o.Open() && !c.waits(s, l.Operator) {
			p.seats[i] = o.MaxLoad - o.Load
		}
	}
	return p, true
}

// waits says whether a contact of a source waits that an operator may have: a seat of that one is on its way to it.
func (c *Catalog) waits(s *sourceState, op OperatorID) bool {
	if s.Backlog != BacklogAuto {
		return false
	}
	another := s.ledger.another(op, func(o OperatorID) bool { return c.operator(o).Active })
	for rank := range s.backlog.All {
		if !another || c.contacts.get(int64(rank.Contact())).Avoid != op {
			return true
		}
	}
	return false
}

// Next is who would get each of the next n contacts, if nothing else changed; 0 = it would wait.
func (p *Preview) Next(n int) []OperatorID {
	next := make([]OperatorID, n)
	set := make(Rows, (len(p.seats)+63)/64)
	for row, free := range p.seats {
		if free > 0 {
			set.Add(row)
		}
	}
	for i := range next {
		if set.Count() == 0 {
			break
		}
		row := p.ledger.Pick(set)
		p.ledger.Charge(set, row, Automatic)
		next[i] = p.ledger.rows[row].Operator
		if p.seats[row]--; p.seats[row] == 0 {
			set.Remove(row)
		}
	}
	return next
}

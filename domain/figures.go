package domain

// What there is to measure of committed state. None of it looks at more than a few contacts, however many there are, so
// it can be asked for under the lock that commits need, too.

// Why says why contacts of a source are open.
type Why uint8

// The reasons, the first that holds.
const (
	WhyNoLink    Why = iota // nobody is linked with a weight
	WhyInactive             // all who are linked are inactive or draining
	WhyFull                 // all who are active have no free seat
	WhyManual               // somebody is eligible, but the source's backlog is manual
	WhyElsewhere            // somebody is eligible: they are about to be assigned, or wait for another than the one who released them
	NumWhys
)

// Name is the word for the reason.
func (w Why) Name() string {
	return [NumWhys]string{"no_link", "all_inactive", "all_full", "manual_backlog", "other"}[w]
}

// SourceFigures is what there is to measure of a source.
type SourceFigures struct {
	Waiting  int   // open contacts
	Since    Time  // from when on the one waits that waited longest; 0 = nobody waits
	Why      Why   // all that wait do; means nothing while nobody does
	Eligible int   // operators that could get the next contact
	MaxLag   int64 // the largest |lag|, in 1/One contacts
}

// SourceFigures measures a source; false when it was deleted.
func (c *Catalog) SourceFigures(id SourceID) (f SourceFigures, known bool) {
	s := c.source(id)
	if s == nil {
		return f, false
	}
	f.Waiting, f.Since = s.backlog.Len(), c.waitsSince(s)
	weighted, active := false, false
	links := s.ledger.Links()
	for i := range links {
		l := &links[i]
		f.MaxLag = max(f.MaxLag, l.Lag, -l.Lag)
		if l.Weight == 0 {
			continue
		}
		weighted = true
		o := c.operator(l.Operator)
		active = active || o.Active
		if o.Open() {
			f.Eligible++
		}
	}
	switch {
	case !weighted:
		f.Why = WhyNoLink
	case !active:
		f.Why = WhyInactive
	case f.Eligible == 0:
		f.Why = WhyFull
	case s.Backlog == BacklogManual:
		f.Why = WhyManual
	default:
		f.Why = WhyElsewhere
	}
	return f, true
}

// sinceLook is how many contacts of one priority waitsSince looks at.
const sinceLook = 16

// waitsSince is from when on the contact waits that waited longest. That is the oldest of its priority, unless that one
// was released or reopened since and so waits for a shorter time than it is old: then those behind it are looked at, too,
// but not all.
func (c *Catalog) waitsSince(s *sourceState) (since Time) {
	for priority := range uint8(MaxPriority + 1) {
		end := RankOf(1<<rankBits-1, priority)
		rank, waits := s.backlog.Seek(RankOf(0, priority))
		for n := 0; waits && rank <= end && n < sinceLook; n++ {
			if at := c.OpenSince(rank.Contact()); since == 0 || at < since {
				since = at
			}
			if c.past(rank.Contact()) == nil {
				break
			}
			rank, waits = s.backlog.Seek(rank + 1)
		}
	}
	return since
}

// OpenSince is when a contact became open the last time.
func (c *Contact) OpenSince() Time {
	past := c.Past()
	for i := len(past) - 1; i >= 0; i-- {
		if kind := past[i].Kind; kind == StepReleased || kind == StepReopened {
			return past[i].At
		}
	}
	return c.CreatedAt
}

// OpenSince is when a contact became open the last time; 0 = it is not known.
func (c *Catalog) OpenSince(id ContactID) Time {
	if p := c.contacts.get(int64(id)); p != nil && p.ID != 0 {
		contact := c.contact(p)
		return contact.OpenSince()
	}
	return 0
}

// EachLink hands a source's links to fn, in no special order; they are not to be kept.
func (c *Catalog) EachLink(id SourceID, fn func(l *Link, weights int64)) {
	s := c.source(id)
	if s == nil {
		return
	}
	weights := s.ledger.Weights()
	links := s.ledger.Links()
	for i := range links {
		fn(&links[i], weights)
	}
}

// EachOperator hands the operators to fn, by id, without those that were deleted; they are not to be kept.
func (c *Catalog) EachOperator(fn func(*Operator)) {
	for i := range c.operators {
		if o := &c.operators[i].Operator; !o.Deleted {
			fn(o)
		}
	}
}

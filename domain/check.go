package domain

import (
	"fmt"
	"reflect"
	"slices"
)

// Check recomputes from the contacts what the catalog keeps beside them, and says what differs. A difference is a bug of
// this program, or a snapshot that was tampered with: such a state must not be served.
func (c *Catalog) Check() error {
	held := make([]int, len(c.operators)+1)
	waiting := map[SourceID]int{}
	living := 0
	for i, id := range c.order {
		contact, place := c.contacts.get(int64(id)), c.trimmed+uint32(i+1)
		if _, forgotten := c.Forgotten(id); (id == 0 || forgotten) && !c.has(id) {
			continue
		}
		if contact == nil || contact.ID != id || contact.Place != place {
			return fmt.Errorf("contact %d is not at place %d of the commit order", id, place)
		}
		living++
		if at, ok := c.byStatus[contact.Status].Seek(contact.Place); !ok || at != contact.Place {
			return fmt.Errorf("contact %d is not listed under its status", id)
		}
		switch contact.Status {
		case StatusAssigned:
			held[contact.Operator]++
		case StatusOpen:
			waiting[contact.Source]++
			if at, ok := c.sources[contact.Source].backlog.Seek(contact.rank()); !ok || at != contact.rank() {
				return fmt.Errorf("contact %d is open and not in the backlog of source %d", id, contact.Source)
			}
		case StatusClosed:
		}
	}
	if n := c.contactCount(); n != living {
		return fmt.Errorf("%d contacts are listed under a status, and there are %d", n, living)
	}
	if err := c.checkStored(); err != nil {
		return err
	}
	for i := range c.operators {
		if o := &c.operators[i]; o.Load != held[o.ID] {
			return fmt.Errorf("operator %d has load %d and holds %d contacts", o.ID, o.Load, held[o.ID])
		}
	}
	for _, id := range c.sourceIDs {
		if n := c.sources[id].backlog.Len(); n != waiting[id] {
			return fmt.Errorf("source %d has %d contacts in its backlog and %d open ones", id, n, waiting[id])
		}
		if err := c.checkLags(id); err != nil {
			return err
		}
		if err := c.checkTrail(id); err != nil {
			return err
		}
	}
	return nil
}

// checkTrail checks that what a source remembers of its decisions leads to where its ledger is.
func (c *Catalog) checkTrail(id SourceID) error {
	s := c.sources[id]
	n := len(s.trail.legs)
	if n == 0 {
		return nil
	}
	end, err := s.trail.legs[n-1].end()
	switch {
	case err != nil:
		return fmt.Errorf("share: source %d: %w", id, err)
	case !slices.Equal(end.rows, s.ledger.rows):
		return fmt.Errorf("share: the last decisions of source %d do not lead to its ledger", id)
	}
	return nil
}

// checkLags checks a source's ledger: its lags sum to 0.
func (c *Catalog) checkLags(id SourceID) error {
	s := c.sources[id]
	if s == nil {
		return nil
	}
	var sum int64
	for _, l := range s.ledger.Links() {
		sum += l.Lag
	}
	if sum != 0 {
		return fmt.Errorf("share: the lags of source %d sum to %d", id, sum)
	}
	return nil
}

// Same says in what two catalogs differ; nil = in nothing. It names ids and fields and shows nothing that people wrote.
func (c *Catalog) Same(other *Catalog) error {
	a, b := c.view(), other.view()
	if err := listDifference("operators", a.Operators, b.Operators); err != nil {
		return err
	}
	if err := listDifference("sources", sourcesOf(a), sourcesOf(b)); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		a, b any
	}{
		{"progress", a.Progress, b.Progress},
		{"ledgers", ledgersOf(a), ledgersOf(b)},
		{"contacts in commit order", placesOf(a), placesOf(b)},
		{"archived contacts", runsOf(a), runsOf(b)},
		{"backlogs", c.backlogs(), other.backlogs()},
		{"number of leads", a.LeadCount, b.LeadCount},
		{"names", a.Names, b.Names},
		{"decisions", trailsOf(c), trailsOf(other)},
		{"keys", c.latestKeys(other), other.latestKeys(c)},
	} {
		if !reflect.DeepEqual(part.a, part.b) {
			return fmt.Errorf("%s: %+v and %+v", part.name, part.a, part.b)
		}
	}
	for id := range LeadID(a.LeadCount) {
		if differs := difference(c.lead(id+1), other.lead(id+1)); differs != "" {
			return fmt.Errorf("leads: %s", differs)
		}
	}
	for ca := range a.Contacts() {
		if cb, _ := other.Contact(ca.ID); !ca.same(&cb) {
			return fmt.Errorf("contacts: %s", difference(*ca, cb))
		}
	}
	return nil
}

func placesOf(f *Frozen) (places [][2]int64) {
	for contact := range f.Contacts() {
		places = append(places, [2]int64{int64(contact.Place), int64(contact.ID)})
	}
	return places
}

func sourcesOf(f *Frozen) (sources []Source) {
	for _, s := range f.Sources {
		sources = append(sources, s.Source)
	}
	return sources
}

func ledgersOf(f *Frozen) (ledgers []LedgerState) {
	for _, s := range f.Sources {
		ledgers = append(ledgers, s.Ledger)
	}
	return ledgers
}

func runsOf(f *Frozen) (runs []ArchivedRun) {
	for run := range f.Forgotten() {
		runs = append(runs, *run)
	}
	return runs
}

func (c *Catalog) backlogs() map[SourceID][]Rank {
	all := map[SourceID][]Rank{}
	for id, s := range c.sources {
		all[id] = slices.Collect(s.backlog.All)
	}
	return all
}

func trailsOf(c *Catalog) (all []TrailPart) {
	for part := range (&Frozen{trails: c.trails()}).Trails() {
		all = append(all, *part)
	}
	return all
}

// latestKeys lists the keys as far as another catalog has them too: each may forget the oldest on its own terms.
func (c *Catalog) latestKeys(other *Catalog) (uses []KeyUse) {
	mine, _ := c.KeyCount()
	theirs, _ := other.KeyCount()
	for use := range c.keys.uses().all {
		uses = append(uses, *use)
	}
	return uses[max(0, mine-theirs):]
}

package domain

import (
	"cmp"
	"slices"
)

// A list is read in pages: items after a cursor, in commit order, and the cursor of the next page (0 = no more yet).
// A cursor is a place in commit order, so a poller that keeps its cursor misses nothing.

// ContactFilter chooses contacts; a zero field means any.
type ContactFilter struct {
	Status   Status
	Source   SourceID
	Operator OperatorID // holds it, or held it last
	Lead     LeadID
}

// Operators lists operators, but for those that were deleted.
func (c *Catalog) Operators(after uint64, limit int) (items []Operator, next uint64) {
	for ; after < uint64(len(c.operators)); after++ {
		o := &c.operators[after].Operator
		if o.Deleted {
			continue
		}
		if len(items) == limit {
			return items, uint64(items[limit-1].ID)
		}
		items = append(items, *o)
	}
	return items, 0
}

// Sources lists sources, but for those that were deleted.
func (c *Catalog) Sources(after uint64, limit int) (items []Source, next uint64) {
	for ; after < uint64(len(c.sourceIDs)); after++ {
		s := c.sources[c.sourceIDs[after]]
		if s.Deleted {
			continue
		}
		if len(items) == limit {
			return items, next
		}
		items, next = append(items, s.Source), after+1
	}
	return items, 0
}

// Leads lists leads, but for those that were erased.
func (c *Catalog) Leads(after uint64, limit int) (items []Lead, next uint64) {
	for ; after < uint64(c.leadCount); after++ {
		if c.leads.get(int64(after)).erased() {
			continue
		}
		if len(items) == limit {
			return items, uint64(items[limit-1].ID)
		}
		items = append(items, c.lead(LeadID(after+1)))
	}
	return items, 0
}

// Links lists a source's links.
func (c *Catalog) Links(source SourceID, after uint64, limit int) (items []LinkView, next uint64) {
	s := c.sources[source]
	if s == nil {
		return nil, 0
	}
	links := slices.Clone(s.ledger.Links())
	slices.SortFunc(links, func(a, b Link) int { return cmp.Compare(a.Seq, b.Seq) })
	weights := s.ledger.Weights()
	for _, link := range links {
		if link.Seq <= after {
			continue
		}
		if len(items) == limit {
			return items, items[limit-1].Seq
		}
		items = append(items, c.linkView(s, link, weights))
	}
	return items, 0
}

// Contacts lists contacts. It leaps from one place that one index has to the next that all have, so its cost depends
// on the matches and near matches, not on how many contacts there are. limit is at least 1 and f.Status a known one.
func (c *Catalog) Contacts(f ContactFilter, after uint64, limit int) (items []Contact, next uint64) {
	if after >= uint64(c.places()) {
		return nil, 0
	}
	indexes, possible := c.indexes(f, uint32(after)+1)
	if !possible {
		return nil, 0
	}
	place := uint32(after) + 1
	for {
		found, ok := intersect(indexes, place)
		if !ok {
			return items, 0
		}
		if len(items) == limit {
			return items, uint64(items[limit-1].Place)
		}
		items = append(items, c.contact(c.placed(found)))
		place = found + 1
	}
}

// seeker is an index: the places in commit order that match one condition. Seek is given a place and answers with it, if
// it matches; else with a later one, and none between them matches. false = none from there on does.
type seeker interface {
	Seek(place uint32) (uint32, bool)
}

// anyStatus is the index of all contacts: it leaps over those that were forgotten.
type anyStatus Catalog

// Seek implements seeker.
func (a *anyStatus) Seek(place uint32) (first uint32, ok bool) {
	for status := StatusOpen; status <= StatusClosed; status++ {
		if found, has := a.byStatus[status].Seek(place); has && (!ok || found < first) {
			first, ok = found, true
		}
	}
	return first, ok
}

// indexes lists an index for each condition of a filter, to be asked from a place on; not possible when one names what
// does not exist.
func (c *Catalog) indexes(f ContactFilter, from uint32) (indexes []seeker, possible bool) {
	if f.Lead != 0 {
		if !c.hasLead(f.Lead) {
			return nil, false
		}
		indexes = append(indexes, c.leadIndex(f.Lead, from))
	}
	if f.Operator != 0 {
		o := c.operator(f.Operator)
		if o == nil {
			return nil, false
		}
		indexes = append(indexes, &o.contacts)
	}
	if f.Source != 0 {
		s := c.sources[f.Source]
		if s == nil {
			return nil, false
		}
		indexes = append(indexes, &s.contacts)
	}
	if f.Status != 0 {
		indexes = append(indexes, &c.byStatus[f.Status])
	}
	if len(indexes) == 0 {
		indexes = append(indexes, (*anyStatus)(c))
	}
	return indexes, true
}

// intersect is the first place from place on that all indexes have.
func intersect(indexes []seeker, place uint32) (uint32, bool) {
	for agreed := 0; agreed < len(indexes); {
		agreed = 0
		for _, index := range indexes {
			found, ok := index.Seek(place)
			if !ok {
				return 0, false
			}
			if found == place {
				agreed++
			}
			place = found
		}
	}
	return place, true
}

package domain

import "iter"

// The contacts of a lead are a chain, in commit order: so a lead has no list of its own, which would be an object for the
// garbage collector and would grow by copies. Chains are no part of a frozen view: they can be derived from it.

// chains are the chains of all leads. A link is a place in commit order; 0 = none.
type chains struct {
	ends  pages[chainEnds]  // of lead i+1 at i
	links pages[chainLinks] // by contact
}

type chainEnds struct{ first, last uint32 }

type chainLinks struct{ before, after uint32 }

// chain puts a contact behind all others of its lead.
func (c *Catalog) chain(s *storedContact) {
	ends := c.chains.ends.edit(int64(s.Lead - 1))
	*c.chains.links.edit(int64(s.ID)) = chainLinks{before: ends.last}
	if ends.last == 0 {
		ends.first = s.Place
	} else {
		c.chains.links.edit(int64(c.idAt(ends.last))).after = s.Place
	}
	ends.last = s.Place
}

// unchain takes a contact out of the chain of its lead.
func (c *Catalog) unchain(s *storedContact) {
	link, ends := *c.chains.links.get(int64(s.ID)), c.chains.ends.edit(int64(s.Lead-1))
	if link.before == 0 {
		ends.first = link.after
	} else {
		c.chains.links.edit(int64(c.idAt(link.before))).after = link.after
	}
	if link.after == 0 {
		ends.last = link.before
	} else {
		c.chains.links.edit(int64(c.idAt(link.after))).before = link.before
	}
	*c.chains.links.edit(int64(s.ID)) = chainLinks{}
}

// chainEnds are the first and the last place of a lead's chain.
func (c *Catalog) chainEnds(lead LeadID) chainEnds {
	if ends := c.chains.ends.get(int64(lead - 1)); ends != nil {
		return *ends
	}
	return chainEnds{}
}

// linksAt are the links of the contact at a place that a chain has.
func (c *Catalog) linksAt(place uint32) *chainLinks {
	return c.chains.links.get(int64(c.idAt(place)))
}

// contactsOf lists a lead's contacts, the newest first.
func (c *Catalog) contactsOf(lead LeadID) iter.Seq[*storedContact] {
	return func(yield func(*storedContact) bool) {
		for place := c.chainEnds(lead).last; place != 0; place = c.linksAt(place).before {
			if !yield(c.placed(place)) {
				return
			}
		}
	}
}

// leadSteps is how far a leadIndex follows its chain in one Seek.
const leadSteps = 32

// leadIndex is the index of a lead's contacts: it goes along their chain.
type leadIndex struct {
	c    *Catalog
	lead LeadID
	at   uint32 // all before it were passed; 0 = all were
}

// leadIndex is the index of a lead's contacts from a place on. It begins where a list goes on, which is behind a contact
// of the lead; at another place, it is sought from the nearer end of the chain.
func (c *Catalog) leadIndex(lead LeadID, from uint32) *leadIndex {
	l, ends := &leadIndex{c: c, lead: lead}, c.chainEnds(lead)
	switch {
	case from > ends.last: // none
	case l.has(from):
		l.at = from
	case l.has(from - 1):
		l.at = c.linksAt(from - 1).after
	case int64(from)-int64(ends.first) < int64(ends.last)-int64(from):
		for l.at = ends.first; l.at < from; {
			l.at = c.linksAt(l.at).after
		}
	default:
		l.at = ends.last
		for before := c.linksAt(l.at).before; before >= from; before = c.linksAt(l.at).before {
			l.at = before
		}
	}
	return l
}

// has says whether a contact of the lead is at a place.
func (l *leadIndex) has(place uint32) bool {
	if place <= l.c.trimmed || place-l.c.trimmed > uint32(len(l.c.order)) {
		return false
	}
	s := l.c.contacts.get(int64(l.c.idAt(place)))
	return s != nil && s.Lead == l.lead
}

// Seek implements seeker. It leaps to a place that the lead has. It may answer with the place behind one that the lead has
// not: the chain is long, and who asks knows where to go on.
func (l *leadIndex) Seek(place uint32) (uint32, bool) {
	for range leadSteps {
		if l.at == 0 || l.at >= place {
			return l.at, l.at != 0
		}
		l.at = l.c.linksAt(l.at).after
	}
	if !l.has(place) {
		return place + 1, true
	}
	l.at = place
	return place, true
}

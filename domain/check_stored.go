package domain

import "fmt"

// checkStored recomputes the chains, and what of the words is dead.
func (c *Catalog) checkStored() error {
	if err := c.leads.check(); err != nil {
		return fmt.Errorf("leads: %w", err)
	}
	if err := c.contacts.check(); err != nil {
		return fmt.Errorf("contacts: %w", err)
	}
	return c.checkChains()
}

// check checks that each of the words is in its page, and that the rest of the page's is dead.
func (t *table[T, P]) check() error {
	for n, w := range t.words {
		if w == nil {
			continue
		}
		size := w.buffer.Len()
		live, beyond := 0, t.list[n] == nil
		for i := 0; !beyond && i < pageSize; i++ {
			P(&t.list[n].items[i]).words(func(at *uint32, length int) {
				live += length
				beyond = beyond || int(*at)+length > size
			})
		}
		if beyond || live+w.dead != size {
			return fmt.Errorf("page %d has %d bytes of words, of which %d are live and %d dead", n, size, live, w.dead)
		}
	}
	return nil
}

// checkChains checks that the chain of each lead has all its contacts, in commit order, in both directions.
func (c *Catalog) checkChains() error {
	chains := make([]chainEnds, c.leadCount)
	for _, id := range c.order {
		if !c.has(id) {
			continue
		}
		s := c.contacts.get(int64(id))
		ends := &chains[s.Lead-1]
		switch {
		case ends.last == 0:
			ends.first = s.Place
		case c.linksAt(ends.last).after != s.Place:
			return fmt.Errorf("contact %d is not behind the one before it in the chain of lead %d", id, s.Lead)
		}
		if link := c.chains.links.get(int64(id)); link == nil || link.before != ends.last {
			return fmt.Errorf("contact %d has another before it than the chain of lead %d", id, s.Lead)
		}
		ends.last = s.Place
	}
	for i, ends := range chains {
		lead := LeadID(i + 1)
		if got := c.chainEnds(lead); got != ends || ends.last != 0 && c.linksAt(ends.last).after != 0 {
			return fmt.Errorf("the chain of lead %d does not begin and end with its contacts", lead)
		}
	}
	return nil
}

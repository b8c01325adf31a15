package domain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// chained is a catalog with a lead that has most of the contacts, more than an index follows in one step, and the contacts
// in commit order as a naive reader knows them.
func chained(t testing.TB, rng *rand.Rand, contacts int) (c *Catalog, order []ContactID) {
	c = smallCatalog(t)
	order = []ContactID{1, 2, 3}
	apply(t, c, 100, &LeadCreated{ID: 2, Email: "b@example.com"}, &LeadCreated{ID: 3, Email: "c@example.com"})
	for i := range contacts {
		id := ContactID(4 + i ^ 1) // not in the order of their ids
		lead := LeadID(max(1, rng.IntN(12)-8))
		apply(t, c, 100, &ContactCreated{ID: id, Source: SourceID(1 + rng.IntN(2)), Lead: lead})
		order = append(order, id)
		if found, _ := c.Contact(id); i/5%12 > 0 {
			apply(t, c, 100, &ContactClosed{ID: id, Source: found.Source})
		}
	}
	return c, order
}

// listed is what a list must show, by looking at every contact.
func listed(c *Catalog, order []ContactID, f ContactFilter, after uint64) (ids []ContactID) {
	for _, id := range order[after:] {
		contact, there := c.Contact(id)
		if there && contact.Lead == f.Lead && (f.Status == 0 || f.Status == contact.Status) && (f.Source == 0 || f.Source == contact.Source) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Catches a list of a lead's contacts that leaves one out, or shows one twice or another's, wherever it goes on: behind a
// contact of the lead, of another one, one that was archived, or nobody's.
func TestLeadListsFromEverywhere(t *testing.T) {
	seeded(t, 2, func(t *testing.T, rng *rand.Rand) {
		c, order := chained(t, rng, 300)
		for round := range 3 {
			for _, f := range []ContactFilter{
				{Lead: 1}, {Lead: 2}, {Lead: 3}, {Lead: 1, Status: StatusOpen}, {Lead: 1, Status: StatusClosed, Source: 2}, {Lead: 2, Source: 1},
			} {
				for after := range uint64(len(order)) + 1 {
					want := listed(c, order, f, after)
					got, next := c.Contacts(f, after, len(order)+1)
					if !slices.EqualFunc(got, want, func(c Contact, id ContactID) bool { return c.ID == id }) || next != 0 {
						t.Fatalf("round %d, %+v after %d: %d contacts, want %d", round, f, after, len(got), len(want))
					}
				}
			}
			for _, id := range order {
				if found, there := c.Contact(id); there && found.Status == StatusClosed && rng.IntN(4) == 0 {
					apply(t, c, 200, &ContactsArchived{Day: 1, IDs: []ContactID{id}})
				}
			}
			if err := c.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Catches a chain that loses a contact when one is taken out at its begin, its end, in its middle, or alone; one that is
// thawed in another order; and a Check that does not see it.
func TestChains(t *testing.T) {
	seeded(t, 3, func(t *testing.T, rng *rand.Rand) {
		c, order := chained(t, rng, 60)
		for len(order) > 0 {
			i := rng.IntN(len(order))
			gone, _ := c.Contact(order[i])
			order = slices.Delete(order, i, i+1)
			if gone.Status != StatusClosed {
				apply(t, c, 200, &ContactClosed{ID: gone.ID, Source: gone.Source, Operator: gone.Operator})
			}
			apply(t, c, 300, &ContactsArchived{Day: 1, IDs: []ContactID{gone.ID}})
			thawed, err := thaw(c.Freeze())
			if err != nil {
				t.Fatal(err)
			}
			for lead := range LeadID(3) {
				var want []ContactID
				for _, id := range order {
					if found, _ := c.Contact(id); found.Lead == lead+1 {
						want = append(want, id)
					}
				}
				back := slices.Clone(want)
				slices.Reverse(back)
				want = append(back, want...)
				if got, again := chainOf(c, lead+1), chainOf(thawed, lead+1); !slices.Equal(got, want) || !slices.Equal(again, want) {
					t.Fatalf("lead %d has %v, thawed %v, want %v", lead+1, got, again, want)
				}
			}
			if err := c.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkLeadList is a page of 50 deep inside the 100,000 contacts of one lead: behind a contact of the lead, as lists
// go on, behind another's, and of those that are open, which are few.
func BenchmarkLeadList(b *testing.B) {
	c := benchCatalog(b)
	for id := range ContactID(400_000) {
		id++
		lead := LeadID(1)
		if id%4 > 0 {
			lead += LeadID(1 + id%999)
		}
		apply(b, c, Time(id), &ContactCreated{ID: id, Source: 1, Lead: lead})
		if id%1_000 > 0 {
			apply(b, c, Time(id), &ContactClosed{ID: id, Source: 1})
		}
	}
	for _, after := range []uint64{0, 200_000, 200_002, 390_000} {
		for _, status := range []Status{0, StatusOpen} {
			b.Run(fmt.Sprintf("after=%d,status=%d", after, status), func(b *testing.B) {
				for b.Loop() {
					c.Contacts(ContactFilter{Lead: 1, Status: status}, after, 50)
				}
			})
		}
	}
}

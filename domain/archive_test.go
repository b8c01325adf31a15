package domain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Archive forgets some contacts that are closed.
func (h *history) Archive(t *rapid.T) {
	var ids []ContactID
	for _, id := range h.contacts {
		if c, _ := h.Contact(id); c.Status == StatusClosed && rapid.Bool().Draw(t, "archive") {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		t.Skip("none closed")
	}
	h.commit(&ContactsArchived{Day: 20_000, IDs: ids})
	for _, id := range ids {
		if day, forgotten := h.Forgotten(id); !forgotten || day != 20_000 {
			t.Fatalf("contact %d is forgotten: %v, on day %d", id, forgotten, day)
		}
	}
}

// Erase erases a lead that has no live contact; with one it must be refused.
func (h *history) Erase(t *rapid.T) {
	id := h.lead(t)
	live := false
	for _, contact := range h.contacts {
		c, _ := h.Contact(contact)
		live = live || c.Lead == id && c.Status != StatusClosed
	}
	if (h.LiveContact(id) != 0) != live {
		t.Fatalf("lead %d has live contacts: %v", id, live)
	}
	if live {
		t.Skip("it has live contacts")
	}
	h.commit(&LeadErased{ID: id})
	for _, contact := range h.contacts {
		if c, _ := h.Contact(contact); c.Lead == id && c.Text != "" {
			t.Fatalf("a text is left: %+v", c)
		}
	}
	if lead, known := h.Lead(id); !known || !lead.Erased() || lead.Name+lead.Phone != "" {
		t.Fatalf("left is %+v", lead)
	}
}

// Catches: an archive named after another day.
func TestDayNames(t *testing.T) {
	seeded(t, 1, func(t *testing.T, rng *rand.Rand) {
		for range 20_000 {
			at := time.UnixMicro(rng.Int64N(int64(maxDay+1) * microsADay)).UTC()
			if got, want := DayOf(Time(at.UnixMicro())).String(), at.Format(time.DateOnly); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	})
}

// Catches: an event that forgets what is live, or twice, or nobody; and one that brings something back.
func TestApplyRefusesToForgetWhatIsNeeded(t *testing.T) {
	for name, events := range map[string][]Event{
		"archived while open":     {&ContactsArchived{IDs: []ContactID{1}}},
		"archived while assigned": {&ContactsArchived{IDs: []ContactID{2}}},
		"archived twice":          {&ContactsArchived{IDs: []ContactID{3, 3}}},
		"archived never created":  {&ContactsArchived{IDs: []ContactID{4}}},
		"nothing archived":        {&ContactsArchived{}},
		"too many archived":       {&ContactsArchived{IDs: make([]ContactID, MaxArchived+1)}},
		"a day too far":           {&ContactsArchived{Day: maxDay + 1, IDs: []ContactID{3}}},
		"created again":           {&ContactsArchived{IDs: []ContactID{3}}, &ContactCreated{ID: 3, Source: 1, Lead: 1}},
		"erased with live":        {&LeadErased{ID: 1}},
		"erased never created":    {&LeadErased{ID: 9}},
		"erased twice":            {&LeadCreated{ID: 2, Email: "b"}, &LeadErased{ID: 2}, &LeadErased{ID: 2}},
		"changed after erasure":   {&LeadCreated{ID: 2, Email: "b"}, &LeadErased{ID: 2}, &LeadChanged{ID: 2}},
		"contact after erasure":   {&LeadCreated{ID: 2, Email: "b"}, &LeadErased{ID: 2}, &ContactCreated{ID: 4, Source: 1, Lead: 2}},
		"a lead without email":    {&LeadCreated{ID: 2}},
	} {
		if err := smallCatalog(t).Apply(Record{At: 90, Events: events}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	c := smallCatalog(t)
	apply(t, c, 90, &LeadCreated{ID: 2, Email: "b"}, &LeadErased{ID: 2}, &LeadCreated{ID: 3, Email: "b"})
	if lead, _ := c.LeadByEmail("b"); lead.ID != 3 {
		t.Errorf("the email belongs to %+v", lead)
	}
}

// BenchmarkArchive forgets contacts from the front of a million, MaxArchived a record: what one record holds the
// catalog's lock for.
func BenchmarkArchive(b *testing.B) {
	const n = 1_000_000
	build := func() *Catalog {
		c := smallCatalog(b)
		for i := range n {
			id := ContactID(4 + i)
			if i%4 == 0 {
				lead := LeadID(c.leadCount + 1)
				apply(b, c, 100, &LeadCreated{ID: lead, Email: fmt.Sprint(lead)})
			}
			apply(b, c, 100, &ContactCreated{ID: id, Source: 1, Lead: LeadID(c.leadCount)}, &ContactClosed{ID: id, Source: 1})
		}
		return c
	}
	c, next := build(), ContactID(4)
	b.ResetTimer()
	for range b.N {
		if next+MaxArchived > n {
			b.StopTimer()
			c, next = build(), 4
			b.StartTimer()
		}
		ids := make([]ContactID, MaxArchived)
		for i := range ids {
			ids[i] = next
			next++
		}
		apply(b, c, 200, &ContactsArchived{Day: 20_000, IDs: ids})
	}
}

// Catches: a page that is not freed or is freed too early, a frozen view that loses what is forgotten after it, and a
// state that is thawed otherwise when the front of the commit order is gone.
func TestForgetWholePages(t *testing.T) {
	seeded(t, 5, func(t *testing.T, rng *rand.Rand) {
		const n = 10 * pageSize
		c := smallCatalog(t)
		for id := ContactID(4); id < n; id++ {
			apply(t, c, 100, &ContactCreated{ID: id, Source: 1, Lead: 1, Text: "hello"}, &ContactClosed{ID: id, Source: 1})
			if id%100 == 0 {
				apply(t, c, 100, &ContactReopened{ID: id, Source: 1}, &ContactClosed{ID: id, Source: 1})
			}
		}
		before := c.Freeze()
		left := n - 4
		for _, i := range rng.Perm(n - 4) {
			if id := ContactID(4 + i); id < 7*pageSize { // the newest stay
				apply(t, c, 200, &ContactsArchived{Day: Day(20_000 + i/1000), IDs: []ContactID{id}})
				left--
			}
		}
		apply(t, c, 300, &ContactsArchived{Day: 7, IDs: []ContactID{3}}, &ContactClosed{ID: 1, Source: 1}, &ContactClosed{ID: 2, Source: 1, Operator: 1})
		apply(t, c, 300, &ContactsArchived{Day: 7, IDs: []ContactID{1, 2}})
		for page, freed := range c.contacts.list {
			gone := []bool{freed == nil, c.contacts.words[page] == nil, c.chains.links.list[page] == nil, c.pasts.list[page] == nil}
			if slices.Contains(gone, page >= 7) {
				t.Errorf("page %d and what lies beside it are freed: %v", page, gone)
			}
		}
		if c.Freeze().ContactCount() != left || len(c.order) != left || before.ContactCount() != n-1 {
			t.Errorf("%d contacts, %d places, %d before", c.Freeze().ContactCount(), len(c.order), before.ContactCount())
		}
		seen := 0
		for range before.Contacts() {
			seen++
		}
		thawed, err := thaw(c.Freeze())
		if err != nil {
			t.Fatal(err)
		}
		for _, same := range []error{thawed.Same(c), thawed.Check(), c.Check()} {
			if same != nil {
				t.Error(same)
			}
		}
		if seen != n-1 {
			t.Errorf("the frozen view has %d contacts", seen)
		}
	})
}

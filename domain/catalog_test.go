package domain

import (
	"slices"
	"testing"
)

// Catches a lookup that panics on, or invents, what does not exist.
func TestCatalogUnknownIDs(t *testing.T) {
	for name, c := range map[string]*Catalog{"empty": NewCatalog(), "small": smallCatalog(t)} {
		for _, id := range []int64{-1 << 62, -1, 0, 4, 1023, 1024, 1 << 62} {
			if o, found := c.Operator(OperatorID(id)); found || o != (Operator{}) {
				t.Errorf("%s: operator %d: %+v", name, id, o)
			}
			if s, found := c.Source(SourceID(id)); found || s != (Source{}) {
				t.Errorf("%s: source %d: %+v", name, id, s)
			}
			if lead, found := c.Lead(LeadID(id)); found || lead.ID != 0 {
				t.Errorf("%s: lead %d: %+v", name, id, lead)
			}
			if contact, found := c.Contact(ContactID(id)); found || contact != (Contact{}) {
				t.Errorf("%s: contact %d: %+v", name, id, contact)
			}
			if n := c.Waiting(SourceID(id)); n != 0 {
				t.Errorf("%s: source %d: %d wait", name, id, n)
			}
			for _, v := range [][2]int64{{id, 1}, {1, id}} {
				if link, found := c.Link(SourceID(v[0]), OperatorID(v[1])); found || link != (LinkView{}) {
					t.Errorf("%s: link %v: %+v", name, v, link)
				}
			}
		}
		if _, found := c.LeadByEmail("nobody@example.com"); found {
			t.Errorf("%s: a lead that does not exist", name)
		}
	}
}

// Catches an empty catalog that is not the start of everything.
func TestCatalogOfAnEmptyJournal(t *testing.T) {
	c := NewCatalog()
	if c.Index() != 0 || c.LastTime() != 0 || c.NextOperator() != 1 || c.NextSource() != 1 || c.NextContact() != 1 || len(c.SourceIDs()) != 0 {
		t.Errorf("got %+v", dump(c))
	}
	if lead := c.Registry().Add(NewLead{Email: "a@example.com"}); lead != 1 {
		t.Errorf("first lead %d", lead)
	}
	if seats, desks := c.Seatings(nil, nil), c.Desks(nil); len(seats) != 0 || len(desks) != 0 {
		t.Errorf("%d seats, %d desks", len(seats), len(desks))
	}
}

// Catches a registry that gives one email two leads, or an id twice.
func TestRegistry(t *testing.T) {
	c := smallCatalog(t)
	r := c.Registry()
	if lead, known := r.Lookup("a@example.com"); !known || lead != 1 {
		t.Errorf("got lead %d, %v", lead, known)
	}
	if _, known := r.Lookup("b@example.com"); known {
		t.Error("a lead that does not exist")
	}
	if lead := r.Add(NewLead{Email: "b@example.com"}); lead != 2 {
		t.Errorf("got lead %d", lead)
	}
	if lead, known := r.Lookup("b@example.com"); !known || lead != 2 {
		t.Errorf("got lead %d, %v", lead, known)
	}
	if next := c.NextContact(); next != 4 {
		t.Errorf("the next contact is %d", next)
	}
	if _, found := c.LeadByEmail("b@example.com"); found {
		t.Error("live state changed the catalog")
	}
}

// Catches an admin who is told a wrong reason why an operator gets nothing.
func TestLinkReason(t *testing.T) {
	for _, c := range []struct {
		name    string
		weight  int64
		active  bool
		maxLoad int
		held    int
		want    string
	}{
		{"eligible", 1, true, 1, 0, ""},
		{"weight 0", 0, true, 1, 0, "weight 0"},
		{"weight 0 goes first", 0, false, 0, 0, "weight 0"},
		{"inactive", 1, false, 1, 0, "inactive"},
		{"inactive goes before full", 1, false, 1, 1, "inactive"},
		{"full", 1, true, 1, 1, "full"},
		{"past full", 1, true, 1, 2, "full"},
		{"no seats", 1, true, 0, 0, "full"},
	} {
		cat := NewCatalog()
		apply(t, cat, 1, &OperatorCreated{ID: 1, Active: c.active, MaxLoad: c.maxLoad}, &OperatorCreated{ID: 2},
			&SourceCreated{ID: 1}, &LinkSet{Source: 1, Operator: 2, Weight: 9}, &LinkSet{Source: 1, Operator: 1, Weight: c.weight},
			&LeadCreated{ID: 1, Email: "a@example.com"})
		for id := range ContactID(c.held) {
			apply(t, cat, 1, &ContactCreated{ID: id + 1, Source: 1, Lead: 1}, &ContactAssigned{ID: id + 1, Source: 1, Operator: 1, How: Forced})
		}
		want := LinkView{Link: Link{Operator: 1, Weight: c.weight, Seq: 2, Manual: uint64(c.held)}, Source: 1, Weights: 9 + c.weight, Reason: c.want}
		if got, found := cat.Link(1, 1); !found || got != want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, want)
		}
		if links, _ := cat.Links(1, 0, 10); len(links) != 2 || links[1] != want {
			t.Errorf("%s: listed as %+v, want %+v", c.name, links, want)
		}
	}
}

// Catches live state that shares memory with the catalog: a desk runs ahead of it.
func TestDesksShareNothingWithTheCatalog(t *testing.T) {
	w := newWorld(t)
	source := w.source(BacklogAuto)
	for range 3 {
		w.link(source, w.operator(true, 2), 1)
	}
	for range 8 {
		w.contact(source, "a@example.com")
	}
	before := w.catalog.Desks(w.floor.For)[0].State()
	floor := NewFloor(func(Record) {}, func(error) {})
	floor.Seat(w.catalog.Seatings(floor.Shown, floor.Heads)...)
	desk := w.catalog.Desks(floor.For)[0]
	for _, id := range []ContactID{1, 2, 7} {
		desk.Close(id, "", 1)
	}
	desk.Drain(1)
	desk.Link(1, 99, 1)
	desk.Unlink(2, 1)
	w.check()
	if after := w.catalog.Desks(w.floor.For)[0].State(); len(after.Backlog) != 2 || !slices.Equal(after.Links, before.Links) {
		t.Errorf("got %+v, want %+v", after, before)
	}
}

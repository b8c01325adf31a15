package domain

import (
	"strings"
	"testing"
)

// apply commits one record, which must fit.
func apply(t testing.TB, c *Catalog, at Time, events ...Event) {
	t.Helper()
	if err := c.Apply(Record{At: at, Events: events}); err != nil {
		t.Fatal(err)
	}
}

// smallCatalog has two operators, a source that both are linked to (the second with weight 0), a source without links,
// a lead, and contacts of the first source: 1 is open, 2 is assigned to operator 1, 3 was assigned to 1 and is closed.
func smallCatalog(t testing.TB) *Catalog {
	c := NewCatalog()
	apply(t, c, 10, &OperatorCreated{ID: 1, Name: "ann", Active: true, MaxLoad: 2})
	apply(t, c, 20, &OperatorCreated{ID: 2, Name: "bob", Active: false, MaxLoad: 3})
	apply(t, c, 30, &SourceCreated{ID: 1, Name: "chat", Backlog: BacklogAuto})
	apply(t, c, 30, &SourceCreated{ID: 2, Name: "mail", Backlog: BacklogManual})
	apply(t, c, 40, &LinkSet{Source: 1, Operator: 1, Weight: 5})
	apply(t, c, 40, &LinkSet{Source: 1, Operator: 2, Weight: 0})
	apply(t, c, 50, &LeadCreated{ID: 1, Email: "a@example.com", Name: "al", Phone: "1"})
	apply(t, c, 60, &ContactCreated{ID: 1, Source: 1, Lead: 1, Text: "hi"})
	for id := ContactID(2); id <= 3; id++ {
		apply(t, c, 70, &ContactCreated{ID: id, Source: 1, Lead: 1},
			&ContactAssigned{ID: id, Source: 1, Operator: 1, How: Automatic, Among: Among{Kind: Alone}})
	}
	apply(t, c, 80, &ContactClosed{ID: 3, Source: 1, Operator: 1})
	return c
}

// stranger is an event that no program of ours wrote.
type stranger struct{}

func (stranger) event() {}

// Catches a journal that does not fit being swallowed: from then on state would be wrong without a word.
func TestApplyRefusesMisfits(t *testing.T) {
	alone := Among{Kind: Alone}
	for _, c := range []struct {
		name  string
		event Event
	}{
		{"unknown event", stranger{}},
		{"no event", nil},
		{"operator again", &OperatorCreated{ID: 2}},
		{"operator with a gap", &OperatorCreated{ID: 4}},
		{"operator 0", &OperatorCreated{}},
		{"change of no operator", &OperatorChanged{ID: 3}},
		{"change of operator 0", &OperatorChanged{ID: 0}},
		{"source again", &SourceCreated{ID: 2}},
		{"source 0", &SourceCreated{}},
		{"source below 0", &SourceCreated{ID: -1}},
		{"change of no source", &SourceChanged{ID: 3}},
		{"link of no source", &LinkSet{Source: 3, Operator: 1, Weight: 1}},
		{"link of no operator", &LinkSet{Source: 1, Operator: 3, Weight: 1}},
		{"link below weight 0", &LinkSet{Source: 1, Operator: 1, Weight: -1}},
		{"link past the limit", &LinkSet{Source: 1, Operator: 1, Weight: MaxWeight + 1}},
		{"unlink of no source", &LinkRemoved{Source: 3, Operator: 1}},
		{"lead again", &LeadCreated{ID: 1, Email: "b@example.com"}},
		{"lead with a gap", &LeadCreated{ID: 3, Email: "b@example.com"}},
		{"lead with a taken email", &LeadCreated{ID: 2, Email: "a@example.com"}},
		{"lead with a long email", &LeadCreated{ID: 2, Email: strings.Repeat("x", MaxEmail+1)}},
		{"lead with a long name", &LeadCreated{ID: 2, Email: "b", Name: strings.Repeat("x", maxNameBytes+1)}},
		{"lead with a long phone", &LeadCreated{ID: 2, Email: "b", Phone: strings.Repeat("x", maxPhoneBytes+1)}},
		{"lead with a longer name", &LeadChanged{ID: 1, Name: ptr(strings.Repeat("x", maxNameBytes+1))}},
		{"contact with a long text", &ContactCreated{ID: 4, Source: 1, Lead: 1, Text: strings.Repeat("x", MaxText+1)}},
		{"closed for a long reason", &ContactClosed{ID: 1, Source: 1, Reason: strings.Repeat("x", maxReasonBytes+1)}},
		{"change of no lead", &LeadChanged{ID: 2}},
		{"change of lead 0", &LeadChanged{ID: 0}},
		{"contact of no source", &ContactCreated{ID: 4, Source: 3, Lead: 1}},
		{"contact of no lead", &ContactCreated{ID: 4, Source: 1, Lead: 2}},
		{"contact of lead 0", &ContactCreated{ID: 4, Source: 1, Lead: 0}},
		{"contact 0", &ContactCreated{ID: 0, Source: 1, Lead: 1}},
		{"contact below 0", &ContactCreated{ID: -5, Source: 1, Lead: 1}},
		{"contact far away", &ContactCreated{ID: 4 + maxIDGap + 1, Source: 1, Lead: 1}},
		{"contact again", &ContactCreated{ID: 1, Source: 2, Lead: 1}},
		{"assignment of no contact", &ContactAssigned{ID: 4, Source: 1, Operator: 1, How: Automatic, Among: alone}},
		{"assignment of contact 0", &ContactAssigned{ID: 0, Source: 1, Operator: 1, How: Automatic, Among: alone}},
		{"assignment in another source", &ContactAssigned{ID: 1, Source: 2, Operator: 1, How: Manual}},
		{"assignment of a closed contact", &ContactAssigned{ID: 3, Source: 1, Operator: 1, How: Automatic, Among: alone}},
		{"assignment from nobody", &ContactAssigned{ID: 2, Source: 1, Operator: 2, How: Manual}},
		{"assignment from somebody", &ContactAssigned{ID: 1, Source: 1, Operator: 1, From: 2, How: Manual}},
		{"assignment from somebody else", &ContactAssigned{ID: 2, Source: 1, Operator: 1, From: 2, How: Manual}},
		{"assignment to no operator", &ContactAssigned{ID: 1, Source: 1, Operator: 3, How: Manual}},
		{"unlinking of a stranger", &LinkRemoved{Source: 2, Operator: 1}},
		{"assignment to nobody", &ContactAssigned{ID: 1, Source: 1, Operator: 0, How: Manual}},
		{"charged at weight 0", &ContactAssigned{ID: 1, Source: 1, Operator: 2, How: Automatic, Among: alone}},
		{"charged to the same set, but none before", &ContactAssigned{ID: 1, Source: 1, Operator: 1, How: Automatic, Among: Among{Kind: SameSet}}},
		{"close of no contact", &ContactClosed{ID: 4, Source: 1}},
		{"close in another source", &ContactClosed{ID: 1, Source: 2}},
		{"close again", &ContactClosed{ID: 3, Source: 1, Operator: 1}},
		{"close of an open one that somebody holds", &ContactClosed{ID: 1, Source: 1, Operator: 1}},
		{"close of an assigned one that nobody holds", &ContactClosed{ID: 2, Source: 1, Operator: 0}},
		{"close of an assigned one that another holds", &ContactClosed{ID: 2, Source: 1, Operator: 2}},
	} {
		err := smallCatalog(t).Apply(Record{At: 90, Events: []Event{c.event}})
		if err == nil || !strings.Contains(err.Error(), "record 12: ") {
			t.Errorf("%s: got %v, want an error that names record 12", c.name, err)
		}
	}
}

// Catches a field that an event carries and the catalog drops, and a time that is wrong.
func TestApplyContact(t *testing.T) {
	c := smallCatalog(t)
	steps := []struct {
		event Event
		at    Time
		want  Contact
	}{
		{&ContactAssigned{ID: 1, Source: 1, Operator: 1, How: Manual}, 100,
			Contact{ID: 1, Source: 1, Lead: 1, Operator: 1, Status: StatusAssigned, How: Manual, Text: "hi", CreatedAt: 60, AssignedAt: 100}},
		{&ContactAssigned{ID: 1, Source: 1, Operator: 2, From: 1, How: Forced}, 110,
			Contact{ID: 1, Source: 1, Lead: 1, Operator: 2, Status: StatusAssigned, How: Forced, Text: "hi", CreatedAt: 60, AssignedAt: 110}},
		{&ContactClosed{ID: 1, Source: 1, Operator: 2}, 120,
			Contact{ID: 1, Source: 1, Lead: 1, Operator: 2, Status: StatusClosed, How: Forced, Text: "hi", CreatedAt: 60, AssignedAt: 110, ClosedAt: 120}},
	}
	loads := [][2]int{{2, 0}, {1, 1}, {1, 0}}
	for i, step := range steps {
		apply(t, c, step.at, step.event)
		got, found := c.Contact(1)
		got.Place, got.past = 0, nil // the history has tests of its own
		if !found || got != step.want {
			t.Errorf("after %+v: got %+v, want %+v", step.event, got, step.want)
		}
		for op, want := range loads[i] {
			if o, _ := c.Operator(OperatorID(op + 1)); o.Load != want {
				t.Errorf("after %+v: %+v, want load %d", step.event, o, want)
			}
		}
		if c.LastTime() != step.at || c.Index() != uint64(12+i) {
			t.Errorf("time %d and index %d", c.LastTime(), c.Index())
		}
	}
}

// Catches a contact that is closed before it was assigned, or assigned before it was created: grants carry the time of
// the release that made them.
func TestApplyKeepsTimesInOrder(t *testing.T) {
	c := smallCatalog(t)
	apply(t, c, 5, &ContactAssigned{ID: 1, Source: 1, Operator: 1, How: Automatic, Among: Among{Kind: Alone}})
	if got, _ := c.Contact(1); got.AssignedAt != 60 || c.LastTime() != 80 {
		t.Errorf("assigned at %d, last time %d", got.AssignedAt, c.LastTime())
	}
	apply(t, c, 5, &ContactClosed{ID: 1, Source: 1, Operator: 1})
	if got, _ := c.Contact(1); got.ClosedAt != 60 {
		t.Errorf("closed at %d", got.ClosedAt)
	}
	apply(t, c, 5, &ContactClosed{ID: 2, Source: 1, Operator: 1})
	if got, _ := c.Contact(2); got.ClosedAt != 70 {
		t.Errorf("closed at %d, assigned at %d", got.ClosedAt, got.AssignedAt)
	}
}

// Catches a change that touches more than it names, and links that do not follow their events.
func TestApplyChanges(t *testing.T) {
	c := smallCatalog(t)
	apply(t, c, 90, &OperatorChanged{ID: 1, Name: "eve", Active: false, MaxLoad: 0},
		&SourceChanged{ID: 2, Name: "post", Backlog: BacklogAuto}, &LeadChanged{ID: 1, Name: ptr("")},
		&LinkSet{Source: 1, Operator: 2, Weight: 7}, &LinkRemoved{Source: 1, Operator: 1})
	o, _ := c.Operator(1)
	if want := (Operator{ID: 1, Name: "eve", Load: 1, CreatedAt: 10}); o != want {
		t.Errorf("got %+v, want %+v", o, want)
	}
	s, _ := c.Source(2)
	if want := (Source{ID: 2, Name: "post", Backlog: BacklogAuto, CreatedAt: 30}); s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	apply(t, c, 91, &LeadChanged{ID: 1, Phone: ptr("2")})
	lead, _ := c.LeadByEmail("a@example.com")
	if want := (Lead{ID: 1, Email: "a@example.com", Phone: "2", CreatedAt: 50}); lead != want {
		t.Errorf("got %+v", lead)
	}
	links, _ := c.Links(1, 0, 10)
	if len(links) != 1 || links[0].Operator != 2 || links[0].Weight != 7 || links[0].Weights != 7 {
		t.Errorf("got %+v", links)
	}
}

// Catches ids that are given twice, or taken from a contact that commits late: sources commit in any order.
func TestApplyContactsOutOfOrder(t *testing.T) {
	c := smallCatalog(t)
	for _, id := range []ContactID{9, 2000, 5, 4} {
		apply(t, c, 90, &ContactCreated{ID: id, Source: 2, Lead: 1})
	}
	for id, want := range map[ContactID]bool{4: true, 5: true, 6: false, 9: true, 1999: false, 2000: true, 2001: false} {
		if got, found := c.Contact(id); found != want || found && got.ID != id {
			t.Errorf("contact %d: found is %v", id, found)
		}
	}
	if next := c.NextContact(); next != 2001 {
		t.Errorf("the next contact is %d", next)
	}
	if err := c.Apply(Record{Events: []Event{&ContactCreated{ID: 9, Source: 1, Lead: 1}}}); err == nil {
		t.Error("contact 9 was created twice")
	}
}

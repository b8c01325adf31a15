package domain

import (
	"fmt"
	"slices"
	"testing"
)

// said applies an event that somebody commanded.
func said(t *testing.T, c *Catalog, at Time, by string, events ...Event) {
	t.Helper()
	if err := c.Apply(Record{At: at, By: by, Events: events}); err != nil {
		t.Fatal(err)
	}
}

// Catches a step that is lost, that names the wrong people, or that says a wrong time or way: a life with everything.
func TestHistoryOfALongLife(t *testing.T) {
	c := smallCatalog(t)
	said(t, c, 100, "gateway", &ContactCreated{ID: 4, Source: 1, Lead: 1}, &ContactAssigned{ID: 4, Source: 1, Operator: 1, How: Automatic, Among: Among{Kind: Alone}})
	said(t, c, 110, "ann", &ContactAssigned{ID: 4, Source: 1, Operator: 2, From: 1, How: Forced})
	said(t, c, 120, "ann", &ContactReleased{ID: 4, Source: 1, Operator: 2})
	said(t, c, 115, "", &ContactAssigned{ID: 4, Source: 1, Operator: 1, How: Automatic, Among: Among{Kind: Alone}}) // by a grant of 115
	said(t, c, 130, "bob", &ContactClosed{ID: 4, Source: 1, Operator: 1, Reason: "solved"})
	said(t, c, 140, "ann", &ContactReopened{ID: 4, Source: 1, Priority: 2})
	said(t, c, 150, "bob", &ContactClosed{ID: 4, Source: 1, Reason: "spam"})
	var got []string
	contact, _ := c.Contact(4)
	for _, s := range contact.History() {
		got = append(got, fmt.Sprintf("%d %s %s by %s from %d to %d %s", s.At, s.Kind.Name(), s.How.Name(), c.NameOf(s.By), s.From, s.To, s.Reason))
	}
	want := []string{
		"100 created  by gateway from 0 to 0 ",
		"100 assigned automatic by gateway from 0 to 1 ",
		"110 assigned forced by ann from 1 to 2 ",
		"120 released  by ann from 2 to 0 ",
		"120 assigned automatic by  from 0 to 1 ",
		"130 closed  by bob from 1 to 0 solved",
		"140 reopened  by ann from 0 to 0 ",
		"150 closed  by bob from 0 to 0 spam",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got := len(c.names.list); got != 3 {
		t.Errorf("%d names are kept", got)
	}
}

// Catches a history that grows without a bound, or loses its end.
func TestHistoryIsBounded(t *testing.T) {
	c := smallCatalog(t)
	apply(t, c, 90, &LinkSet{Source: 1, Operator: 2, Weight: 1})
	frozen := c.Freeze()
	for i := range 2 * maxPast {
		from := OperatorID(1 + i%2)
		apply(t, c, Time(100+i), &ContactAssigned{ID: 2, Source: 1, Operator: 3 - from, From: from, How: Forced})
	}
	contact, _ := c.Contact(2)
	steps := contact.History()
	if len(steps) != maxPast+2 || steps[0].Kind != StepCreated || steps[len(steps)-1].To != 1 || steps[len(steps)-1].From != 2 {
		t.Errorf("%d steps, the last %+v", len(steps), steps[len(steps)-1])
	}
	for i, s := range steps[2:] {
		if s.At != steps[1].At+Time(i+1) {
			t.Fatalf("step %d is at %d", i+2, s.At)
		}
	}
	thawed, err := thaw(c.Freeze())
	if err != nil {
		t.Fatal(err)
	}
	if err := thawed.Same(c); err != nil {
		t.Error(err)
	}
	for old := range frozen.Contacts() {
		if len(old.Past()) != 0 {
			t.Errorf("the frozen view has a past of later: %+v", old.Past())
		}
	}
}

// Catches words of a person that outlive the person.
func TestHistoryForgetsWords(t *testing.T) {
	c := smallCatalog(t)
	for id := ContactID(1); id <= 2; id++ {
		apply(t, c, 90, &ContactClosed{ID: id, Source: 1, Operator: OperatorID(id - 1), Reason: "his mother called"})
	}
	apply(t, c, 91, &ContactReopened{ID: 2, Source: 1})
	apply(t, c, 92, &ContactClosed{ID: 2, Source: 1, Reason: "again"})
	frozen := c.Freeze()
	apply(t, c, 93, &LeadErased{ID: 1})
	for id := ContactID(1); id <= 3; id++ {
		contact, _ := c.Contact(id)
		for _, s := range contact.History() {
			if s.Reason != "" || contact.Text != "" {
				t.Errorf("contact %d: %+v", id, s)
			}
		}
	}
	words := 0
	for old := range frozen.Contacts() {
		for _, s := range old.History() {
			words += len(s.Reason)
		}
	}
	if words != 2*len("his mother called")+len("again") {
		t.Errorf("the frozen view has %d bytes of reasons", words)
	}
}

// Catches a list of names that grows without a bound, or an id that means another name.
func TestNamesAreBounded(t *testing.T) {
	var n names
	for i := range maxNames {
		if id := n.id(fmt.Sprint(i)); int(id) != i+1 {
			t.Fatalf("name %d has id %d", i, id)
		}
	}
	if n.id("") != 0 || n.id("one more") != 0 || n.id("7") != 8 || len(n.list) != maxNames {
		t.Errorf("%d names", len(n.list))
	}
	c := NewCatalog()
	c.names = n
	if c.NameOf(0) != "" || c.NameOf(1) != "0" || c.NameOf(maxNames) != fmt.Sprint(maxNames-1) || c.NameOf(maxNames+1) != "" {
		t.Error("an id means another name")
	}
}

// Catches a blank that is not filled in, or a word of an admin that is overwritten.
func TestFill(t *testing.T) {
	c := smallCatalog(t)
	apply(t, c, 90, &LeadCreated{ID: 2, Email: "b@example.com"}, &LeadCreated{ID: 3, Email: "c@example.com", Name: "carl"})
	r := c.Registry()
	text := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	filled := func(e *LeadChanged, lead LeadID) string {
		if e == nil {
			return "- -"
		}
		if e.ID != lead || e.Name == nil && e.Phone == nil {
			t.Errorf("got %+v for lead %d", *e, lead)
		}
		return text(e.Name) + " " + text(e.Phone)
	}
	for i, step := range []struct {
		lead        LeadID
		name, phone string
		want        string
	}{
		{1, "x", "2", "- -"}, // both are set
		{2, "", "", "- -"},   // nothing to fill in
		{2, "bob", "", "bob -"},
		{2, "rob", "3", "- 3"},
		{2, "rob", "4", "- -"},
		{3, "x", "5", "- 5"},
		{100, "x", "5", "- -"}, // never was
	} {
		if got := filled(r.Fill(step.lead, step.name, step.phone), step.lead); got != step.want {
			t.Errorf("step %d: got %s, want %s", i, got, step.want)
		}
	}
	r.Note(1, ptr(""), nil) // an admin empties the name, and sets the phone
	r.Note(2, nil, ptr("6"))
	for lead, want := range map[LeadID]string{1: "y -", 2: "- -"} {
		if got := filled(r.Fill(lead, "y", "7"), lead); got != want {
			t.Errorf("lead %d: got %s, want %s", lead, got, want)
		}
	}
	id := r.Add(NewLead{Email: "d@example.com", Phone: "8"})
	if got := filled(r.Fill(id, "dora", "9"), id); got != "dora -" {
		t.Errorf("a new lead: got %s", got)
	}
	for id := LeadID(5); id < 200; id++ { // many words of bits
		r.Add(NewLead{Email: fmt.Sprint(id), Name: map[bool]string{true: "x"}[id%3 == 0]})
	}
	for id := LeadID(5); id < 200; id++ {
		if changed := r.Fill(id, "y", ""); (changed == nil) != (id%3 == 0) {
			t.Errorf("lead %d: got %+v", id, changed)
		}
	}
}

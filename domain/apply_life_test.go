package domain

import (
	"fmt"
	"strings"
	"testing"
)

// Catches a record of a contact's later life, or of a delete, that does not fit and is swallowed.
func TestApplyRefusesMisfitsOfLife(t *testing.T) {
	deleted := func(events ...Event) []Event {
		return append([]Event{
			&ContactClosed{ID: 1, Source: 1}, &ContactClosed{ID: 2, Source: 1, Operator: 1},
			&SourceDeleted{ID: 1}, &OperatorDeleted{ID: 1},
		}, events...)
	}
	for _, c := range []struct {
		name   string
		events []Event
	}{
		{"active and draining", []Event{&OperatorCreated{ID: 3, Active: true, Draining: true}}},
		{"changed to active and draining", []Event{&OperatorChanged{ID: 1, Active: true, Draining: true}}},
		{"delete of no operator", []Event{&OperatorDeleted{ID: 3}}},
		{"delete of who has contacts", []Event{&OperatorDeleted{ID: 1}}},
		{"delete of who is linked", []Event{&OperatorDeleted{ID: 2}}},
		{"operator deleted twice", deleted(&OperatorDeleted{ID: 1})},
		{"change of who was deleted", deleted(&OperatorChanged{ID: 1})},
		{"link of who was deleted", deleted(&LinkSet{Source: 2, Operator: 1, Weight: 1})},
		{"operator created again", deleted(&OperatorCreated{ID: 1})},
		{"delete of no source", []Event{&SourceDeleted{ID: 3}}},
		{"delete of a source with live contacts", []Event{&SourceDeleted{ID: 1}}},
		{"source deleted twice", deleted(&SourceDeleted{ID: 1})},
		{"change of a source that was deleted", deleted(&SourceChanged{ID: 1})},
		{"link of a source that was deleted", deleted(&LinkSet{Source: 1, Operator: 2, Weight: 1})},
		{"unlink of a source that was deleted", deleted(&LinkRemoved{Source: 1, Operator: 2})},
		{"contact of a source that was deleted", deleted(&ContactCreated{ID: 4, Source: 1, Lead: 1})},
		{"reopening in a source that was deleted", deleted(&ContactReopened{ID: 1, Source: 1})},
		{"source created again", deleted(&SourceCreated{ID: 1})},
		{"release of no contact", []Event{&ContactReleased{ID: 4, Source: 1, Operator: 1}}},
		{"release in another source", []Event{&ContactReleased{ID: 2, Source: 2, Operator: 1}}},
		{"release by who does not hold it", []Event{&ContactReleased{ID: 2, Source: 1, Operator: 2}}},
		{"release by nobody", []Event{&ContactReleased{ID: 1, Source: 1}}},
		{"release of a closed contact", []Event{&ContactReleased{ID: 3, Source: 1, Operator: 1}}},
		{"reopening of no contact", []Event{&ContactReopened{ID: 4, Source: 1}}},
		{"reopening in another source", []Event{&ContactReopened{ID: 3, Source: 2}}},
		{"reopening of an open contact", []Event{&ContactReopened{ID: 1, Source: 1}}},
		{"reopening of an assigned contact", []Event{&ContactReopened{ID: 2, Source: 1}}},
		{"reopening past the highest priority", []Event{&ContactReopened{ID: 3, Source: 1, Priority: MaxPriority + 1}}},
		{"reopening of an archived contact", []Event{&ContactsArchived{Day: 1, IDs: []ContactID{3}}, &ContactReopened{ID: 3, Source: 1}}},
		{"reopening for who was erased", []Event{
			&ContactClosed{ID: 1, Source: 1}, &ContactClosed{ID: 2, Source: 1, Operator: 1}, &LeadErased{ID: 1}, &ContactReopened{ID: 3, Source: 1},
		}},
		{"priority of an assigned contact", []Event{&ContactPrioritised{ID: 2, Source: 1, Priority: 1}}},
		{"priority of a closed contact", []Event{&ContactPrioritised{ID: 3, Source: 1, Priority: 1}}},
		{"priority past the highest", []Event{&ContactPrioritised{ID: 1, Source: 1, Priority: MaxPriority + 1}}},
		{"created past the highest priority", []Event{&ContactCreated{ID: 4, Source: 1, Lead: 1, Priority: MaxPriority + 1}}},
		{"draw of no source", []Event{&OperatorDrawn{Source: 3, Operator: 1, Among: Among{Kind: Alone}}}},
		{"draw of who is not linked", []Event{&OperatorDrawn{Source: 2, Operator: 1, Among: Among{Kind: Alone}}}},
		{"draw at weight 0", []Event{&OperatorDrawn{Source: 1, Operator: 2, Among: Among{Kind: Alone}}}},
		{"draw without a charge", []Event{&OperatorDrawn{Source: 1, Operator: 1}}},
	} {
		err := smallCatalog(t).Apply(Record{At: 90, Events: c.events})
		if err == nil || !strings.Contains(err.Error(), "record 12: ") {
			t.Errorf("%s: got %v, want an error that names record 12", c.name, err)
		}
	}
	if err := smallCatalog(t).Apply(Record{At: 90, Events: deleted()}); err != nil {
		t.Errorf("a good delete: %v", err)
	}
}

// Catches a field of a later life that is dropped, and a load or a backlog that does not follow.
func TestApplyLife(t *testing.T) {
	c := smallCatalog(t)
	steps := []struct {
		event Event
		at    Time
		want  Contact
		load  int
	}{
		{&ContactReleased{ID: 2, Source: 1, Operator: 1}, 100,
			Contact{ID: 2, Source: 1, Lead: 1, Status: StatusOpen, Avoid: 1, CreatedAt: 70}, 0},
		{&ContactPrioritised{ID: 2, Source: 1, Priority: 3}, 110,
			Contact{ID: 2, Source: 1, Lead: 1, Status: StatusOpen, Avoid: 1, Priority: 3, CreatedAt: 70}, 0},
		{&ContactAssigned{ID: 2, Source: 1, Operator: 1, How: Sticky, Among: Among{Kind: Alone}}, 120,
			Contact{ID: 2, Source: 1, Lead: 1, Status: StatusAssigned, Operator: 1, How: Sticky, Priority: 3, CreatedAt: 70, AssignedAt: 120}, 1},
		{&ContactClosed{ID: 2, Source: 1, Operator: 1, Reason: "solved"}, 130,
			Contact{ID: 2, Source: 1, Lead: 1, Status: StatusClosed, Operator: 1, How: Sticky, Priority: 3, Reason: "solved", CreatedAt: 70, AssignedAt: 120, ClosedAt: 130}, 0},
		{&ContactReopened{ID: 2, Source: 1, Priority: 4}, 140,
			Contact{ID: 2, Source: 1, Lead: 1, Status: StatusOpen, Priority: 4, CreatedAt: 70}, 0},
		{&ContactClosed{ID: 2, Source: 1}, 150,
			Contact{ID: 2, Source: 1, Lead: 1, Status: StatusClosed, Priority: 4, CreatedAt: 70, ClosedAt: 150}, 0},
	}
	for _, step := range steps {
		apply(t, c, step.at, step.event)
		got, _ := c.Contact(2)
		got.Place, got.past = 0, nil
		if o, _ := c.Operator(1); got != step.want || o.Load != step.load {
			t.Errorf("after %+v: got %+v and load %d, want %+v and %d", step.event, got, o.Load, step.want, step.load)
		}
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
}

// Catches an auditor that looks away from a contact's later life. Each record is wrong in one way.
func TestAuditorNoticesWrongLives(t *testing.T) {
	for want, events := range map[string][]Event{
		"held by nobody":   {&ContactReleased{ID: 1, Source: 1, Operator: 1}},
		"held by another":  {&ContactReleased{ID: 2, Source: 1, Operator: 2}},
		"not closed":       {&ContactReopened{ID: 1, Source: 1}},
		"not open":         {&ContactPrioritised{ID: 2, Source: 1}},
		"weight 0":         {&OperatorDrawn{Source: 1, Operator: 2, Among: Among{Kind: Alone}}},
		"has contacts":     {&OperatorDeleted{ID: 1}},
		"is linked":        {&OperatorDeleted{ID: 2}},
		"is not closed":    {&SourceDeleted{ID: 1}},
		"sticky past full": {&OperatorChanged{ID: 1, Active: true, MaxLoad: 1}, &ContactAssigned{ID: 1, Source: 1, Operator: 1, How: Sticky, Among: Among{Kind: Alone}}},
		"sticky, draining": {&OperatorChanged{ID: 1, Draining: true, MaxLoad: 9}, &ContactAssigned{ID: 1, Source: 1, Operator: 1, How: Sticky, Among: Among{Kind: Alone}}},
	} {
		a := NewAuditor(smallCatalog(t))
		failed := false
		for _, e := range events {
			failed = a.event(e) != nil
		}
		if !failed {
			t.Errorf("%s: accepted", want)
		}
	}
	// A good one, and the questions that are asked at rest.
	c := smallCatalog(t)
	apply(t, c, 85, &LinkSet{Source: 1, Operator: 2, Weight: 1})
	a := NewAuditor(c)
	for _, events := range [][]Event{
		{&ContactClosed{ID: 1, Source: 1}},
		{&ContactReleased{ID: 2, Source: 1, Operator: 1}},
	} {
		if err := a.Record(Record{At: 90, Events: events}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Conserving(); err == nil || !strings.Contains(err.Error(), "contact 2 waits, and operator 1 is eligible") {
		t.Errorf("nobody else is active, so it may go back: %v", err)
	}
	for _, step := range []struct {
		changed *OperatorChanged
		want    string
	}{
		{&OperatorChanged{ID: 2, Active: true, MaxLoad: 0}, "<nil>"},
		{&OperatorChanged{ID: 2, Active: true, MaxLoad: 1}, "contact 2 waits, and operator 2 is eligible"},
		{&OperatorChanged{ID: 1, MaxLoad: 1}, "contact 2 waits, and operator 2 is eligible"},
		{&OperatorChanged{ID: 2, MaxLoad: 1}, "<nil>"},
		{&OperatorChanged{ID: 2, Draining: true, MaxLoad: 1}, "operator 2 is draining and holds nothing"},
	} {
		if err := a.Record(Record{At: 91, Events: []Event{step.changed}}); err != nil {
			t.Fatal(err)
		}
		if err := a.Conserving(); !strings.HasSuffix(fmt.Sprint(err), step.want) {
			t.Errorf("after %+v: %v", *step.changed, err)
		}
	}
}

// Catches a damaged snapshot of the new fields that becomes a wrong state.
func TestThawRefusesDamagedLives(t *testing.T) {
	build := func() *Catalog {
		c := smallCatalog(t)
		c.LimitKeys(1_000, 9)
		said(t, c, 90, "ann", &ContactReleased{ID: 2, Source: 1, Operator: 1}, keyed(4, "k"))
		return c
	}
	if _, err := thaw(build().Freeze()); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(*Frozen){
		"a name twice":           func(f *Frozen) { f.Names = []string{"ann", "ann"} },
		"a name that is empty":   func(f *Frozen) { f.Names = []string{""} },
		"a name that is missing": func(f *Frozen) { f.Names = nil },
		"a key of no contact":    func(f *Frozen) { f.keys.blocks[0][0].Contact = 99 },
		"a key that is none":     func(f *Frozen) { f.keys.blocks[0][0].Key = Key{} },
		"a trail of no source":   func(f *Frozen) { f.trails[0].source = 9 },
		"draining and active":    func(f *Frozen) { f.Operators[0].Draining = true },
		"linked and deleted":     func(f *Frozen) { f.Operators[0].Deleted = true },
		"links of a deleted one": func(f *Frozen) { f.Sources[0].Source.Deleted = true },
	} {
		f := build().Freeze()
		damage(f)
		if _, err := thaw(f); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, damage := range map[string]func(*Contact){
		"a priority too high":   func(c *Contact) { c.Priority = MaxPriority + 1 },
		"avoids nobody":         func(c *Contact) { c.Avoid = 9 },
		"avoids while assigned": func(c *Contact) { c.Status, c.Operator = StatusAssigned, 1 },
		"unknown way":           func(c *Contact) { c.How = Sticky + 1 },
		"closed by a stranger":  func(c *Contact) { c.ClosedBy = 9 },
		"a text too long":       func(c *Contact) { c.Text = strings.Repeat("x", MaxText+1) },
		"a reason too long":     func(c *Contact) { c.Reason = strings.Repeat("x", maxReasonBytes+1) },
		"a step of no kind":     func(c *Contact) { c.past = &[]Step{{}} },
		"a past too long":       func(c *Contact) { past := make([]Step, maxPast+1); c.past = &past },
	} {
		if _, err := thawDamaged(build().Freeze(), func(c *Contact) {
			if c.ID == 2 {
				damage(c)
			}
		}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

package domain

import "testing"

func figuresOf(t *testing.T, c *Catalog, id SourceID) SourceFigures {
	t.Helper()
	f, known := c.SourceFigures(id)
	if !known {
		t.Fatalf("source %d is not known", id)
	}
	return f
}

// Catches a reason that is not the first that holds, operators with weight 0 that count, and a deleted source that lives.
func TestWhyContactsAreOpen(t *testing.T) {
	c := smallCatalog(t)
	reason := func(want Why, eligible int) {
		t.Helper()
		if f := figuresOf(t, c, 1); f.Why != want || f.Eligible != eligible || f.Waiting != 1 {
			t.Errorf("%s, %d eligible, %d wait; want %s, %d, 1", f.Why.Name(), f.Eligible, f.Waiting, want.Name(), eligible)
		}
	}
	reason(WhyElsewhere, 1) // operator 1 has a free seat
	apply(t, c, 90, &SourceChanged{ID: 1, Name: "chat", Backlog: BacklogManual})
	reason(WhyManual, 1)
	apply(t, c, 91, &OperatorChanged{ID: 1, Name: "ann", Active: true, MaxLoad: 1})
	reason(WhyFull, 0)
	apply(t, c, 92, &OperatorChanged{ID: 1, Name: "ann", Draining: true, MaxLoad: 1})
	reason(WhyInactive, 0)
	apply(t, c, 93, &LinkSet{Source: 1, Operator: 1, Weight: 0})
	reason(WhyNoLink, 0)
	if f := figuresOf(t, c, 2); f.Why != WhyNoLink || f.Waiting != 0 || f.Since != 0 {
		t.Errorf("the source without links: %+v", f)
	}
	apply(t, c, 94, &SourceDeleted{ID: 2})
	if _, known := c.SourceFigures(2); known {
		t.Error("a deleted source has figures")
	}
}

// Catches a wait that counts the time before a release or reopening, one that is that of the head alone though somebody
// behind it waits longer, and one that forgets a priority.
func TestHowLongContactsWait(t *testing.T) {
	c := smallCatalog(t)
	since := func(want Time) {
		t.Helper()
		if f := figuresOf(t, c, 1); f.Since != want {
			t.Errorf("since %d, want %d", f.Since, want)
		}
	}
	since(60)
	apply(t, c, 100, &ContactCreated{ID: 4, Source: 1, Lead: 1, Priority: 9})
	since(60)
	apply(t, c, 110, &ContactClosed{ID: 1, Source: 1})
	since(100)
	apply(t, c, 120, &ContactReleased{ID: 2, Source: 1, Operator: 1})
	since(100)
	apply(t, c, 130, &ContactCreated{ID: 5, Source: 1, Lead: 1})
	apply(t, c, 140, &ContactReopened{ID: 1, Source: 1})
	apply(t, c, 150, &ContactClosed{ID: 4, Source: 1})
	since(120) // contact 1 is before 2, and waits since 140
	apply(t, c, 160, &ContactClosed{ID: 2, Source: 1})
	since(130) // behind two that are older
	if at := c.OpenSince(1); at != 140 {
		t.Errorf("contact 1 is open since %d, want 140", at)
	}
	if at := c.OpenSince(99); at != 0 {
		t.Errorf("a contact that never was is open since %d", at)
	}
}

// Catches a lag whose sign counts, and links or operators that are left out or shown after their end.
func TestFiguresOfLinksAndOperators(t *testing.T) {
	c := smallCatalog(t)
	apply(t, c, 90, &OperatorCreated{ID: 3, Name: "eve", Active: true, MaxLoad: 9})
	apply(t, c, 91, &LinkSet{Source: 1, Operator: 3, Weight: 15})
	set := make(Rows, 1)
	set.Add(0)
	set.Add(2)
	apply(t, c, 92, &ContactAssigned{ID: 1, Source: 1, Operator: 1, How: Automatic, Among: Among{Kind: SpelledSet, Rows: set}})
	if f := figuresOf(t, c, 1); f.MaxLag != One*3/4 { // operator 3 has earned three quarters of a contact
		t.Errorf("the largest lag is %v contacts", float64(f.MaxLag)/One)
	}
	var links []Link
	c.EachLink(1, func(l *Link, weights int64) {
		if links = append(links, *l); weights != 20 {
			t.Errorf("the weights are %d", weights)
		}
	})
	if len(links) != 3 || links[0].Received != 3 || links[2].Weight != 15 {
		t.Errorf("links %+v", links)
	}
	apply(t, c, 93, &LinkRemoved{Source: 1, Operator: 2})
	apply(t, c, 94, &OperatorDeleted{ID: 2})
	var ids []OperatorID
	c.EachOperator(func(o *Operator) { ids = append(ids, o.ID) })
	if len(ids) != 2 || ids[0] != 1 || ids[1] != 3 {
		t.Errorf("operators %v", ids)
	}
	c.EachLink(7, func(*Link, int64) { t.Error("a source that never was has a link") })
}

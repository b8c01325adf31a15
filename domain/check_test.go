package domain

import (
	"strings"
	"testing"
)

// Catches: a self-check that looks away.
func TestCheckNoticesEachDifference(t *testing.T) {
	if err := smallCatalog(t).Check(); err != nil {
		t.Fatalf("a good catalog: %v", err)
	}
	for want, damage := range map[string]func(*Catalog){
		"has load":             func(c *Catalog) { c.operators[0].Load++ },
		"under its status":     func(c *Catalog) { c.byStatus[StatusOpen].Remove(1) },
		"not in the backlog":   func(c *Catalog) { c.sources[1].backlog.Remove(RankOf(1, 0)) },
		"in its backlog":       func(c *Catalog) { c.sources[2].backlog.Add(1) },
		"lags":                 func(c *Catalog) { c.sources[1].ledger.rows[0].Lag++ },
		"the commit order":     func(c *Catalog) { c.contacts.edit(1).Place = 2 },
		"is not at place 1 of": func(c *Catalog) { *c.contacts.edit(1) = storedContact{} },
		"leads: page 0 has":    func(c *Catalog) { c.leads.words[0].dead++ },
		"contacts: page 0 has": func(c *Catalog) { c.contacts.edit(1).textAt = 1000 },
		"not behind the one":   func(c *Catalog) { c.linksAt(1).after = 3 },
		"another before it":    func(c *Catalog) { c.linksAt(3).before = 1 },
		"does not begin and":   func(c *Catalog) { c.chains.ends.edit(0).first = 2 },
	} {
		c := smallCatalog(t)
		damage(c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// Catches: an auditor that looks away. Each record is wrong in one way, and is not refused by Apply alone.
func TestAuditorNoticesWhatApplyAccepts(t *testing.T) {
	for want, events := range map[string][]Event{
		"cap: weight 0":      {&ContactAssigned{ID: 1, Source: 1, Operator: 2, How: Automatic}},
		"cap: not linked":    {&ContactAssigned{ID: 1, Source: 1, Operator: 3, How: Forced}},
		"without force":      {&ContactAssigned{ID: 1, Source: 1, Operator: 2, How: Manual}},
		"cap: weight 5":      {&OperatorChanged{ID: 1, Active: true, MaxLoad: 1}, &ContactAssigned{ID: 1, Source: 1, Operator: 1, How: Automatic}},
		"one lead per email": {&LeadCreated{ID: 2, Email: "a@example.com"}},
	} {
		c := smallCatalog(t)
		apply(t, c, 90, &OperatorCreated{ID: 3, Name: "eve", Active: true, MaxLoad: 1})
		a := NewAuditor(c)
		if err := a.Record(Record{At: 100, Events: events}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	c := smallCatalog(t)
	a := NewAuditor(c)
	if err := a.Conserving(); err == nil {
		t.Error("contact 1 waits for operator 1, and the auditor does not see it")
	}
	apply(t, c, 90, &ContactClosed{ID: 2, Source: 1, Operator: 1}) // past the auditor
	if err := a.Record(Record{At: 100, Events: []Event{&ContactAssigned{ID: 1, Source: 1, Operator: 1, How: Manual}}}); err == nil {
		t.Error("the loads differ, and the auditor does not see it")
	}
}

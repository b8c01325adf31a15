package domain

import (
	"strings"
	"testing"
)

const private = "PRIVATE"

// Catches: an error of the auditor that shows what is in an event, and one that does not say which event.
func TestAuditorKeepsPrivateWhatPeopleWrote(t *testing.T) {
	name := private
	for want, events := range map[string][]Event{
		"LeadCreated{ID:2}":                         {&LeadCreated{ID: 2, Email: "a@example.com", Name: private, Phone: private}},
		"LeadChanged{ID:1}":                         {&LeadErased{ID: 1}, &LeadChanged{ID: 1, Name: &name, Phone: &name}},
		"ContactCreated{ID:9 Source:1 Lead:7}":      {&ContactCreated{ID: 9, Source: 1, Lead: 7, Text: private}},
		"OperatorChanged{ID:8}":                     {&OperatorChanged{ID: 8, Name: private}},
		"ContactClosed{ID:1 Source:1 Operator:2}":   {&ContactClosed{ID: 1, Source: 1, Operator: 2}},
		"ContactAssigned{ID:1 Source:1 Operator:3 ": {&ContactAssigned{ID: 1, Source: 1, Operator: 3, How: Forced}},
	} {
		a := NewAuditor(smallCatalog(t))
		clear(a.contacts) // so that the erasure of lead 1 is legal
		err := a.Record(Record{At: 100, Events: events})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), private) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// Catches: a comparison that shows what people wrote, overlooks a difference, or does not say where it is.
func TestSameKeepsPrivateWhatPeopleWrote(t *testing.T) {
	for want, change := range map[string]func(*Catalog){
		"operators: Operator{ID:1} and Operator{ID:1} differ in Name": func(c *Catalog) { c.operators[0].Name = private },
		"sources: Source{ID:1} and Source{ID:1} differ in Name":       func(c *Catalog) { c.sources[1].Name = private },
		"leads: Lead{ID:1} and Lead{ID:1} differ in Name, Phone": func(c *Catalog) {
			c.writeLead(1, "a@example.com", private, private)
		},
		"differ in Text": func(c *Catalog) { c.writeText(c.contacts.edit(1), private) },
		"ledgers":        func(c *Catalog) { c.sources[1].ledger.rows[0].Lag++ },
		"operators: 3":   func(c *Catalog) { apply(t, c, 90, &OperatorCreated{ID: 3, Name: private}) },
	} {
		c := smallCatalog(t)
		change(c)
		err := c.Same(smallCatalog(t))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), private) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

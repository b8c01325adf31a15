package domain

import (
	"reflect"
	"testing"
)

// thaw builds a catalog from what a frozen one shows, as the reader of a snapshot does.
func thaw(f *Frozen) (*Catalog, error) { return thawDamaged(f, func(*Contact) {}) }

// thawDamaged does something to each contact on the way.
func thawDamaged(f *Frozen, damage func(*Contact)) (*Catalog, error) {
	c, err := Thaw(f.Progress, f.Operators, f.Sources)
	for _, name := range f.Names {
		if err == nil {
			err = c.AddName(name)
		}
	}
	for lead := range f.Leads() {
		if err == nil {
			err = c.AddLead(*lead)
		}
	}
	for contact := range f.Contacts() {
		if err == nil {
			damage(contact)
			err = c.AddContact(*contact)
		}
	}
	for run := range f.Forgotten() {
		if err == nil {
			err = c.AddArchived(*run)
		}
	}
	for use := range f.Keys() {
		if err == nil {
			err = c.AddKey(*use)
		}
	}
	for part := range f.Trails() {
		if err == nil {
			err = c.AddTrail(*part)
		}
	}
	if err == nil {
		err = c.Settle()
	}
	return c, err
}

// checkFrozen catches a field that a frozen state forgets, an index or ledger that is rebuilt otherwise, and a frozen
// view that changes while the catalog goes on: what was frozen some commands ago, and the records since, give the
// state of now.
func (w *world) checkFrozen() {
	w.t.Helper()
	if w.frozen == nil || len(w.log)%5 == 0 {
		w.frozen = w.catalog.Freeze()
	}
	c, err := thaw(w.frozen)
	if err != nil {
		w.t.Fatalf("thaw: %v", err)
	}
	c.LimitKeys(worldKeyWindow, worldMaxKeys)
	for _, r := range w.log[w.frozen.Progress.Index:] {
		if err := c.Apply(r); err != nil {
			w.t.Fatalf("after a thaw: %v", err)
		}
	}
	if got, want := dump(c), dump(w.catalog); !reflect.DeepEqual(got, want) {
		w.t.Fatalf("thawed:\n%+v\nwant:\n%+v", got, want)
	}
	if err := c.Same(w.catalog); err != nil {
		w.t.Fatalf("thawed: %v", err)
	}
}

// Catches: a damaged snapshot that becomes a wrong state.
func TestThawRefusesWhatCannotBe(t *testing.T) {
	good := smallCatalog(t).Freeze()
	if _, err := thaw(good); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(*Frozen){
		"operator out of order":  func(f *Frozen) { f.Operators[0].ID = 2 },
		"source twice":           func(f *Frozen) { f.Sources = append(f.Sources, f.Sources[0]) },
		"next source used":       func(f *Frozen) { f.Progress.NextSource = 1 },
		"next contact used":      func(f *Frozen) { f.Progress.NextContact = 1 },
		"link of nobody":         func(f *Frozen) { f.Sources[0].Ledger.Links[0].Operator = 99 },
		"lags that do not sum":   func(f *Frozen) { f.Sources[0].Ledger.Links[0].Lag++ },
		"weight out of range":    func(f *Frozen) { f.Sources[0].Ledger.Links[0].Weight = -1 },
		"set beyond the links":   func(f *Frozen) { f.Sources[0].Ledger.Spelled = Rows{1 << 60} },
		"far contacts":           func(f *Frozen) { f.Progress.NextContact = maxContacts + 1 },
		"places of nobody":       func(f *Frozen) { f.Progress.Places++ },
		"decision of the future": func(f *Frozen) { f.Sources[0].Ledger.Links[0].Last = 1 << 40 },
	} {
		f := smallCatalog(t).Freeze()
		damage(f)
		if _, err := thaw(f); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, place := range []uint32{9, 1<<32 - 1} {
		c, err := thaw(smallCatalog(t).Freeze())
		if err != nil {
			t.Fatal(err)
		}
		c.nextIDs.contact, c.thawed = 100, 0
		if err := c.AddContact(Contact{ID: 4, Source: 1, Lead: 1, Status: StatusOpen, Place: place}); err != nil {
			t.Fatal(err)
		}
		if err := c.Settle(); err == nil || cap(c.order) > 100 {
			t.Errorf("place %d: %v, and room for %d places", place, err, cap(c.order))
		}
	}
	contacts := []Contact{
		{ID: 4, Source: 99, Lead: 1, Status: StatusOpen},
		{ID: 4, Source: 1, Lead: 99, Status: StatusOpen},
		{ID: 1, Source: 1, Lead: 1, Status: StatusOpen},
		{ID: 4, Source: 1, Lead: 1, Status: StatusAssigned},
		{ID: 4, Source: 1, Lead: 1, Status: StatusAssigned, Operator: 99},
		{ID: 4, Source: 1, Lead: 1, Status: 7},
	}
	for _, n := range contacts {
		f := smallCatalog(t).Freeze()
		f.Progress.NextContact = 100
		c, err := thaw(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddContact(n); err == nil {
			t.Errorf("accepted %+v", n)
		}
	}
}

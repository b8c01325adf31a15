package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"minicrm/domain"
)

// shadowOf is a copy of a catalog.
func shadowOf(c *domain.Catalog) *domain.Catalog {
	f := c.Freeze()
	copied, err := domain.Thaw(f.Progress, f.Operators, f.Sources)
	for lead := range f.Leads() {
		err = errors.Join(err, copied.AddLead(*lead))
	}
	for _, name := range f.Names {
		err = errors.Join(err, copied.AddName(name))
	}
	for contact := range f.Contacts() {
		err = errors.Join(err, copied.AddContact(*contact))
	}
	for run := range f.Forgotten() {
		err = errors.Join(err, copied.AddArchived(*run))
	}
	for use := range f.Keys() {
		err = errors.Join(err, copied.AddKey(*use))
	}
	for part := range f.Trails() {
		err = errors.Join(err, copied.AddTrail(*part))
	}
	if err = errors.Join(err, copied.Settle()); err != nil {
		panic(err)
	}
	return copied
}

// state is all of a catalog, in a form that can be compared.
type state struct {
	Progress  domain.Progress
	Operators []domain.Operator
	Loads     []domain.Operator
	Sources   []domain.FrozenSource
	Leads     []domain.Lead
	Contacts  []domain.Contact
	Archived  []domain.ArchivedRun
	Names     []string
	Keys      []domain.KeyUse
	Trails    []domain.TrailPart
	Desks     []domain.DeskState
}

func stateOf(c *domain.Catalog) state {
	f := c.Freeze()
	s := state{Progress: f.Progress, Operators: f.Operators, Sources: f.Sources, Names: f.Names}
	s.Loads, _ = c.Operators(0, len(f.Operators)+1)
	for l := range f.Leads() {
		s.Leads = append(s.Leads, *l)
	}
	for n := range f.Contacts() {
		s.Contacts = append(s.Contacts, *n)
	}
	for run := range f.Forgotten() {
		s.Archived = append(s.Archived, *run)
	}
	for use := range f.Keys() {
		s.Keys = append(s.Keys, *use)
	}
	for part := range f.Trails() {
		s.Trails = append(s.Trails, *part)
	}
	for _, d := range c.Desks(domain.NewFloor(nil, nil).For) {
		desk := d.State()
		desk.Links = noneIsNil(desk.Links)
		s.Desks = append(s.Desks, desk)
	}
	return s
}

// noneIsNil makes equal what is equal to everybody but reflect.
func noneIsNil[T any](all []T) []T {
	if len(all) == 0 {
		return nil
	}
	return all
}

// mustEqual compares two catalogs field by field.
func mustEqual(t rapid.TB, what string, got, want *domain.Catalog) {
	t.Helper()
	g, w := reflect.ValueOf(stateOf(got)), reflect.ValueOf(stateOf(want))
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Fatalf("%s: %s is\n%+v\ninstead of\n%+v", what, g.Type().Field(i).Name, g.Field(i).Interface(), w.Field(i).Interface())
		}
	}
	if err := errors.Join(got.Check(), got.Same(want)); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Catches: a kind of event, or of assignment, that the histories do not make, so that no test here meets it.
func TestHistoriesHaveEverything(t *testing.T) {
	h := newHistory(rand.New(rand.NewPCG(2, 2)), domain.NewCatalog())
	for range 3000 {
		h.step()
	}
	have := map[string]int{}
	for _, r := range h.take() {
		for _, e := range r.Events {
			have[kindName(e)]++
			switch e := e.(type) {
			case *domain.ContactAssigned:
				have[e.How.Name()]++
				have[fmt.Sprint("set kind ", e.Among.Kind)]++
				have[fmt.Sprint("transfer ", e.From != 0)]++
			case *domain.ContactCreated:
				have[fmt.Sprint("key ", e.Key.Given())]++
			case *domain.OperatorChanged:
				have[fmt.Sprint("draining ", e.Draining)]++
			}
		}
	}
	want := []string{"automatic", "manual", "forced", "sticky", "transfer true", "key true", "draining true"}
	for kind := range domain.SpelledSet + 1 {
		want = append(want, fmt.Sprint("set kind ", kind))
	}
	for _, e := range eventKinds() {
		want = append(want, kindName(e))
	}
	for _, what := range want {
		if have[what] == 0 {
			t.Errorf("no %s in %v", what, have)
		}
	}
	t.Log(have)
}

// features are what a snapshot may have and seldom has.
func features(c *domain.Catalog) map[string]bool {
	has := map[string]bool{}
	note := func(what string, yes bool) { has[what] = has[what] || yes }
	f := c.Freeze()
	note("names", len(f.Names) > 0)
	note("keys", f.KeyCount() > 0)
	for _, o := range f.Operators {
		note("a deleted operator", o.Deleted)
		note("a draining operator", o.Draining)
		note("an external id", o.ExternalID != "" && o.Username != "")
	}
	for _, s := range f.Sources {
		note("a deleted source", s.Source.Deleted)
		note("limits of a source", s.Source.BacklogLimit > 0 && s.Source.StickyWindow > 0)
		for _, l := range s.Ledger.Links {
			note("a count of sticky ones", l.Sticky > 0)
			note("a count of manual ones", l.Manual > 0)
		}
	}
	for n := range f.Contacts() {
		note("an operator to avoid", n.Avoid != 0)
		note("a reason", n.Reason != "")
		note("a priority", n.Priority > 0)
		note("past steps", len(n.Past()) > 0)
	}
	for range f.Forgotten() {
		note("archived contacts", true)
	}
	for part := range f.Trails() {
		for _, s := range part.Steps {
			note("an eligible set", s.Set != nil)
			note("an operator alone", s.Charged && s.Set == nil)
			note("an operator who is not eligible", s.Out != nil && s.Out.Inactive.Count()+s.Out.Draining.Count() > 0)
		}
	}
	return has
}

// Catches: a seed of the fuzz target, or a golden snapshot, that lacks what snapshots have.
func TestSmallSnapshotHasEverything(t *testing.T) {
	file := smallSnapshot(t)
	c, _, err := readSnapshot(bytes.NewReader(file), int64(len(file)), func(int64) {})
	must(t, err)
	for what, has := range features(c) {
		if !has {
			t.Errorf("without %s", what)
		}
	}
}

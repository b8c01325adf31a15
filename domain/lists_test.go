package domain

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// history is a random journal and what a naive reader knows of it: places in commit order.
type history struct {
	*Catalog
	t        *rapid.T
	contacts []ContactID // by place
	pending  []ContactID // ids given, not committed yet: sources commit in any order
	next     ContactID
	links    map[SourceID][]OperatorID // by the time of linking
}

func newHistory(t *rapid.T) *history {
	h := &history{Catalog: NewCatalog(), t: t, next: 1, links: map[SourceID][]OperatorID{}}
	h.AddOperator(t)
	h.AddSource(t)
	h.AddLead(t)
	return h
}

func (h *history) commit(e Event) {
	if err := h.Apply(Record{At: 1, Events: []Event{e}}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) operator(t *rapid.T) OperatorID {
	return OperatorID(rapid.IntRange(1, len(h.operators)).Draw(t, "operator"))
}

func (h *history) source(t *rapid.T) SourceID {
	return rapid.SampledFrom(h.sourceIDs).Draw(t, "source")
}

func (h *history) lead(t *rapid.T) LeadID {
	id := LeadID(rapid.IntRange(1, h.leadCount).Draw(t, "lead"))
	if lead, _ := h.Lead(id); lead.Erased() {
		t.Skip("erased")
	}
	return id
}

func (h *history) AddOperator(t *rapid.T) {
	h.commit(&OperatorCreated{ID: h.NextOperator(), Active: rapid.Bool().Draw(t, "active"), MaxLoad: rapid.IntRange(0, 3).Draw(t, "max load")})
}

// AddSource leaves gaps: a source's id may be given and never committed.
func (h *history) AddSource(t *rapid.T) {
	h.commit(&SourceCreated{ID: h.NextSource() + SourceID(rapid.IntRange(0, 1).Draw(t, "gap")), Backlog: BacklogAuto})
}

func (h *history) AddLead(*rapid.T) {
	id := LeadID(h.leadCount + 1)
	h.commit(&LeadCreated{ID: id, Email: fmt.Sprint(id, "@example.com")})
}

func (h *history) AddContact(t *rapid.T) {
	for range rapid.IntRange(1, 8).Draw(t, "n") {
		for len(h.pending) < 4 {
			h.pending = append(h.pending, h.next)
			h.next++
		}
		i := rapid.IntRange(0, len(h.pending)-1).Draw(t, "which")
		id := h.pending[i]
		h.pending = slices.Delete(h.pending, i, i+1)
		h.commit(&ContactCreated{ID: id, Source: h.source(t), Lead: h.lead(t)})
		h.contacts = append(h.contacts, id)
	}
}

// AssignContact also moves contacts from one operator to another.
func (h *history) AssignContact(t *rapid.T) {
	c, op := h.live(t), h.operator(t)
	if !slices.Contains(h.links[c.Source], op) {
		h.links[c.Source] = append(h.links[c.Source], op)
		h.commit(&LinkSet{Source: c.Source, Operator: op})
	}
	h.commit(&ContactAssigned{ID: c.ID, Source: c.Source, Operator: op, From: c.Operator, How: Manual})
}

func (h *history) CloseContact(t *rapid.T) {
	c := h.live(t)
	h.commit(&ContactClosed{ID: c.ID, Source: c.Source, Operator: c.Operator})
}

// live draws a contact that is not closed.
func (h *history) live(t *rapid.T) Contact {
	if len(h.contacts) == 0 {
		t.Skip("no contact yet")
	}
	c, _ := h.Contact(rapid.SampledFrom(h.contacts).Draw(t, "contact"))
	if c.ID == 0 || c.Status == StatusClosed {
		t.Skip("closed")
	}
	return c
}

func (h *history) Link(t *rapid.T) {
	source, op := h.source(t), h.operator(t)
	if !slices.Contains(h.links[source], op) {
		h.links[source] = append(h.links[source], op)
	}
	h.commit(&LinkSet{Source: source, Operator: op, Weight: rapid.Int64Range(0, 5).Draw(t, "weight")})
}

func (h *history) Unlink(t *rapid.T) {
	source := h.source(t)
	if len(h.links[source]) == 0 {
		t.Skip("no link")
	}
	op := rapid.SampledFrom(h.links[source]).Draw(t, "linked")
	h.links[source] = slices.DeleteFunc(h.links[source], func(other OperatorID) bool { return other == op })
	h.commit(&LinkRemoved{Source: source, Operator: op})
}

// naivePage is the page of all items that follow a cursor; place says where in commit order an item lies.
func naivePage[T any](all []T, place func(int) uint64, after uint64, limit int) (items []T, next uint64) {
	for i, item := range all {
		if place(i) <= after {
			continue
		}
		if len(items) == limit {
			return items, next
		}
		items, next = append(items, item), place(i)
	}
	return items, 0
}

func samePage[T any](t *rapid.T, name string, got []T, gotNext uint64, want []T, wantNext uint64) {
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) || gotNext != wantNext {
		t.Fatalf("%s:\ngot  %+v, next %d\nwant %+v, next %d", name, got, gotNext, want, wantNext)
	}
}

// pollContacts is one page of a reader who keeps its cursor while the catalog changes.
func (h *history) pollContacts(t *rapid.T, f ContactFilter, after uint64) (next uint64) {
	var all []Contact
	var places []uint64
	for i, id := range h.contacts {
		c, there := h.Contact(id)
		if there && (f.Status == 0 || c.Status == f.Status) && (f.Source == 0 || c.Source == f.Source) &&
			(f.Operator == 0 || c.Operator == f.Operator) && (f.Lead == 0 || c.Lead == f.Lead) {
			all, places = append(all, c), append(places, uint64(i+1))
		}
	}
	limit := rapid.IntRange(1, 6).Draw(t, "limit")
	want, wantNext := naivePage(all, func(i int) uint64 { return places[i] }, after, limit)
	got, next := h.Contacts(f, after, limit)
	samePage(t, fmt.Sprintf("contacts %+v after %d, limit %d", f, after, limit), got, next, want, wantNext)
	return next
}

func (h *history) filter(t *rapid.T) (f ContactFilter) {
	some := func(label string) bool { return rapid.IntRange(0, 2).Draw(t, label) == 0 }
	if some("by status") {
		f.Status = rapid.SampledFrom([]Status{StatusOpen, StatusAssigned, StatusClosed}).Draw(t, "status")
	}
	if some("by source") {
		f.Source = SourceID(rapid.IntRange(1, int(h.NextSource())).Draw(t, "source")) // some do not exist
	}
	if some("by operator") {
		f.Operator = OperatorID(rapid.IntRange(1, len(h.operators)+1).Draw(t, "operator"))
	}
	if some("by lead") {
		f.Lead = LeadID(rapid.IntRange(1, h.leadCount+1).Draw(t, "lead"))
	}
	return f
}

// pollOthers reads a page of each other list.
func (h *history) pollOthers(t *rapid.T) {
	after, limit := rapid.Uint64Range(0, 12).Draw(t, "after"), rapid.IntRange(1, 4).Draw(t, "limit")
	position := func(i int) uint64 { return uint64(i + 1) }
	thawed, err := thaw(h.Freeze())
	if err == nil {
		err = thawed.Same(h.Catalog)
	}
	if err == nil {
		err = thawed.Check()
	}
	if err != nil {
		t.Fatalf("thawed: %v", err)
	}
	var operators []Operator
	for id := range h.operators {
		o, _ := h.Operator(OperatorID(id + 1))
		operators = append(operators, o)
	}
	got, next := h.Operators(after, limit)
	want, wantNext := naivePage(operators, position, after, limit)
	samePage(t, "operators", got, next, want, wantNext)

	var sources []Source
	for _, id := range h.SourceIDs() {
		s, _ := h.Source(id)
		sources = append(sources, s)
	}
	gotSources, next := h.Sources(after, limit)
	wantSources, wantNext := naivePage(sources, position, after, limit)
	samePage(t, "sources", gotSources, next, wantSources, wantNext)

	var leads []Lead
	for id := range h.leadCount {
		if lead, _ := h.Lead(LeadID(id + 1)); !lead.Erased() {
			leads = append(leads, lead)
		}
	}
	gotLeads, next := h.Leads(after, limit)
	wantLeads, wantNext := naivePage(leads, func(i int) uint64 { return uint64(leads[i].ID) }, after, limit)
	samePage(t, "leads", gotLeads, next, wantLeads, wantNext)

	source := h.source(t)
	var links []LinkView
	for _, op := range h.links[source] {
		v, _ := h.Catalog.Link(source, op)
		links = append(links, v)
	}
	if !slices.IsSortedFunc(links, func(a, b LinkView) int { return cmp.Compare(a.Seq, b.Seq) }) {
		t.Fatalf("links are not numbered in order of linking: %+v", links)
	}
	gotLinks, next := h.Links(source, after, limit)
	wantLinks, wantNext := naivePage(links, func(i int) uint64 { return links[i].Seq }, after, limit)
	samePage(t, "links", gotLinks, next, wantLinks, wantNext)
}

// Catches a page that misses, repeats or reorders items, or a wrong cursor, under any filters and limit, also while
// items come in and change their status between pages.
func TestListsAgainstNaiveScan(t *testing.T) {
	property(t, 150, 100, func(t *rapid.T) {
		h := newHistory(t)
		var f ContactFilter
		var after uint64
		actions := map[string]func(*rapid.T){
			"new poll":  func(t *rapid.T) { f, after = h.filter(t), 0; after = h.pollContacts(t, f, after) },
			"next page": func(t *rapid.T) { after = h.pollContacts(t, f, after) },
			"jump":      func(t *rapid.T) { h.pollContacts(t, h.filter(t), rapid.Uint64Range(0, 60).Draw(t, "after")) },
			"others":    h.pollOthers,
		}
		for name, action := range map[string]func(*rapid.T){
			"add operator": h.AddOperator, "add source": h.AddSource, "add lead": h.AddLead, "add contacts": h.AddContact,
			"archive": h.Archive, "erase": h.Erase, "assign": h.AssignContact, "close": h.CloseContact, "link": h.Link, "unlink": h.Unlink,
		} {
			actions[name] = action
		}
		t.Repeat(actions)
	})
}

// Catches a cursor past the end that panics or wraps around, and a list of what does not exist that is not empty.
func TestListsPastTheEnd(t *testing.T) {
	c := smallCatalog(t)
	for _, after := range []uint64{3, 4, 1 << 32, 1<<32 + 1, 1<<63 + 1, 1<<64 - 1} {
		for name, list := range map[string]func() (int, uint64){
			"contacts":  func() (int, uint64) { items, next := c.Contacts(ContactFilter{}, after, 5); return len(items), next },
			"operators": func() (int, uint64) { items, next := c.Operators(after, 5); return len(items), next },
			"sources":   func() (int, uint64) { items, next := c.Sources(after, 5); return len(items), next },
			"leads":     func() (int, uint64) { items, next := c.Leads(after, 5); return len(items), next },
			"links":     func() (int, uint64) { items, next := c.Links(1, after, 5); return len(items), next },
		} {
			if n, next := list(); n != 0 || next != 0 {
				t.Errorf("%s after %d: %d items, next %d", name, after, n, next)
			}
		}
	}
	for _, f := range []ContactFilter{{Source: 9}, {Source: -1}, {Operator: 9}, {Operator: -1}, {Lead: 9}, {Lead: -1}, {Status: StatusOpen, Source: 2}} {
		if items, next := c.Contacts(f, 0, 5); len(items) != 0 || next != 0 {
			t.Errorf("%+v: %d items, next %d", f, len(items), next)
		}
	}
	if items, next := c.Links(9, 0, 5); len(items) != 0 || next != 0 {
		t.Errorf("links of no source: %+v, next %d", items, next)
	}
}

// Catches a list that hands out the catalog's own memory.
func TestListsAreCopies(t *testing.T) {
	c := smallCatalog(t)
	before := dump(smallCatalog(t))
	operators, _ := c.Operators(0, 9)
	sources, _ := c.Sources(0, 9)
	leads, _ := c.Leads(0, 9)
	links, _ := c.Links(1, 0, 9)
	contacts, _ := c.Contacts(ContactFilter{}, 0, 9)
	operators[0].Name, sources[0].Name, leads[0].Name, links[0].Lag, contacts[0].Text = "x", "x", "x", 1, "x"
	c.SourceIDs()[0] = 9
	if after := dump(c); !reflect.DeepEqual(after, before) {
		t.Errorf("got %+v, want %+v", after, before)
	}
}

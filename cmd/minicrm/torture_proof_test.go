package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"minicrm/persistence/journalpb"
)

// The proof that TestTorture can fail: each of its three judges is shown something wrong.

// Catches: a register that forgets that an overwritten value is gone, or one that takes what may have happened for what did.
func TestTortureProofRegister(t *testing.T) {
	r := known("a")
	b := r.begin("b", 10)
	b.end = 20
	c := r.begin("c", 15)
	c.end = 25
	d := r.begin("d", 30) // never answered
	for _, look := range []struct {
		from, to int64
		want     string
	}{
		{1, 2, "a"}, {11, 12, "ab"}, {16, 17, "abc"}, {21, 22, "bc"}, {26, 27, "bc"}, {31, 32, "bcd"}, {99, 99, "bcd"},
	} {
		got := ""
		for _, value := range []string{"a", "b", "c", "d"} {
			if r.may(value, look.from, look.to) {
				got += value
			}
		}
		if got != look.want {
			t.Errorf("a look from %d to %d may find %q instead of %q", look.from, look.to, got, look.want)
		}
	}
	r.observe("c", 40, 41)
	if got := fmt.Sprint(r.values()); got != "[c d]" {
		t.Errorf("after a look that found c: %s", got)
	}
	r.refuse(d)
	if got := fmt.Sprint(r.values()); got != "[c]" {
		t.Errorf("without d: %s", got)
	}
}

// proofWorld is a world of two operators and two sources, the second manual, with the memory of who made it: contact 1
// is held by operator 1, contact 2 was closed, contact 3 waits in source 1 and contact 4 in source 2, a close of 4 and
// the post of 5 were not answered.
func proofWorld() (*memory, world) {
	contact := func(id, source, op int64, status string) contactView {
		c := contactView{contactJSON: contactJSON{ID: id, Source: source, Lead: 1, Operator: op, Status: status}, Text: fmt.Sprint("token", id)}
		return c
	}
	w := world{
		contacts:  []contactView{contact(1, 1, 1, "assigned"), contact(2, 1, 1, "closed"), contact(3, 1, 0, "open"), contact(4, 2, 0, "open")},
		operators: []operatorView{{operatorJSON{1, 1, 1}, "one", true}, {operatorJSON{2, 0, 5}, "two", false}},
		sources:   []sourceView{{1, "auto"}, {2, "manual"}},
		leads:     []leadJSON{{1, "eve@example.com"}},
		links:     map[int64][]linkJSON{1: {{Operator: 1, Weight: 3}, {Operator: 2, Weight: 1}}, 2: {{Operator: 1, Weight: 1}}},
	}
	m := newMemory()
	m.emails["eve@example.com"] = true
	for _, c := range w.contacts {
		m.created(c, 1)
	}
	m.settled(w)
	m.contacts[4].closed.begin(true, m.tick())
	m.posts["token5"] = &asking{source: 1, email: "eve@example.com"}
	return m, w
}

// Catches: a comparison with the memory that overlooks what was acknowledged, or what nobody asked for.
func TestTortureProofMemory(t *testing.T) {
	for _, c := range []struct {
		name  string
		wrong string // "" = it is right
		spoil func(w *world)
	}{
		{"nothing", "", func(*world) {}},
		{"the close without an answer happened", "", func(w *world) { w.contacts[3].Status = "closed" }},
		{"the post without an answer happened", "", func(w *world) {
			w.contacts = append(w.contacts, w.contacts[2])
			w.contacts[4].ID, w.contacts[4].Text = 5, "token5"
		}},
		{"who waited was assigned", "", func(w *world) { w.contacts[2].Status, w.contacts[2].Operator = "assigned", 1 }},
		{"a lost contact", "durable: contact 1 ", func(w *world) { w.contacts = w.contacts[1:] }},
		{"a lost close", "its being closed", func(w *world) { w.contacts[1].Status = "assigned" }},
		{"a close that nobody asked for", "its being closed", func(w *world) { w.contacts[0].Status = "closed" }},
		{"a contact that moved", "held by one of [1]", func(w *world) { w.contacts[0].Operator = 2 }},
		{"a contact that went back", "held by one of [1]", func(w *world) { w.contacts[0].Operator, w.contacts[0].Status = 0, "open" }},
		{"a closed contact that moved", "it was closed while operator 1", func(w *world) { w.contacts[1].Operator = 2 }},
		{"an id used again", "it was told to be", func(w *world) { w.contacts[0].Text = "token5" }},
		{"another lead", "it was told to be", func(w *world) { w.contacts[0].Lead = 2 }},
		{"another source", "it was told to be", func(w *world) { w.contacts[0].Source = 2 }},
		{"the post without an answer happened twice", "contact {contactJSON:{ID:6", func(w *world) {
			for id := range 2 {
				again := w.contacts[2]
				again.ID, again.Text = int64(5+id), "token5"
				w.contacts = append(w.contacts, again)
			}
		}},
		{"a contact that nobody asked for", "not asked for", func(w *world) {
			w.contacts = append(w.contacts, w.contacts[2])
			w.contacts[4].ID, w.contacts[4].Text = 5, "what?"
		}},
		{"a resurrected operator", "active [false]", func(w *world) { w.operators[1].Active = true }},
		{"max_load forgotten", "max_load [5]", func(w *world) { w.operators[1].MaxLoad = 4 }},
		{"a lost operator", "operator 2", func(w *world) { w.operators = w.operators[:1] }},
		{"an operator nobody hired", "nobody asked for operator", func(w *world) { w.operators = append(w.operators, operatorView{Name: "three"}) }},
		{"a weight forgotten", "link of operator 1 to source 1", func(w *world) { w.links[1][0].Weight = 1 }},
		{"a link lost", "link of operator 1 to source 2", func(w *world) { w.links[2] = nil }},
		{"a link again", "link of operator 2 to source 2", func(w *world) { w.links[2] = append(w.links[2], linkJSON{Operator: 2}) }},
		{"a policy forgotten", "another backlog", func(w *world) { w.sources[1].Backlog = "auto" }},
		{"a lost lead", "durable: eve@example.com", func(w *world) { w.leads = nil }},
		{"two leads", "one lead per email", func(w *world) { w.leads = append(w.leads, leadJSON{2, "eve@example.com"}) }},
		{"a text forgotten", "it was told to be", func(w *world) { w.contacts[0].Text = "" }},
		{"a lead of nobody", "nobody sent the email", func(w *world) { w.leads = append(w.leads, leadJSON{2, "bob@example.com"}) }},
	} {
		m, w := proofWorld()
		c.spoil(&w)
		found(t, c.name, m.verify(w, nil), c.wrong)
	}
}

// Catches: a look at a server at rest that overlooks wrong loads, waiting contacts, or lags.
func TestTortureProofAtRest(t *testing.T) {
	for _, c := range []struct {
		name, wrong string
		spoil       func(w *world)
	}{
		{"nothing", "", func(*world) {}},
		{"a seat too many", "operator 1 has load 2 and holds 1", func(w *world) { w.operators[0].Load = 2 }},
		{"a seat too few", "operator 1 has load 0 and holds 1", func(w *world) { w.operators[0].Load = 0 }},
		{"a holder who does not exist", "do not exist", func(w *world) { w.contacts[0].Operator = 9 }},
		{"one waits for a free seat", "work conserving: contact 3", func(w *world) { w.operators[0].MaxLoad = 2 }},
		{"one waits for somebody active again", "work conserving: contact 3", func(w *world) { w.operators[1].Active = true }},
		{"one waits for another than the one that released it", "", func(w *world) {
			w.operators[0].MaxLoad, w.operators[1].Active, w.operators[1].MaxLoad = 2, true, 0
			w.released = map[int64]int64{3: 1}
		}},
		{"one waits for nobody but the one that released it", "work conserving: contact 3", func(w *world) {
			w.operators[0].MaxLoad, w.released = 2, map[int64]int64{3: 1}
		}},
		{"one waits that another released", "work conserving: contact 3", func(w *world) {
			w.operators[1].Active, w.released = true, map[int64]int64{3: 1}
		}},
		{"one waits where an admin assigns", "", func(w *world) { w.sources[0].Backlog, w.operators[0].MaxLoad = "manual", 2 }},
		{"one waits for somebody without weight", "", func(w *world) { w.operators[1].Active, w.links[1][1].Weight = true, 0 }},
		{"lags", "lags of source 1 sum to", func(w *world) { w.links[1][0].Lag = 1.0 / one }},
	} {
		_, w := proofWorld()
		c.spoil(&w)
		found(t, c.name, w.atRest(), c.wrong)
	}
}

// Catches: a comparison of the journal with what was asked for that lets anything pass.
func TestTortureProofExplains(t *testing.T) {
	m, w := proofWorld()
	m.contacts[3].asked[manual{1, false}] = true
	m.contacts[3].asked[manual{2, true}] = true
	of := func(id int64) examinedContact {
		c := w.contacts[id-1]
		return examinedContact{source: c.Source, lead: c.Lead, operator: c.Operator, closed: c.Status == "closed", text: c.Text}
	}
	given := func(id, op int64) examinedContact { c := of(id); c.operator = op; return c }
	closing := func(id int64) examinedContact { c := of(id); c.closed = true; return c }
	again := of(1)
	again.text = "token9"
	asked := examinedContact{source: 1, lead: 1, text: "token5"}
	for _, c := range []struct {
		name, wrong string
		id          int64
		contact     examinedContact
		how         journalpb.How
	}{
		{"told", "", 1, of(1), 0},
		{"asked for", "", 5, asked, 0},
		{"not asked for", "nobody asked for", 6, examinedContact{source: 1, text: "token6"}, 0},
		{"another", "was told to be", 1, again, 0},
		{"closed", "", 4, closing(4), 0},
		{"closed unasked", "nobody closed", 3, closing(3), 0},
		{"by hand", "", 3, given(3, 1), journalpb.How_HOW_MANUAL},
		{"by hand, with force that was not needed", "", 3, given(3, 2), journalpb.How_HOW_MANUAL},
		{"by force", "", 3, given(3, 2), journalpb.How_HOW_FORCED},
		{"by force unasked", "nobody assigned", 3, given(3, 1), journalpb.How_HOW_FORCED},
		{"by hand unasked", "nobody assigned", 4, given(4, 1), journalpb.How_HOW_MANUAL},
	} {
		found(t, c.name, m.explains(c.id, c.contact, c.how), c.wrong)
	}
}

func found(t *testing.T, name string, err error, wrong string) {
	t.Helper()
	if wrong == "" && err != nil || wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)) {
		t.Errorf("%s: %v instead of %q", name, err, wrong)
	}
}

// Catches: an examiner that lets a prefix of the journal pass that breaks an invariant. Each history begins with two
// operators with one seat, of weight 1 and 3, in source 1; all else is in the words below.
func TestTortureProofExaminer(t *testing.T) {
	created := func(id, lead int64) *journalpb.Event {
		return journaled(&journalpb.ContactCreated{Id: id, Source: 1, Lead: lead, Text: fmt.Sprint(id)})
	}
	closing := func(id, op int64) *journalpb.Event {
		return journaled(&journalpb.ContactClosed{Id: id, Source: 1, Operator: op})
	}
	lead := journaled(&journalpb.LeadCreated{Id: 1, Email: "eve@example.com"})
	both := &journalpb.Among{Kind: journalpb.SetKind_SET_KIND_SPELLED_SET, Rows: []uint64{0b11}}
	same := &journalpb.Among{Kind: journalpb.SetKind_SET_KIND_SAME_SET}
	alone := &journalpb.Among{Kind: journalpb.SetKind_SET_KIND_ALONE}
	given := func(id, op, from int64, how journalpb.How, among *journalpb.Among) *journalpb.Event {
		return journaled(&journalpb.ContactAssigned{Id: id, Source: 1, Operator: op, From: from, How: how, Among: among})
	}
	auto, hand, force := journalpb.How_HOW_AUTOMATIC, journalpb.How_HOW_MANUAL, journalpb.How_HOW_FORCED
	one := []*journalpb.Event{lead, created(1, 1), given(1, 2, 0, auto, both)}
	after := func(more ...*journalpb.Event) []*journalpb.Event { return append(slices.Clone(one), more...) }
	for _, c := range []struct {
		name, wrong string
		events      []*journalpb.Event
	}{
		{"the heavier is first", "", one},
		{"the lighter is first", "operator 2 was next", []*journalpb.Event{lead, created(1, 1), given(1, 1, 0, auto, both)}},
		{"cap", "cap: ", after(created(2, 1), given(2, 2, 0, auto, alone))},
		{"cap, by hand", "cap: ", after(created(2, 1), given(2, 2, 0, hand, nil))},
		{"by force", "", after(created(2, 1), given(2, 2, 0, force, nil))},
		{"inactive", "cap: ", after(journaled(&journalpb.OperatorChanged{Id: 1, MaxLoad: 1}), created(2, 1), given(2, 1, 0, auto, alone))},
		{"not linked", "cap: ", after(journaled(&journalpb.LinkRemoved{Source: 1, Operator: 1}), created(2, 1), given(2, 1, 0, force, nil))},
		{"weight 0", "with weight 0", after(journaled(&journalpb.LinkSet{Source: 1, Operator: 1}), created(2, 1), given(2, 1, 0, auto, alone))},
		{"a transfer of its own", "an automatic assignment of what operator 2 held", after(given(1, 1, 2, auto, alone))},
		{"a transfer from the wrong one", "the contact is", after(given(1, 1, 0, hand, nil))},
		{"a manual assignment that is charged", "was charged", after(given(1, 1, 2, hand, alone))},
		{"the same set as before", "", after(created(2, 1), closing(1, 2), given(2, 1, 0, auto, same))},
		{"not the one who is next", "operator 1 was next", after(created(2, 1), closing(1, 2), given(2, 2, 0, auto, same))},
		{"the same set as before another link", "the same set as none", after(journaled(&journalpb.LinkSet{Source: 1, Operator: 1, Weight: 2}),
			created(2, 1), given(2, 1, 0, auto, same))},
		{"closed twice", "the contact is", after(closing(1, 2), closing(1, 2))},
		{"closed for another", "the contact is", after(closing(1, 1))},
		{"assigned when closed", "the contact is", after(closing(1, 2), given(1, 1, 2, hand, nil))},
		{"an id again", "the id was used", after(created(1, 1))},
		{"a younger contact first", "it overtakes contact 2", after(created(2, 1), created(3, 1), given(3, 1, 0, auto, same))},
		{"a younger contact first, by hand", "", after(created(2, 1), created(3, 1), given(3, 1, 0, hand, nil))},
		{"a contact before its lead", "lead 2 does not exist", after(created(2, 2), journaled(&journalpb.LeadCreated{Id: 2, Email: "bob@example.com"}))},
		{"an email again", "one lead per email", after(journaled(&journalpb.LeadCreated{Id: 2, Email: "eve@example.com"}))},
		{"an operator's id again", "the id was used", after(journaled(&journalpb.OperatorCreated{Id: 2}))},
		{"a link before its operator", "no such source or operator", after(journaled(&journalpb.LinkSet{Source: 1, Operator: 3, Weight: 1}))},
		{"a contact nobody asked for", "nobody", after(created(13, 1))},
	} {
		found(t, c.name, examined(c.events), c.wrong)
	}
}

// examined is what an examiner says of a history that goes on from two operators with one seat, of weight 1 and 3, in
// source 1. Nobody asked for contact 13 and for the erasure of lead 13.
func examined(events []*journalpb.Event) error {
	x := newExaminer(func(id int64, _ examinedContact, _ journalpb.How) error {
		if id == 13 {
			return fmt.Errorf("nobody asked for it")
		}
		return nil
	}, func(lead int64) error {
		if lead == 13 {
			return fmt.Errorf("nobody asked for it")
		}
		return nil
	})
	for _, e := range append([]*journalpb.Event{
		journaled(&journalpb.OperatorCreated{Id: 1, Active: true, MaxLoad: 1}), journaled(&journalpb.OperatorCreated{Id: 2, Active: true, MaxLoad: 1}),
		journaled(&journalpb.SourceCreated{Id: 1, Backlog: journalpb.BacklogPolicy_BACKLOG_POLICY_AUTO}),
		journaled(&journalpb.LinkSet{Source: 1, Operator: 1, Weight: 1}), journaled(&journalpb.LinkSet{Source: 1, Operator: 2, Weight: 3}),
	}, events...) {
		if err := x.event(e); err != nil {
			return err
		}
	}
	return nil
}

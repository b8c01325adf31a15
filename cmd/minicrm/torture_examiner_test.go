package main

import (
	"errors"
	"fmt"

	"minicrm/persistence/journalpb"
)

// examiner reads a journal record by record and checks after each what must hold at every prefix. It shares no code
// with the program but the generated messages: what it does not see, a bug of the program cannot hide.
type examiner struct {
	explain        func(id int64, c examinedContact, how journalpb.How) error // says whether somebody asked for it
	explainErasure func(lead int64) error                                     // likewise
	entry, record  uint64                                                     // due next
	latest, floor  int64                                                      // the latest stamp of all, and of those that this process found
	operators      map[int64]*examinedOperator
	sources        map[int64]*examinedSource
	leads          map[int64]string // emails; "" = erased
	emails         map[string]int64
	contacts       map[int64]examinedContact
	tokens         map[string]int64
	ofLead         map[int64][]int64 // contacts
	archived       map[int64]int64   // days of contacts
	fresh          map[int64]bool    // archived by records that were read last: a list may be from before or after
}

type examinedOperator struct {
	name          string
	active        bool
	maxLoad, load int64
}

type examinedSource struct {
	auto    bool
	waiting map[int64]bool
	share   examinedShare
}

type examinedContact struct {
	source, lead, operator int64
	closed                 bool
	text                   string
}

func newExaminer(explain func(int64, examinedContact, journalpb.How) error, explainErasure func(int64) error) *examiner {
	return &examiner{
		explain: explain, explainErasure: explainErasure, entry: 1, record: 1,
		operators: map[int64]*examinedOperator{}, sources: map[int64]*examinedSource{},
		leads: map[int64]string{}, emails: map[string]int64{},
		contacts: map[int64]examinedContact{}, tokens: map[string]int64{},
		ofLead: map[int64][]int64{}, archived: map[int64]int64{}, fresh: map[int64]bool{},
	}
}

// examine reads what was added since the last time, all of it by one process.
func (x *examiner) examine(k *keeper) (err error) {
	clear(x.fresh)
	x.entry, x.record, err = k.records(x.entry, x.record, func(_ uint64, r *journalpb.Record) error {
		if r.At < x.floor {
			return fmt.Errorf("its time %d was before a restart: %d", r.At, x.floor)
		}
		x.latest = max(x.latest, r.At)
		if len(r.Events) == 0 {
			return errors.New("it has no events")
		}
		for _, e := range r.Events {
			if err := x.event(e); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

func (x *examiner) event(event *journalpb.Event) error {
	switch e := event.Event.(type) {
	case *journalpb.Event_ContactCreated:
		return x.created(e.ContactCreated)
	case *journalpb.Event_ContactAssigned:
		return x.assigned(e.ContactAssigned)
	case *journalpb.Event_ContactClosed:
		return x.closed(e.ContactClosed)
	case *journalpb.Event_LeadCreated:
		l := e.LeadCreated
		_, used := x.leads[l.Id]
		if other, taken := x.emails[l.Email]; taken || used {
			return fmt.Errorf("one lead per email: %s has lead %d, lead %d has %s", l.Email, other, l.Id, x.leads[l.Id])
		}
		x.leads[l.Id], x.emails[l.Email] = l.Email, l.Id
	case *journalpb.Event_LeadErased:
		return x.leadErased(e.LeadErased.Id)
	case *journalpb.Event_ContactsArchived:
		return x.contactsArchived(e.ContactsArchived)
	case *journalpb.Event_OperatorCreated:
		o := e.OperatorCreated
		if x.operators[o.Id] != nil {
			return errors.New("the id was used before")
		}
		x.operators[o.Id] = &examinedOperator{name: o.Name, active: o.Active, maxLoad: o.MaxLoad}
	case *journalpb.Event_OperatorChanged:
		o := x.operators[e.OperatorChanged.Id]
		if o == nil {
			return errors.New("there is no such operator")
		}
		o.active, o.maxLoad = e.OperatorChanged.Active, e.OperatorChanged.MaxLoad
	case *journalpb.Event_SourceCreated:
		if x.sources[e.SourceCreated.Id] != nil {
			return errors.New("the id was used before")
		}
		x.sources[e.SourceCreated.Id] = &examinedSource{
			auto: e.SourceCreated.Backlog == journalpb.BacklogPolicy_BACKLOG_POLICY_AUTO, waiting: map[int64]bool{},
		}
	case *journalpb.Event_SourceChanged:
		s := x.sources[e.SourceChanged.Id]
		if s == nil {
			return errors.New("there is no such source")
		}
		s.auto = e.SourceChanged.Backlog == journalpb.BacklogPolicy_BACKLOG_POLICY_AUTO
	case *journalpb.Event_LinkSet:
		return x.linked(e.LinkSet)
	case *journalpb.Event_LinkRemoved:
		s := x.sources[e.LinkRemoved.Source]
		if s == nil {
			return errors.New("there is no such source")
		}
		return s.share.unlink(e.LinkRemoved.Operator)
	default:
		return fmt.Errorf("the examiner does not know %T", e)
	}
	return nil
}

func (x *examiner) linked(l *journalpb.LinkSet) error {
	s := x.sources[l.Source]
	if s == nil || x.operators[l.Operator] == nil {
		return errors.New("there is no such source or operator")
	}
	s.share.link(l.Operator, l.Weight)
	return nil
}

func (x *examiner) created(c *journalpb.ContactCreated) error {
	_, used := x.contacts[c.Id]
	_, there := x.tokens[c.Text]
	switch {
	case used || there:
		return fmt.Errorf("the id was used (%t), or the contact created before (%t)", used, there)
	case x.leads[c.Lead] == "":
		return fmt.Errorf("one lead per email: lead %d does not exist yet, or was erased", c.Lead)
	case x.sources[c.Source] == nil:
		return errors.New("there is no such source")
	}
	x.contacts[c.Id] = examinedContact{source: c.Source, lead: c.Lead, text: c.Text}
	x.tokens[c.Text] = c.Id
	x.ofLead[c.Lead] = append(x.ofLead[c.Lead], c.Id)
	x.sources[c.Source].waiting[c.Id] = true
	return x.explain(c.Id, x.contacts[c.Id], 0)
}

func (x *examiner) assigned(a *journalpb.ContactAssigned) error {
	c, there := x.contacts[a.Id]
	op, source := x.operators[a.Operator], x.sources[a.Source]
	if !there || c.closed || c.operator != a.From || c.source != a.Source || op == nil || a.From == a.Operator {
		return fmt.Errorf("the contact is %+v, the operator %+v", c, op)
	}
	link := source.share.find(a.Operator)
	open := op.active && op.load < op.maxLoad
	if link == nil || !open && a.How != journalpb.How_HOW_FORCED {
		return fmt.Errorf("cap: the link is %+v, the operator %+v", link, *op)
	}
	if a.From != 0 {
		x.operators[a.From].load--
	}
	op.load++
	c.operator = a.Operator
	x.contacts[a.Id] = c
	delete(source.waiting, a.Id)
	if a.How != journalpb.How_HOW_AUTOMATIC {
		if a.Among != nil {
			return errors.New("share: a manual assignment was charged")
		}
		return x.explain(a.Id, c, a.How)
	}
	if a.From != 0 || link.weight == 0 {
		return fmt.Errorf("an automatic assignment of what operator %d held, with weight %d", a.From, link.weight)
	}
	for id := range source.waiting {
		if source.auto && id < a.Id {
			return fmt.Errorf("it overtakes contact %d, which waits in the same source", id)
		}
	}
	return source.share.assign(a.Operator, a.Among)
}

func (x *examiner) closed(e *journalpb.ContactClosed) error {
	c, there := x.contacts[e.Id]
	if !there || c.closed || c.operator != e.Operator || c.source != e.Source {
		return fmt.Errorf("the contact is %+v", c)
	}
	if c.operator != 0 {
		x.operators[c.operator].load--
	}
	c.closed = true
	x.contacts[e.Id] = c
	delete(x.sources[c.source].waiting, e.Id)
	return x.explain(e.Id, c, 0)
}

// largestLag is the largest that any link ever had, in contacts.
func (x *examiner) largestLag() (largest float64) {
	for _, s := range x.sources {
		largest = max(largest, float64(s.share.largest)/one)
	}
	return largest
}

// compare holds what the API shows against what the journal says: the same state.
func (x *examiner) compare(w world) error {
	var f findings
	shown := map[int64]bool{}
	for _, c := range w.contacts {
		shown[c.ID] = true
	}
	for id := range x.contacts {
		if _, archived := x.archived[id]; shown[id] == archived && !x.fresh[id] {
			f.add("same state: contact %d is shown: %t, and in the archive: %t", id, shown[id], archived)
		}
	}
	if len(w.operators) != len(x.operators) || len(w.leads) != len(x.emails) {
		f.add("%d operators and %d leads are shown, the journal has %d and %d", len(w.operators), len(w.leads), len(x.operators), len(x.emails))
	}
	for _, c := range w.contacts {
		want := x.contacts[c.ID]
		got := examinedContact{source: c.Source, lead: c.Lead, operator: c.Operator, closed: c.Status == "closed", text: c.Text}
		if got != want || (c.Status == "open") != (!want.closed && want.operator == 0) {
			f.add("same state: contact %d is %+v, %s, and in the journal %+v", c.ID, got, c.Status, want)
		}
	}
	for _, o := range w.operators {
		got := examinedOperator{name: o.Name, active: o.Active, maxLoad: int64(o.MaxLoad), load: int64(o.Load)}
		if want := x.operators[o.ID]; want == nil || got != *want {
			f.add("same state: operator %d is %+v, and in the journal %+v", o.ID, got, want)
		}
	}
	for _, l := range w.leads {
		if x.leads[l.ID] != l.Email {
			f.add("same state: lead %+v is in the journal %s", l, x.leads[l.ID])
		}
	}
	for _, s := range w.sources {
		want := x.sources[s.ID]
		if want == nil || want.auto != (s.Backlog == "auto") {
			f.add("same state: source %+v is in the journal %+v", s, want)
		} else if err := want.share.shown(w.links[s.ID]); err != nil {
			f.add("same state: source %d: %w", s.ID, err)
		}
	}
	return f.err()
}

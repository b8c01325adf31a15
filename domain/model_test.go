package domain

import (
	"fmt"
	"slices"
)

// model is the rules of DESIGN.md sections 5 and 6 over plain maps. Whatever it must know it finds by scanning all
// contacts. It judges each record at the moment when it is committed, and then follows it.
//
// This file has what the model knows, model_judge_test.go how it judges contacts, model_differs_test.go how it is
// compared with the catalog.
type model struct {
	operators map[OperatorID]*modelOperator
	sources   map[SourceID]*modelSource
	contacts  map[ContactID]*modelContact
	leads     map[LeadID]*Lead
	keys      []KeyUse // that are remembered, the oldest first
	evicted   uint64
	keyWindow Time
	maxKeys   int

	command            // what the current command may do
	created  ContactID // created or reopened by the current record
	at       Time      // of the current record
	by       string    // of the current record
	flight   bool      // grants are in flight, so seats may be taken that nobody holds
	granting bool      // the current record comes of a grant

	decisions []decision // of the current command
}

// command is what makes a record legal that is not legal by itself.
type command struct {
	force    bool
	prefer   OperatorID // who its contact may stick to
	released ContactID  // is dispatched anew, even when the backlog is manual
	changes  OperatorID // whose state it changes
	fit      []OperatorID
}

type modelOperator struct {
	active, draining, deleted bool
	maxLoad                   int
}

type modelSource struct {
	auto, deleted bool
	limit         int
	share         *reference   // the links, and who is next
	spelled       []OperatorID // the eligible set that was written down last
	log           []modelDecision
}

// modelDecision is an entry of the list that shares are counted from.
type modelDecision struct {
	at       Time
	operator OperatorID
	how      How
	earned   map[OperatorID]int64 // in 1/One, by who was eligible; nil = not charged
}

type modelContact struct {
	source   SourceID
	lead     LeadID
	status   Status
	operator OperatorID
	avoid    OperatorID
	priority uint8
	text     string
	archived bool
	why      *Decision
	steps    []modelStep
}

// modelStep is a step of a contact's history, with names for numbers.
type modelStep struct {
	Step
	by string
}

// decision is an automatic assignment: who was chosen among whom, and who was eligible really.
type decision struct {
	operator        OperatorID
	among, eligible []OperatorID
	granted, flight bool // by a grant; while grants were in flight
}

func newModel(keyWindow Time, maxKeys int) *model {
	return &model{
		operators: map[OperatorID]*modelOperator{}, sources: map[SourceID]*modelSource{},
		contacts: map[ContactID]*modelContact{}, leads: map[LeadID]*Lead{}, keyWindow: keyWindow, maxKeys: maxKeys,
	}
}

func (m *model) load(op OperatorID) (n int) {
	for _, c := range m.contacts {
		if c.status == StatusAssigned && c.operator == op {
			n++
		}
	}
	return n
}

// open says whether op may get one more contact automatically.
func (m *model) open(op OperatorID) bool {
	o := m.operators[op]
	return o.active && m.load(op) < o.maxLoad
}

// eligible is the operators that a source may assign to, ascending.
func (m *model) eligible(source SourceID) (ops []OperatorID) {
	share := m.sources[source].share
	for _, op := range share.operators() {
		if share.links[op].weight > 0 && m.open(op) {
			ops = append(ops, op)
		}
	}
	return ops
}

// linked lists the sources that an operator is linked to.
func (m *model) linked(op OperatorID) (ids []SourceID) {
	for id, s := range m.sources {
		if s.share.links[op] != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// another says whether another active operator than op is linked to a source with a weight.
func (m *model) another(source SourceID, op OperatorID) bool {
	for other, link := range m.sources[source].share.links {
		if other != op && link.weight > 0 && m.operators[other].active {
			return true
		}
	}
	return false
}

// may says whether a contact may be given to op automatically: not straight back to who released it, while another
// could have it.
func (m *model) may(id ContactID, op OperatorID) bool {
	c := m.contacts[id]
	return c.avoid != op || !m.another(c.source, op)
}

// served compares contacts by the order in which they are to be served: by priority, then by age.
func (m *model) served(a, b ContactID) int {
	if p, q := m.contacts[a].priority, m.contacts[b].priority; p != q {
		return int(q) - int(p)
	}
	return int(a - b)
}

// waiting is a source's open contacts, the first first.
func (m *model) waiting(source SourceID) (ids []ContactID) {
	for id, c := range m.contacts {
		if c.source == source && c.status == StatusOpen {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, m.served)
	return ids
}

// live is the number of a source's contacts that are not closed.
func (m *model) live(source SourceID) (n int) {
	for _, c := range m.contacts {
		if c.source == source && c.status != StatusClosed {
			n++
		}
	}
	return n
}

// firstIn is the first contact of a source that waits for a seat of op by itself; 0 = none.
func (m *model) firstIn(source SourceID, op OperatorID) ContactID {
	s := m.sources[source]
	if !s.auto || s.deleted {
		return 0
	}
	for _, id := range m.waiting(source) {
		if m.may(id, op) {
			return id
		}
	}
	return 0
}

// first is the first contact that waits for a seat of op by itself, over all sources; 0 = none.
func (m *model) first(op OperatorID) (first ContactID) {
	for id, s := range m.sources {
		if link := s.share.links[op]; link == nil || link.weight == 0 {
			continue
		}
		if own := m.firstIn(id, op); own != 0 && (first == 0 || m.served(own, first) < 0) {
			first = own
		}
	}
	return first
}

// rest says what is wrong when nothing is in flight: a contact that waits although somebody is eligible, or an operator
// that drains although it holds nothing.
func (m *model) rest() error {
	for op, o := range m.operators {
		if id := m.first(op); id != 0 && m.open(op) {
			return fmt.Errorf("contact %d waits although operator %d is eligible", id, op)
		}
		if o.draining && m.load(op) == 0 {
			return fmt.Errorf("operator %d drains and holds nothing", op)
		}
	}
	return nil
}

// arrives is what must become of a contact that comes to a source at rest: how it is assigned (0 = it waits), or why it
// is refused.
func (m *model) arrives(source SourceID, prefer OperatorID) (How, Code) {
	eligible, limit := m.eligible(source), m.sources[source].limit
	switch {
	case slices.Contains(eligible, prefer):
		return Sticky, ""
	case len(eligible) > 0:
		return Automatic, ""
	case limit > 0 && len(m.waiting(source)) >= limit:
		return 0, CodeBacklogFull
	}
	return 0, ""
}

// record judges a record and follows it.
func (m *model) record(r Record) error {
	m.created, m.at, m.by = 0, r.At, r.By
	for _, e := range r.Events {
		if err := m.event(e); err != nil {
			return fmt.Errorf("%T %+v: %w", e, e, err)
		}
	}
	return nil
}

func (m *model) event(event Event) error {
	switch e := event.(type) {
	case *OperatorCreated:
		m.operators[e.ID] = &modelOperator{active: e.Active, maxLoad: e.MaxLoad}
	case *OperatorChanged:
		return m.operatorChanged(e)
	case *OperatorDeleted:
		return m.operatorDeleted(e)
	case *OperatorDrawn:
		return m.drawn(e)
	case *SourceCreated:
		m.sources[e.ID] = &modelSource{auto: e.Backlog == BacklogAuto, limit: e.BacklogLimit, share: newReference()}
	case *SourceChanged:
		m.sources[e.ID].auto, m.sources[e.ID].limit = e.Backlog == BacklogAuto, e.BacklogLimit
	case *SourceDeleted:
		return m.sourceDeleted(e)
	case *LinkSet:
		return m.linkSet(e)
	case *LinkRemoved:
		m.sources[e.Source].share.remove(e.Operator)
		m.sources[e.Source].spelled = nil
	case *LeadCreated:
		return m.leadCreated(e)
	case *LeadChanged:
		return m.leadChanged(e)
	case *LeadErased:
		return m.leadErased(e)
	case *ContactCreated:
		return m.contactCreated(e)
	case *ContactAssigned:
		return m.assigned(e)
	case *ContactReleased:
		return m.contactReleased(e)
	case *ContactReopened:
		return m.reopened(e)
	case *ContactPrioritised:
		return m.prioritised(e)
	case *ContactClosed:
		return m.closed(e)
	case *ContactsArchived:
		return m.contactsArchived(e)
	default:
		return fmt.Errorf("the model does not know this event")
	}
	return nil
}

// operatorChanged lets a command change its operator. By itself a draining may end, when nothing is held.
func (m *model) operatorChanged(e *OperatorChanged) error {
	o := m.operators[e.ID]
	itself := o.draining && !e.Draining && !e.Active && e.MaxLoad == o.maxLoad && m.load(e.ID) == 0
	if o.deleted || e.Active && e.Draining || e.ID != m.changes && !itself {
		return fmt.Errorf("nobody asked for that: %+v with load %d", *o, m.load(e.ID))
	}
	o.active, o.draining, o.maxLoad = e.Active, e.Draining, e.MaxLoad
	return nil
}

func (m *model) operatorDeleted(e *OperatorDeleted) error {
	o := m.operators[e.ID]
	if o.deleted || m.load(e.ID) > 0 || len(m.linked(e.ID)) > 0 {
		return fmt.Errorf("it was deleted before, or has load %d, or is linked to %v", m.load(e.ID), m.linked(e.ID))
	}
	*o = modelOperator{deleted: true, maxLoad: o.maxLoad}
	return nil
}

func (m *model) sourceDeleted(e *SourceDeleted) error {
	s := m.sources[e.ID]
	if s.deleted || m.live(e.ID) > 0 {
		return fmt.Errorf("it was deleted before, or has %d live contacts", m.live(e.ID))
	}
	s.deleted, s.share, s.spelled, s.log = true, newReference(), nil, nil
	return nil
}

func (m *model) linkSet(e *LinkSet) error {
	if m.operators[e.Operator].deleted || m.sources[e.Source].deleted {
		return fmt.Errorf("a link of what was deleted")
	}
	m.sources[e.Source].share.set(e.Operator, e.Weight)
	m.sources[e.Source].spelled = nil
	return nil
}

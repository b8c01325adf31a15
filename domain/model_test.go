package domain

import (
	"fmt"
	"slices"
)

// model is the rules of DESIGN.md sections 5 and 6 over plain maps. Whatever it must know it finds by scanning all
// contacts. It judges each record at the moment when it is committed, and then follows it.
type model struct {
	operators map[OperatorID]*modelOperator
	sources   map[SourceID]*modelSource
	contacts  map[ContactID]*modelContact
	leads     map[LeadID]string
	forced    bool       // the current command may force
	created   ContactID  // by the current record
	granting  bool       // grants are in flight, so seats may be taken that nobody holds
	decisions []decision // the automatic assignments of the current command
}

type modelOperator struct {
	active  bool
	maxLoad int
}

type modelSource struct {
	auto    bool
	share   *reference   // the links, and who is next
	spelled []OperatorID // the eligible set that was written down last
}

type modelContact struct {
	source   SourceID
	status   Status
	operator OperatorID
}

// decision is an automatic assignment: who was chosen among whom, and who was eligible really.
type decision struct {
	operator        OperatorID
	among, eligible []OperatorID
}

func newModel() *model {
	return &model{
		operators: map[OperatorID]*modelOperator{}, sources: map[SourceID]*modelSource{},
		contacts: map[ContactID]*modelContact{}, leads: map[LeadID]string{},
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

// waiting is a source's open contacts, the oldest first.
func (m *model) waiting(source SourceID) (ids []ContactID) {
	for id, c := range m.contacts {
		if c.source == source && c.status == StatusOpen {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// first is the oldest contact that waits for a seat of op by itself; 0 = none.
func (m *model) first(op OperatorID) (first ContactID) {
	for id, s := range m.sources {
		link := s.share.links[op]
		if !s.auto || link == nil || link.weight == 0 {
			continue
		}
		if ids := m.waiting(id); len(ids) > 0 && (first == 0 || ids[0] < first) {
			first = ids[0]
		}
	}
	return first
}

// rest says what is wrong when nothing is in flight: a contact that waits although somebody is eligible.
func (m *model) rest() error {
	for op := range m.operators {
		if id := m.first(op); id != 0 && m.open(op) {
			return fmt.Errorf("contact %d waits although operator %d is eligible", id, op)
		}
	}
	return nil
}

// record judges a record and follows it.
func (m *model) record(r Record) error {
	m.created = 0
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
		m.operators[e.ID] = &modelOperator{e.Active, e.MaxLoad}
	case *OperatorChanged:
		m.operators[e.ID] = &modelOperator{e.Active, e.MaxLoad}
	case *SourceCreated:
		m.sources[e.ID] = &modelSource{auto: e.Backlog == BacklogAuto, share: newReference()}
	case *SourceChanged:
		m.sources[e.ID].auto = e.Backlog == BacklogAuto
	case *LinkSet:
		m.sources[e.Source].share.set(e.Operator, e.Weight)
		m.sources[e.Source].spelled = nil
	case *LinkRemoved:
		m.sources[e.Source].share.remove(e.Operator)
		m.sources[e.Source].spelled = nil
	case *LeadCreated:
		for id, email := range m.leads {
			if email == e.Email {
				return fmt.Errorf("lead %d has this email", id)
			}
		}
		m.leads[e.ID] = e.Email
	case *ContactCreated:
		if m.leads[e.Lead] == "" || m.contacts[e.ID] != nil {
			return fmt.Errorf("no such lead, or the contact is there already")
		}
		m.contacts[e.ID] = &modelContact{source: e.Source, status: StatusOpen}
		m.created = e.ID
	case *ContactAssigned:
		return m.assigned(e)
	case *ContactClosed:
		return m.closed(e)
	}
	return nil
}

// holder says who holds a contact that is not closed; 0 = nobody.
func (m *model) holder(id ContactID, source SourceID) (OperatorID, error) {
	switch c := m.contacts[id]; {
	case c == nil || c.source != source:
		return 0, fmt.Errorf("the source has no such contact")
	case c.status == StatusClosed:
		return 0, fmt.Errorf("the contact is closed")
	case c.status == StatusOpen:
		return 0, nil
	default:
		return c.operator, nil
	}
}

func (m *model) closed(e *ContactClosed) error {
	holder, err := m.holder(e.ID, e.Source)
	if err == nil && holder != e.Operator {
		err = fmt.Errorf("it is held by %d", holder)
	}
	if err == nil {
		m.contacts[e.ID].status = StatusClosed
	}
	return err
}

func (m *model) assigned(e *ContactAssigned) error {
	holder, err := m.holder(e.ID, e.Source)
	if err != nil {
		return err
	}
	link := m.sources[e.Source].share.links[e.Operator]
	switch {
	case holder != e.From || e.Operator == e.From:
		return fmt.Errorf("it is held by %d", holder)
	case link == nil:
		return fmt.Errorf("the operator is not linked")
	case e.How == Automatic:
		err = m.automatic(e, link)
	case e.Among.Kind != Uncharged || e.Among.Rows != nil:
		return fmt.Errorf("a manual assignment is charged")
	case e.How == Manual && !m.open(e.Operator):
		return fmt.Errorf("the operator is full or inactive, and nobody forced it")
	case e.How == Forced && (!m.forced || !m.granting && m.open(e.Operator)):
		return fmt.Errorf("it was not forced, or needed no force")
	}
	c := m.contacts[e.ID]
	c.status, c.operator = StatusAssigned, e.Operator
	return err
}

// automatic judges an automatic assignment: the cap, the order of the waiting, and the share.
func (m *model) automatic(e *ContactAssigned, link *refLink) error {
	s := m.sources[e.Source]
	switch first := m.first(e.Operator); {
	case e.From != 0:
		return fmt.Errorf("an automatic transfer")
	case !s.auto && e.ID != m.created:
		return fmt.Errorf("the backlog is manual, and drains")
	case link.weight == 0 || !m.open(e.Operator):
		return fmt.Errorf("the operator is not eligible: weight %d, load %d, %+v", link.weight, m.load(e.Operator), *m.operators[e.Operator])
	case first != 0 && first < e.ID:
		return fmt.Errorf("contact %d waited longer for this operator", first)
	}
	d := decision{operator: e.Operator, eligible: m.eligible(e.Source)}
	switch e.Among.Kind {
	case Uncharged: // among nobody: refused below
	case Alone:
		d.among = []OperatorID{e.Operator}
	case SameSet:
		d.among = s.spelled
	case SpelledSet:
		linked := s.share.operators()
		for row := range e.Among.Rows.All() {
			if row >= len(linked) {
				return fmt.Errorf("row %d of %d", row, len(linked))
			}
			d.among = append(d.among, linked[row])
		}
		s.spelled = d.among
	}
	if !slices.Contains(d.among, e.Operator) {
		return fmt.Errorf("the operator is not among %v", d.among)
	}
	for _, op := range d.among {
		if !slices.Contains(d.eligible, op) {
			return fmt.Errorf("among %v, but eligible are %v", d.among, d.eligible)
		}
	}
	if next := s.share.pick(d.among); next != e.Operator {
		return fmt.Errorf("operator %d is next among %v", next, d.among)
	}
	s.share.charge(d.among, e.Operator)
	m.decisions = append(m.decisions, d)
	return nil
}

// differs says where committed state is not the model's.
func (m *model) differs(c *Catalog) error {
	for id := range m.operators {
		if o, _ := c.Operator(id); o.Load != m.load(id) || o.Active != m.operators[id].active || o.MaxLoad != m.operators[id].maxLoad {
			return fmt.Errorf("%+v, want load %d and %+v", o, m.load(id), *m.operators[id])
		}
	}
	for id, s := range m.sources {
		if err := s.share.differs(&c.sources[id].ledger); err != nil {
			return fmt.Errorf("source %d: %w", id, err)
		}
		var backlog []ContactID
		for rank := range c.sources[id].backlog.All {
			backlog = append(backlog, rank.Contact())
		}
		if want := m.waiting(id); !slices.Equal(backlog, want) || c.Waiting(id) != len(want) {
			return fmt.Errorf("source %d: backlog %v, want %v", id, backlog, want)
		}
	}
	for id, want := range m.contacts {
		if got, _ := c.Contact(id); got.Source != want.source || got.Status != want.status || got.Operator != want.operator {
			return fmt.Errorf("contact %+v, want %+v", got, *want)
		}
	}
	return nil
}

package domain

import (
	"fmt"
	"iter"
)

// Auditor reads a journal record by record and checks after each what must hold at every prefix (DESIGN.md section 6).
// It judges by the events alone and shares no rule with the desks or the catalog, so it notices when they are wrong;
// the catalog that it builds beside it is held against what the auditor counts.
type Auditor struct {
	catalog   *Catalog
	operators map[OperatorID]*auditedOperator
	auto      map[SourceID]bool
	weights   map[auditedLink]int64
	emails    map[string]LeadID
	erased    map[LeadID]bool
	contacts  map[ContactID]auditedContact
}

type auditedOperator struct {
	active        bool
	draining      bool
	maxLoad, load int
}

type auditedLink struct {
	source   SourceID
	operator OperatorID
}

// auditedContact is a contact that is not closed.
type auditedContact struct {
	source   SourceID
	operator OperatorID // 0 = open
	lead     LeadID
	avoid    OperatorID // who released it
	rank     Rank
}

// NewAuditor is an auditor of what comes after a catalog, which it takes over; a new one is an empty journal's.
func NewAuditor(c *Catalog) *Auditor {
	a := &Auditor{
		catalog:   c,
		operators: map[OperatorID]*auditedOperator{},
		auto:      map[SourceID]bool{},
		weights:   map[auditedLink]int64{},
		emails:    map[string]LeadID{},
		erased:    map[LeadID]bool{},
		contacts:  map[ContactID]auditedContact{},
	}
	for i := range c.operators {
		o := &c.operators[i].Operator
		a.operators[o.ID] = &auditedOperator{active: o.Active, draining: o.Draining, maxLoad: o.MaxLoad}
	}
	for id, s := range c.sources {
		a.auto[id] = s.Backlog == BacklogAuto
		for _, l := range s.ledger.Links() {
			a.weights[auditedLink{id, l.Operator}] = l.Weight
		}
	}
	for i := range c.leadCount {
		if lead := c.lead(LeadID(i + 1)); lead.Erased() {
			a.erased[lead.ID] = true
		} else {
			a.emails[lead.Email] = lead.ID
		}
	}
	for contact := range c.view().Contacts() {
		a.take(contact)
	}
	return a
}

func (a *Auditor) take(c *Contact) {
	switch c.Status {
	case StatusOpen:
		a.contacts[c.ID] = auditedContact{source: c.Source, lead: c.Lead, avoid: c.Avoid, rank: c.rank()}
	case StatusAssigned:
		a.contacts[c.ID] = auditedContact{source: c.Source, operator: c.Operator, lead: c.Lead, rank: c.rank()}
		a.operators[c.Operator].load++
	case StatusClosed:
	}
}

// Record checks the next record of the journal, and the state after it.
func (a *Auditor) Record(r Record) error {
	for _, e := range r.Events {
		if err := a.event(e); err != nil {
			return fmt.Errorf("record %d, %s: %w", a.catalog.Index()+1, describe(e), err)
		}
	}
	if err := a.catalog.Apply(r); err != nil {
		return err
	}
	if err := a.state(r); err != nil {
		return fmt.Errorf("after record %d: %w", a.catalog.Index(), err)
	}
	return nil
}

// Catalog is the state so far.
func (a *Auditor) Catalog() *Catalog { return a.catalog }

func (a *Auditor) event(event Event) error {
	switch e := event.(type) {
	case *OperatorCreated:
		a.operators[e.ID] = &auditedOperator{active: e.Active, draining: e.Draining, maxLoad: e.MaxLoad}
	case *OperatorChanged:
		o := a.operators[e.ID]
		if o == nil {
			return fmt.Errorf("the operator does not exist")
		}
		o.active, o.draining, o.maxLoad = e.Active, e.Draining, e.MaxLoad
	case *OperatorDeleted:
		return a.operatorDeleted(e)
	case *OperatorDrawn:
		return a.drawn(e)
	case *SourceDeleted:
		return a.sourceDeleted(e)
	case *SourceCreated:
		a.auto[e.ID] = e.Backlog == BacklogAuto
	case *SourceChanged:
		a.auto[e.ID] = e.Backlog == BacklogAuto
	case *LinkSet:
		a.weights[auditedLink{e.Source, e.Operator}] = e.Weight
	case *LinkRemoved:
		delete(a.weights, auditedLink{e.Source, e.Operator})
	case *LeadCreated:
		if other, taken := a.emails[e.Email]; taken {
			return fmt.Errorf("one lead per email: lead %d has it already", other)
		}
		a.emails[e.Email] = e.ID
	case *ContactCreated:
		if _, known := a.catalog.Lead(e.Lead); !known {
			return fmt.Errorf("one lead per email: lead %d does not exist yet", e.Lead)
		}
		if a.erased[e.Lead] {
			return fmt.Errorf("erased: lead %d was erased", e.Lead)
		}
		a.contacts[e.ID] = auditedContact{source: e.Source, lead: e.Lead, rank: RankOf(e.ID, e.Priority)}
	case *ContactReleased:
		return a.released(e)
	case *ContactReopened:
		return a.reopened(e)
	case *ContactPrioritised:
		return a.prioritised(e)
	case *LeadChanged:
		if a.erased[e.ID] {
			return fmt.Errorf("erased: lead %d was erased", e.ID)
		}
	case *LeadErased:
		return a.leadErased(e)
	case *ContactAssigned:
		return a.assigned(e)
	case *ContactClosed:
		return a.closed(e)
	case *ContactsArchived:
		return a.archived(e)
	}
	return nil
}

// leadErased checks that no contact of the lead is live, and frees the email for a new lead.
func (a *Auditor) leadErased(e *LeadErased) error {
	for id, c := range a.contacts {
		if c.lead == e.ID {
			return fmt.Errorf("erased: contact %d of the lead is live", id)
		}
	}
	for email, id := range a.emails {
		if id == e.ID {
			delete(a.emails, email)
			a.erased[id] = true
			return nil
		}
	}
	return fmt.Errorf("erased: there is no such lead, or no longer")
}

// archived checks that what is forgotten was there, and closed.
func (a *Auditor) archived(e *ContactsArchived) error {
	for _, id := range e.IDs {
		_, live := a.contacts[id]
		if _, known := a.catalog.Contact(id); live || !known {
			return fmt.Errorf("archived: contact %d is live, or not there", id)
		}
	}
	return nil
}

// state checks what a record can have changed: loads, and lags that sum to 0.
func (a *Auditor) state(r Record) error {
	for _, event := range r.Events {
		var touched []OperatorID
		var source SourceID
		switch e := event.(type) {
		case *ContactAssigned:
			touched, source = []OperatorID{e.Operator, e.From}, e.Source
		case *ContactClosed:
			touched = []OperatorID{e.Operator}
		case *ContactReleased:
			touched = []OperatorID{e.Operator}
		case *OperatorDrawn:
			source = e.Source
		case *LinkRemoved:
			source = e.Source
		}
		for _, id := range touched {
			if got := a.catalog.operator(id); got != nil && got.Load != a.operators[id].load {
				return fmt.Errorf("same state: operator %d has load %d and holds %d", id, got.Load, a.operators[id].load)
			}
		}
		if err := a.catalog.checkLags(source); err != nil {
			return err
		}
	}
	return nil
}

// Waiting lists the open contacts that an operator is to serve.
func (a *Auditor) Waiting(op OperatorID) iter.Seq2[ContactID, SourceID] {
	return func(yield func(ContactID, SourceID) bool) {
		for id, c := range a.contacts {
			wanted := c.operator == 0 && a.auto[c.source] && a.weights[auditedLink{c.source, op}] > 0 &&
				(c.avoid != op || !a.another(c.source, op))
			if wanted && !yield(id, c.source) {
				return
			}
		}
	}
}

// Conserving checks that nobody waits for an operator that could take the contact. It holds at rest only.
func (a *Auditor) Conserving() error {
	for op, o := range a.operators {
		if o.draining && o.load == 0 {
			return fmt.Errorf("operator %d is draining and holds nothing", op)
		}
		if !o.active || o.load >= o.maxLoad {
			continue
		}
		for id := range a.Waiting(op) {
			return fmt.Errorf("work conserving: contact %d waits, and operator %d is eligible", id, op)
		}
	}
	return nil
}

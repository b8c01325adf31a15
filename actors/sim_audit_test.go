package actors

import (
	"fmt"
	"math"

	"minicrm/domain"
)

// auditor reads a journal record by record and checks what must hold after each, from the events alone: it shares no
// code with the catalog, only the events. The catalog's lags are checked beside it.
type auditor struct {
	seen      int
	catalog   *domain.Catalog
	operators map[domain.OperatorID]*auditedOperator
	auto      map[domain.SourceID]bool
	autoSince map[domain.SourceID]int
	weights   map[auditedLink]int64
	leads     map[domain.LeadID]string
	emails    map[string]bool
	contacts  map[domain.ContactID]*auditedContact
	stamps    map[domain.Event]stamp
	stamp     stamp // of the record being audited
	strict    bool  // the stamps are known, so that overtaking can be told from a race
}

type auditedOperator struct {
	active        bool
	maxLoad, load int
}

type auditedLink struct {
	source   domain.SourceID
	operator domain.OperatorID
}

type auditedContact struct {
	source   domain.SourceID
	operator domain.OperatorID // 0 = open
	closed   bool
	since    int // when the record that opened it was sent
}

func newAuditor(stamps map[domain.Event]stamp) *auditor {
	return &auditor{
		catalog:   domain.NewCatalog(),
		operators: map[domain.OperatorID]*auditedOperator{},
		auto:      map[domain.SourceID]bool{},
		autoSince: map[domain.SourceID]int{},
		weights:   map[auditedLink]int64{},
		leads:     map[domain.LeadID]string{},
		emails:    map[string]bool{},
		contacts:  map[domain.ContactID]*auditedContact{},
		stamps:    stamps,
		strict:    true,
	}
}

// audit goes on where it stopped: a journal only grows.
func (a *auditor) audit(records []domain.Record) error {
	for ; a.seen < len(records); a.seen++ {
		stamped, ok := a.stamps[records[a.seen].Events[0]]
		if a.stamp = stamped; !ok { // decided at the start, alone
			a.stamp.locked = math.MaxInt
		}
		for _, e := range records[a.seen].Events {
			if err := a.event(e); err != nil {
				return fmt.Errorf("record %d, %T%+v: %w", a.seen+1, e, e, err)
			}
		}
		if err := a.catalog.Apply(records[a.seen]); err != nil {
			return err
		}
		if err := a.after(); err != nil {
			return fmt.Errorf("after record %d: %w", a.seen+1, err)
		}
	}
	return nil
}

func (a *auditor) event(event domain.Event) error {
	switch e := event.(type) {
	case *domain.OperatorCreated:
		a.operators[e.ID] = &auditedOperator{active: e.Active, maxLoad: e.MaxLoad}
	case *domain.OperatorChanged:
		a.operators[e.ID].active, a.operators[e.ID].maxLoad = e.Active, e.MaxLoad
	case *domain.SourceCreated:
		a.auto[e.ID], a.autoSince[e.ID] = e.Backlog == domain.BacklogAuto, a.stamp.sent
	case *domain.SourceChanged:
		a.auto[e.ID], a.autoSince[e.ID] = e.Backlog == domain.BacklogAuto, a.stamp.sent
	case *domain.LinkSet:
		a.weights[auditedLink{e.Source, e.Operator}] = e.Weight
	case *domain.LinkRemoved:
		delete(a.weights, auditedLink{e.Source, e.Operator})
	case *domain.LeadCreated:
		if a.emails[e.Email] {
			return fmt.Errorf("one lead per email: %s has one already", e.Email)
		}
		a.leads[e.ID], a.emails[e.Email] = e.Email, true
	case *domain.ContactCreated:
		if _, known := a.leads[e.Lead]; !known {
			return fmt.Errorf("one lead per email: lead %d does not exist yet", e.Lead)
		}
		a.contacts[e.ID] = &auditedContact{source: e.Source, since: a.stamp.sent}
	case *domain.ContactAssigned:
		return a.assigned(e)
	case *domain.ContactClosed:
		return a.closed(e)
	}
	return nil
}

func (a *auditor) assigned(e *domain.ContactAssigned) error {
	contact, op := a.contacts[e.ID], a.operators[e.Operator]
	weight, linked := a.weights[auditedLink{e.Source, e.Operator}]
	full := op.load >= op.maxLoad
	switch {
	case contact.closed || contact.operator != e.From:
		return fmt.Errorf("the contact is %+v", contact)
	case !linked:
		return fmt.Errorf("cap: not linked")
	case e.How == domain.Automatic && (weight == 0 || !op.active || full):
		return fmt.Errorf("cap: weight %d, operator %+v", weight, op)
	case e.How == domain.Manual && (!op.active || full):
		return fmt.Errorf("cap: assigned without force to %+v", op)
	}
	if a.strict && e.How == domain.Automatic {
		if id := a.overtaken(e); id != 0 {
			return fmt.Errorf("overtaken: contact %d waits for operator %d", id, e.Operator)
		}
	}
	if e.From != 0 {
		a.operators[e.From].load--
	}
	op.load++
	contact.operator = e.Operator
	return nil
}

// overtaken finds an older contact that waited for the operator when the decision began. One that began to wait only
// while the operator's lock was held, when its source's head may have been read already, is a race without a loser.
func (a *auditor) overtaken(e *domain.ContactAssigned) domain.ContactID {
	for id, other := range a.contacts {
		waits := id < e.ID && !other.closed && other.operator == 0 && a.wants(other.source, e.Operator)
		if waits && max(other.since, a.autoSince[other.source]) < a.stamp.locked {
			return id
		}
	}
	return 0
}

// wants says whether a source's backlog is served by an operator.
func (a *auditor) wants(source domain.SourceID, op domain.OperatorID) bool {
	return a.auto[source] && a.weights[auditedLink{source, op}] > 0
}

func (a *auditor) closed(e *domain.ContactClosed) error {
	contact := a.contacts[e.ID]
	if contact.closed || contact.operator != e.Operator {
		return fmt.Errorf("the contact is %+v", contact)
	}
	if e.Operator != 0 {
		a.operators[e.Operator].load--
	}
	contact.closed = true
	return nil
}

// after checks the state after a record: loads, and lags that sum to 0 and stay small.
func (a *auditor) after() error {
	for id, op := range a.operators {
		if got, _ := a.catalog.Operator(id); got.Load != op.load {
			return fmt.Errorf("same state: operator %d has load %d, holds %d", id, got.Load, op.load)
		}
	}
	for _, id := range a.catalog.SourceIDs() {
		var sum int64
		links, _ := a.catalog.Links(id, 0, domain.MaxLinks)
		for _, l := range links {
			sum += l.Lag
			if l.Lag > 3*domain.One || l.Lag < -3*domain.One {
				return fmt.Errorf("share: the lag of operator %d in source %d is %f", l.Operator, id, float64(l.Lag)/domain.One)
			}
		}
		if sum != 0 {
			return fmt.Errorf("share: the lags of source %d sum to %d", id, sum)
		}
	}
	return nil
}

// conserving checks that nobody waits for an operator that could take the contact.
func (a *auditor) conserving() error {
	for id, contact := range a.contacts {
		if contact.closed || contact.operator != 0 {
			continue
		}
		for op, o := range a.operators {
			if o.active && o.load < o.maxLoad && a.wants(contact.source, op) {
				return fmt.Errorf("work conserving: contact %d waits, and operator %d is eligible", id, op)
			}
		}
	}
	return nil
}

package domain

import "fmt"

// What an auditor checks of the events of contacts.

func (a *Auditor) assigned(e *ContactAssigned) error {
	contact, live := a.contacts[e.ID]
	op, exists := a.operators[e.Operator]
	weight, linked := a.weights[auditedLink{e.Source, e.Operator}]
	if !live || contact.operator != e.From || contact.source != e.Source || !exists {
		return fmt.Errorf("no such operator, or the contact is not where the event says: %+v", contact)
	}
	full := op.load >= op.maxLoad
	switch {
	case !linked:
		return fmt.Errorf("cap: not linked")
	case (e.How == Automatic || e.How == Sticky) && (weight == 0 || !op.active || full):
		return fmt.Errorf("cap: weight %d, operator %+v", weight, *op)
	case e.How == Manual && (!op.active || full):
		return fmt.Errorf("cap: assigned without force to %+v", *op)
	}
	if e.From != 0 {
		a.operators[e.From].load--
	}
	op.load++
	contact.operator, contact.avoid = e.Operator, 0
	a.contacts[e.ID] = contact
	return nil
}

func (a *Auditor) closed(e *ContactClosed) error {
	contact, live := a.contacts[e.ID]
	if !live || contact.operator != e.Operator {
		return fmt.Errorf("the contact is not where the event says: %+v", contact)
	}
	if e.Operator != 0 {
		a.operators[e.Operator].load--
	}
	delete(a.contacts, e.ID)
	return nil
}

func (a *Auditor) released(e *ContactReleased) error {
	contact, live := a.contacts[e.ID]
	if !live || contact.operator == 0 || contact.operator != e.Operator || contact.source != e.Source {
		return fmt.Errorf("the contact is not where the event says: %+v", contact)
	}
	a.operators[e.Operator].load--
	contact.operator, contact.avoid = 0, e.Operator
	a.contacts[e.ID] = contact
	return nil
}

func (a *Auditor) reopened(e *ContactReopened) error {
	contact, known := a.catalog.Contact(e.ID)
	if _, live := a.contacts[e.ID]; live || !known || contact.Source != e.Source {
		return fmt.Errorf("the contact is not closed, or not there")
	}
	if a.erased[contact.Lead] {
		return fmt.Errorf("erased: lead %d was erased", contact.Lead)
	}
	a.contacts[e.ID] = auditedContact{source: e.Source, lead: contact.Lead, rank: RankOf(e.ID, e.Priority)}
	return nil
}

func (a *Auditor) prioritised(e *ContactPrioritised) error {
	contact, live := a.contacts[e.ID]
	if !live || contact.operator != 0 {
		return fmt.Errorf("the contact is not open")
	}
	contact.rank = RankOf(e.ID, e.Priority)
	a.contacts[e.ID] = contact
	return nil
}

// Rank is the place of a live contact among all that wait.
func (a *Auditor) Rank(id ContactID) Rank { return a.contacts[id].rank }

// Avoids says whether a waiting contact was released by the operator.
func (a *Auditor) Avoids(id ContactID, op OperatorID) bool { return a.contacts[id].avoid == op }

// another says whether another active operator than op is linked to a source with a weight.
func (a *Auditor) another(source SourceID, op OperatorID) bool {
	for link, weight := range a.weights {
		if link.source == source && link.operator != op && weight > 0 && a.operators[link.operator].active {
			return true
		}
	}
	return false
}

func (a *Auditor) drawn(e *OperatorDrawn) error {
	if weight := a.weights[auditedLink{e.Source, e.Operator}]; weight == 0 {
		return fmt.Errorf("cap: not linked, or weight 0")
	}
	return nil
}

func (a *Auditor) operatorDeleted(e *OperatorDeleted) error {
	if o := a.operators[e.ID]; o == nil || o.load > 0 {
		return fmt.Errorf("the operator has contacts, or does not exist")
	}
	for link := range a.weights {
		if link.operator == e.ID {
			return fmt.Errorf("the operator is linked to source %d", link.source)
		}
	}
	delete(a.operators, e.ID)
	return nil
}

func (a *Auditor) sourceDeleted(e *SourceDeleted) error {
	for id, contact := range a.contacts {
		if contact.source == e.ID {
			return fmt.Errorf("contact %d of the source is not closed", id)
		}
	}
	for link := range a.weights {
		if link.source == e.ID {
			delete(a.weights, link)
		}
	}
	return nil
}

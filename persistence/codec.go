package persistence

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"minicrm/domain"
)

// The walks through the messages of journalpb/journal.proto, which is the contract: numbers and rules are there.
// A walk names its fields in the order of their numbers.

func record(c *coder, r *domain.Record) {
	integer(c, 1, &r.At)
	repeated(c, 2, &r.Events, event)
	text(c, 3, &r.By)
	switch {
	case len(r.Events) > 0:
	case c.reading:
		c.fail(2, "a record has no events")
	default:
		panic("a record has no events")
	}
}

// event is the oneof. The first that fits ends the walk, so what happens most comes first.
func event(c *coder, e *domain.Event) {
	known := kind(c, 1, e, contactCreated) ||
		kind(c, 2, e, contactAssigned) ||
		kind(c, 3, e, contactClosed) ||
		kind(c, 4, e, leadCreated) ||
		kind(c, 5, e, leadChanged) ||
		kind(c, 6, e, contactsArchived) ||
		kind(c, 7, e, leadErased) ||
		kind(c, 8, e, contactReleased) ||
		kind(c, 9, e, contactReopened) ||
		kind(c, 10, e, contactPrioritised) ||
		kind(c, 11, e, operatorDrawn) ||
		kind(c, 16, e, operatorCreated) ||
		kind(c, 17, e, operatorChanged) ||
		kind(c, 18, e, sourceCreated) ||
		kind(c, 19, e, sourceChanged) ||
		kind(c, 20, e, linkSet) ||
		kind(c, 21, e, linkRemoved) ||
		kind(c, 22, e, operatorDeleted) ||
		kind(c, 23, e, sourceDeleted)
	switch {
	case known:
	case c.reading:
		c.fail(c.peek(), "there is no such event")
	default:
		panic(fmt.Sprintf("the journal has no event %T", *e))
	}
}

// kind is one kind of event; it is false when the event is of another kind.
func kind[E any, P interface {
	*E
	domain.Event
}](c *coder, field protowire.Number, event *domain.Event, walk func(*coder, *E)) bool {
	if !c.reading {
		e, ok := (*event).(P)
		if ok {
			message(c, field, (*E)(e), walk)
		}
		return ok
	}
	if c.peek() != field {
		return false
	}
	e := new(E)
	*event = P(e)
	message(c, field, e, walk)
	return true
}

func contactCreated(c *coder, e *domain.ContactCreated) {
	integer(c, 1, &e.ID)
	integer(c, 2, &e.Source)
	integer(c, 3, &e.Lead)
	text(c, 4, &e.Text)
	enum(c, 5, &e.Priority, domain.MaxPriority)
	if c.reading || e.Key != (domain.Key{}) {
		message(c, 6, &e.Key, key)
	}
}

func key(c *coder, k *domain.Key) {
	digest(c, 1, &k.Digest)
	fixed(c, 2, &k.Body)
}

func contactAssigned(c *coder, e *domain.ContactAssigned) {
	integer(c, 1, &e.ID)
	integer(c, 2, &e.Source)
	integer(c, 3, &e.Operator)
	integer(c, 4, &e.From)
	enum(c, 5, &e.How, domain.Sticky)
	charged(c, 6, &e.Among)
}

// charged is the eligible set of a decision; one that was not charged is not written.
func charged(c *coder, field protowire.Number, a *domain.Among) {
	if c.reading || a.Kind != domain.Uncharged || len(a.Rows) > 0 {
		message(c, field, a, among)
	}
}

func among(c *coder, a *domain.Among) {
	enum(c, 1, &a.Kind, domain.SpelledSet)
	words(c, 2, &a.Rows)
}

func contactClosed(c *coder, e *domain.ContactClosed) {
	integer(c, 1, &e.ID)
	integer(c, 2, &e.Source)
	integer(c, 3, &e.Operator)
	text(c, 4, &e.Reason)
}

func contactReleased(c *coder, e *domain.ContactReleased) {
	integer(c, 1, &e.ID)
	integer(c, 2, &e.Source)
	integer(c, 3, &e.Operator)
}

func contactReopened(c *coder, e *domain.ContactReopened) {
	integer(c, 1, &e.ID)
	integer(c, 2, &e.Source)
	enum(c, 3, &e.Priority, domain.MaxPriority)
}

func contactPrioritised(c *coder, e *domain.ContactPrioritised) {
	integer(c, 1, &e.ID)
	integer(c, 2, &e.Source)
	enum(c, 3, &e.Priority, domain.MaxPriority)
}

func operatorDrawn(c *coder, e *domain.OperatorDrawn) {
	integer(c, 1, &e.Source)
	integer(c, 2, &e.Operator)
	charged(c, 3, &e.Among)
}

func leadCreated(c *coder, e *domain.LeadCreated) {
	integer(c, 1, &e.ID)
	text(c, 2, &e.Email)
	text(c, 3, &e.Name)
	text(c, 4, &e.Phone)
}

func leadChanged(c *coder, e *domain.LeadChanged) {
	integer(c, 1, &e.ID)
	optional(c, 2, &e.Name)
	optional(c, 3, &e.Phone)
}

func contactsArchived(c *coder, e *domain.ContactsArchived) {
	integer(c, 1, &e.Day)
	integers(c, 2, &e.IDs)
}

func leadErased(c *coder, e *domain.LeadErased) { integer(c, 1, &e.ID) }

func operatorCreated(c *coder, e *domain.OperatorCreated) {
	integer(c, 1, &e.ID)
	text(c, 2, &e.Name)
	boolean(c, 3, &e.Active)
	integer(c, 4, &e.MaxLoad)
	boolean(c, 5, &e.Draining)
	text(c, 6, &e.ExternalID)
	text(c, 7, &e.Username)
}

func operatorChanged(c *coder, e *domain.OperatorChanged) {
	operatorCreated(c, (*domain.OperatorCreated)(e))
}

func operatorDeleted(c *coder, e *domain.OperatorDeleted) { integer(c, 1, &e.ID) }

func sourceCreated(c *coder, e *domain.SourceCreated) {
	integer(c, 1, &e.ID)
	text(c, 2, &e.Name)
	enum(c, 3, &e.Backlog, domain.BacklogManual)
	integer(c, 4, &e.BacklogLimit)
	integer(c, 5, &e.StickyWindow)
}

func sourceChanged(c *coder, e *domain.SourceChanged) {
	sourceCreated(c, (*domain.SourceCreated)(e))
}

func sourceDeleted(c *coder, e *domain.SourceDeleted) { integer(c, 1, &e.ID) }

func linkSet(c *coder, e *domain.LinkSet) {
	integer(c, 1, &e.Source)
	integer(c, 2, &e.Operator)
	integer(c, 3, &e.Weight)
}

func linkRemoved(c *coder, e *domain.LinkRemoved) {
	integer(c, 1, &e.Source)
	integer(c, 2, &e.Operator)
}

package actors

import (
	"context"
	"errors"

	"minicrm/domain"
)

// CreateContact finds or creates the lead and dispatches the contact. A repeat gives the contact that its idempotency key
// made before, as it is now.
func (d *Dispatcher) CreateContact(
	ctx context.Context, n domain.NewContact, by domain.Stamp,
) (contact domain.Contact, replayed bool, err error) {
	to, err := d.source(n.Source)
	if err != nil {
		return domain.Contact{}, false, err
	}
	r := d.replies.get(d.journey(ctx))
	m := &newContact{command: command{Stamp: by, waiter: r}, desk: to, NewContact: n}
	d.leads.Tell(m)
	contact, err = d.replies.await(ctx, d, r)
	if err != nil { // replayed may not be read: the command may still be on its way
		return domain.Contact{}, false, err
	}
	return contact, m.replayed, nil
}

// CreateContacts creates many contacts at once: each is a command of its own, in order for each source. An error says
// that the answers will not come; what became of the contacts is unknown then.
func (d *Dispatcher) CreateContacts(
	ctx context.Context, all []domain.NewContact, by domain.Stamp,
) ([]domain.CreatedContact, error) {
	results := make([]domain.CreatedContact, len(all))
	b := &batch{done: make(chan struct{}, 1), results: results, journey: d.journey(ctx)}
	message := &newContacts{}
	items := make([]batchItem, len(all))
	for i := range all {
		to, err := d.source(all[i].Source)
		if err != nil {
			results[i].Err = err
			continue
		}
		item := &items[i]
		*item = batchItem{batch: b, at: i, newContact: newContact{
			command: command{Stamp: by, waiter: item}, desk: to, NewContact: all[i],
		}}
		b.left, b.last = b.left+1, i
		message.items = append(message.items, &item.newContact)
	}
	if b.left == 0 {
		return results, nil
	}
	d.leads.Tell(message)
	if _, err := receive(ctx, d, b.done); err != nil {
		return nil, err
	}
	d.end(ctx, b.journey)
	return results, nil
}

// batch gathers the answers to the contacts of one request. The journal decider alone settles them.
type batch struct {
	left    int
	results []domain.CreatedContact
	done    chan struct{} // room for one
	last    int           // the contact whose way is traced for all
	journey *journey
}

type batchItem struct {
	newContact
	batch *batch
	at    int
}

func (i *batchItem) traced() *journey {
	if i.at != i.batch.last {
		return nil
	}
	return i.batch.journey
}

func (i *batchItem) settle(c *domain.Catalog, subject int64, err error) {
	r := &i.batch.results[i.at]
	r.Err = err
	if err == nil {
		r.Contact, r.Err = contactIn(c, subject)
		r.Replayed = i.replayed
	}
	if i.batch.left--; i.batch.left == 0 {
		i.batch.done <- struct{}{}
	}
}

// CloseContact ends a contact; its seat goes to whoever waits.
func (d *Dispatcher) CloseContact(
	ctx context.Context, id domain.ContactID, reason string, by domain.Stamp,
) (domain.Contact, error) {
	return d.onContact(ctx, id, by, func(c command) any { return &closeContact{c, id, reason} })
}

// AssignContact is a manual assignment, of an open contact or from one operator to another.
func (d *Dispatcher) AssignContact(
	ctx context.Context, id domain.ContactID, op domain.OperatorID, force bool, by domain.Stamp,
) (domain.Contact, error) {
	if err := d.knowsOperator(op); err != nil {
		return domain.Contact{}, err
	}
	return d.onContact(ctx, id, by, func(c command) any { return &assignContact{c, id, op, force} })
}

// ReleaseContact takes a contact from its operator and dispatches it anew.
func (d *Dispatcher) ReleaseContact(ctx context.Context, id domain.ContactID, by domain.Stamp) (domain.Contact, error) {
	return d.onContact(ctx, id, by, func(c command) any { return &releaseContact{c, id, 0} })
}

// PrioritiseContact changes the priority of an open contact.
func (d *Dispatcher) PrioritiseContact(
	ctx context.Context, id domain.ContactID, priority uint8, by domain.Stamp,
) (domain.Contact, error) {
	return d.onContact(ctx, id, by, func(c command) any { return &prioritiseContact{c, id, priority} })
}

// onContact tells the source of a contact, and waits for the answer.
func (d *Dispatcher) onContact(
	ctx context.Context, id domain.ContactID, by domain.Stamp, message func(command) any,
) (domain.Contact, error) {
	to, _, err := d.sourceOf(id)
	if err != nil {
		return domain.Contact{}, err
	}
	r := d.replies.get(d.journey(ctx))
	to.Tell(message(command{Stamp: by, subject: int64(id), waiter: r}))
	return d.replies.await(ctx, d, r)
}

// ReopenContact brings a closed contact back, to the operator that had it if that one is eligible. It is not archived
// meanwhile: whoever archives waits until the answer is there, so that is waited for whatever becomes of the client.
func (d *Dispatcher) ReopenContact(ctx context.Context, id domain.ContactID, by domain.Stamp) (domain.Contact, error) {
	d.archiving.RLock()
	defer d.archiving.RUnlock()
	to, contact, err := d.sourceOf(id)
	if err != nil {
		return domain.Contact{}, err
	}
	r := newReply(d.journey(ctx), contactIn)
	d.leads.Tell(&reopenContact{
		command: command{Stamp: by, subject: int64(id), waiter: r}, desk: to, lead: contact.Lead,
		id: id, priority: contact.Priority, had: contact.Operator,
	})
	return await(context.WithoutCancel(ctx), d, r)
}

// ReleaseAll releases all contacts that an operator holds, each on its own, and says what became of them.
func (d *Dispatcher) ReleaseAll(ctx context.Context, id domain.OperatorID, by domain.Stamp) (all domain.Released, err error) {
	held, err := d.heldBy(id)
	if err != nil {
		return all, err
	}
	answers := make([]*reply[domain.Contact], len(held))
	var j *journey
	for i, contact := range held {
		if i == len(held)-1 { // as in a batch, the last is traced for all
			j = d.journey(ctx)
		}
		answers[i] = newReply(j, contactIn)
		err := d.tellSource(contact.Source, &releaseContact{
			command{Stamp: by, subject: int64(contact.ID), waiter: answers[i]}, contact.ID, id,
		})
		if err != nil {
			return all, err
		}
	}
	all.Total = len(held)
	for _, answer := range answers {
		contact, err := await(ctx, d, answer)
		refusal, refused := errors.AsType[*domain.Error](err)
		switch {
		case refused && refusal.Code != domain.CodeUnavailable:
			all.Skipped++
		case err != nil:
			return all, err
		case contact.Status == domain.StatusAssigned:
			all.Assigned++
		default:
			all.Open++
		}
	}
	return all, nil
}

// heldBy lists the contacts that an operator holds.
func (d *Dispatcher) heldBy(id domain.OperatorID) (held []domain.Contact, err error) {
	d.View(func(c *domain.Catalog) {
		var o domain.Operator
		if o, err = c.FindOperator(id); err != nil {
			return
		}
		held, _ = c.Contacts(domain.ContactFilter{Status: domain.StatusAssigned, Operator: id}, 0, o.Load+1)
	})
	return held, err
}

// DrawOperator decides who would get a contact that another system routes, and charges the ledger for it.
func (d *Dispatcher) DrawOperator(ctx context.Context, id domain.SourceID, by domain.Stamp) (domain.Operator, error) {
	r := newReply(d.journey(ctx), operatorIn)
	if err := d.tellSource(id, &drawOperator{command{Stamp: by, waiter: r}}); err != nil {
		return domain.Operator{}, err
	}
	return await(ctx, d, r)
}

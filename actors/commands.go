package actors

import (
	"context"

	"minicrm/domain"
)

// View runs read on the committed state, under its read lock.
func (d *Dispatcher) View(read func(*domain.Catalog)) { d.catalog.view(read) }

// TakeSnapshot takes a snapshot of the state as it is now, or a little later, and returns the index of
// the last record in it when it is durable.
func (d *Dispatcher) TakeSnapshot(ctx context.Context) (index uint64, err error) {
	done := make(chan snapshotTaken, 1)
	d.journal.Tell(&takeSnapshot{done})
	t, err := receive(ctx, d, done)
	if err != nil {
		return 0, err
	}
	return t.index, t.err
}

// CreateOperator creates an operator.
func (d *Dispatcher) CreateOperator(ctx context.Context, n domain.NewOperator, at domain.Time) (domain.Operator, error) {
	r := newReply(operatorIn)
	d.operators.Tell(&createOperator{command{at: at, waiter: r}, n})
	return await(ctx, d, r)
}

// ChangeOperator changes an operator; seats that this frees go to whoever waits.
func (d *Dispatcher) ChangeOperator(
	ctx context.Context, id domain.OperatorID, p domain.OperatorPatch, at domain.Time,
) (domain.Operator, error) {
	if err := d.knowsOperator(id); err != nil {
		return domain.Operator{}, err
	}
	r := newReply(operatorIn)
	d.operators.Tell(&changeOperator{command{at: at, subject: int64(id), waiter: r}, id, p})
	return await(ctx, d, r)
}

// CreateSource creates a source and its actor.
func (d *Dispatcher) CreateSource(ctx context.Context, n domain.NewSource, at domain.Time) (domain.Source, error) {
	r := newReply(sourceIn)
	d.seats.sources.add(int64(d.firstID), func(id int64) *desk {
		s := domain.Source{ID: domain.SourceID(id), Name: n.Name, Backlog: n.Backlog, CreatedAt: at}
		created := newSource(d.seats, s)
		box := d.spawnSource(s.ID, created)
		box.Tell(&openSource{command{at: at, subject: id, waiter: r}})
		return &desk{mailbox: box, head: created.port.head}
	})
	return await(ctx, d, r)
}

// ChangeSource changes a source; a backlog that becomes auto is drained.
func (d *Dispatcher) ChangeSource(
	ctx context.Context, id domain.SourceID, p domain.SourcePatch, at domain.Time,
) (domain.Source, error) {
	r := newReply(sourceIn)
	if err := d.tellSource(id, &changeSource{command{at: at, subject: int64(id), waiter: r}, p}); err != nil {
		return domain.Source{}, err
	}
	return await(ctx, d, r)
}

// SetLink links an operator to a source or changes the weight.
func (d *Dispatcher) SetLink(
	ctx context.Context, id domain.SourceID, op domain.OperatorID, weight int64, at domain.Time,
) (domain.LinkView, error) {
	if err := d.knowsOperator(op); err != nil {
		return domain.LinkView{}, err
	}
	r := newReply(func(c *domain.Catalog, _ int64) (domain.LinkView, bool) { return c.Link(id, op) })
	if err := d.tellSource(id, &setLink{command{at: at, waiter: r}, op, weight}); err != nil {
		return domain.LinkView{}, err
	}
	return await(ctx, d, r)
}

// RemoveLink unlinks an operator from a source.
func (d *Dispatcher) RemoveLink(ctx context.Context, id domain.SourceID, op domain.OperatorID, at domain.Time) error {
	r := newReply(sourceIn)
	if err := d.tellSource(id, &removeLink{command{at: at, subject: int64(id), waiter: r}, op}); err != nil {
		return err
	}
	_, err := await(ctx, d, r)
	return err
}

// CreateLead creates a lead.
func (d *Dispatcher) CreateLead(ctx context.Context, n domain.NewLead, at domain.Time) (domain.Lead, error) {
	r := newReply(leadIn)
	d.leads.Tell(&createLead{command{at: at, waiter: r}, n})
	return await(ctx, d, r)
}

// ChangeLead changes a lead.
func (d *Dispatcher) ChangeLead(
	ctx context.Context, id domain.LeadID, p domain.LeadPatch, at domain.Time,
) (domain.Lead, error) {
	if err := d.knowsLead(id); err != nil {
		return domain.Lead{}, err
	}
	r := newReply(leadIn)
	d.leads.Tell(&changeLead{command{at: at, subject: int64(id), waiter: r}, id, p})
	return await(ctx, d, r)
}

// CreateContact finds or creates the lead and dispatches the contact.
func (d *Dispatcher) CreateContact(ctx context.Context, n domain.NewContact, at domain.Time) (domain.Contact, error) {
	to, err := d.source(n.Source)
	if err != nil {
		return domain.Contact{}, err
	}
	r := newReply(contactIn)
	d.leads.Tell(&newContact{command: command{at: at, waiter: r}, desk: to, NewContact: n})
	return await(ctx, d, r)
}

// CloseContact ends a contact; its seat goes to whoever waits.
func (d *Dispatcher) CloseContact(ctx context.Context, id domain.ContactID, at domain.Time) (domain.Contact, error) {
	to, err := d.sourceOf(id)
	if err != nil {
		return domain.Contact{}, err
	}
	r := newReply(contactIn)
	to.Tell(&closeContact{command{at: at, subject: int64(id), waiter: r}, id})
	return await(ctx, d, r)
}

// AssignContact is a manual assignment, of an open contact or from one operator to another.
func (d *Dispatcher) AssignContact(
	ctx context.Context, id domain.ContactID, op domain.OperatorID, force bool, at domain.Time,
) (domain.Contact, error) {
	to, err := d.sourceOf(id)
	if err != nil {
		return domain.Contact{}, err
	}
	if err := d.knowsOperator(op); err != nil {
		return domain.Contact{}, err
	}
	r := newReply(contactIn)
	to.Tell(&assignContact{command{at: at, subject: int64(id), waiter: r}, id, op, force})
	return await(ctx, d, r)
}

func operatorIn(c *domain.Catalog, id int64) (domain.Operator, bool) {
	return c.Operator(domain.OperatorID(id))
}
func sourceIn(c *domain.Catalog, id int64) (domain.Source, bool) {
	return c.Source(domain.SourceID(id))
}
func leadIn(c *domain.Catalog, id int64) (domain.Lead, bool) { return c.Lead(domain.LeadID(id)) }
func contactIn(c *domain.Catalog, id int64) (domain.Contact, bool) {
	return c.Contact(domain.ContactID(id))
}

// await waits for the journal's answer.
func await[T any](ctx context.Context, d *Dispatcher, r *reply[T]) (T, error) {
	refusal, err := receive(ctx, d, r.done)
	if err != nil {
		var none T
		return none, err
	}
	return r.value, refusal
}

// receive waits for an answer, unless the client goes away or the dispatcher is down.
func receive[T any](ctx context.Context, d *Dispatcher, from <-chan T) (answer T, err error) {
	select {
	case answer = <-from:
	case <-ctx.Done():
		err = ctx.Err()
	case <-d.host.down:
		err = domain.Refuse(domain.CodeUnavailable, "the dispatcher is stopping")
	}
	return answer, err
}

func (d *Dispatcher) source(id domain.SourceID) (*desk, error) {
	if s := d.seats.sources.get(int64(id)); s != nil {
		return s, nil
	}
	return nil, domain.Refuse(domain.CodeSourceNotFound, "there is no source %d", id)
}

func (d *Dispatcher) tellSource(id domain.SourceID, message any) error {
	s, err := d.source(id)
	if err == nil {
		s.Tell(message)
	}
	return err
}

// sourceOf is the source that decides for a contact.
func (d *Dispatcher) sourceOf(id domain.ContactID) (*desk, error) {
	var contact domain.Contact
	var gone error
	d.View(func(c *domain.Catalog) {
		known := false
		if contact, known = c.Contact(id); !known {
			gone = c.Gone(id)
		}
	})
	if gone != nil {
		return nil, gone
	}
	return d.source(contact.Source)
}

func (d *Dispatcher) knowsOperator(id domain.OperatorID) error {
	if d.seats.operator(id) == nil {
		return domain.Refuse(domain.CodeOperatorNotFound, "there is no operator %d", id)
	}
	return nil
}

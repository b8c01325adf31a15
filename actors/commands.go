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
func (d *Dispatcher) CreateOperator(ctx context.Context, n domain.NewOperator, by domain.Stamp) (domain.Operator, error) {
	r := newReply(d.journey(ctx), operatorIn)
	d.operators.Tell(&createOperator{command{Stamp: by, waiter: r}, n})
	return await(ctx, d, r)
}

// ChangeOperator changes an operator; seats that this frees go to whoever waits.
func (d *Dispatcher) ChangeOperator(
	ctx context.Context, id domain.OperatorID, p domain.OperatorPatch, by domain.Stamp,
) (domain.Operator, error) {
	if err := d.knowsOperator(id); err != nil {
		return domain.Operator{}, err
	}
	r := newReply(d.journey(ctx), operatorIn)
	d.operators.Tell(&changeOperator{command{Stamp: by, subject: int64(id), waiter: r}, id, p})
	return await(ctx, d, r)
}

// DeleteOperator ends an operator that has neither contacts nor links.
func (d *Dispatcher) DeleteOperator(ctx context.Context, id domain.OperatorID, by domain.Stamp) error {
	if err := d.knowsOperator(id); err != nil {
		return err
	}
	r := newReply(d.journey(ctx), nothingIn)
	d.operators.Tell(&deleteOperator{command{Stamp: by, waiter: r}, id})
	_, err := await(ctx, d, r)
	return err
}

// CreateSource creates a source and its actor.
func (d *Dispatcher) CreateSource(ctx context.Context, n domain.NewSource, by domain.Stamp) (domain.Source, error) {
	r := newReply(d.journey(ctx), sourceIn)
	d.seats.sources.add(int64(d.firstID), func(id int64) *desk {
		s := domain.Source{
			ID: domain.SourceID(id), Name: n.Name, Backlog: n.Backlog, BacklogLimit: n.BacklogLimit,
			StickyWindow: n.StickyWindow, CreatedAt: by.At,
		}
		created := newSource(d.seats, d.catalog, d.metrics, s)
		box := d.spawnSource(s.ID, created)
		box.Tell(&openSource{command{Stamp: by, subject: id, waiter: r}})
		return &desk{mailbox: box, heads: created.port.heads}
	})
	return await(ctx, d, r)
}

// ChangeSource changes a source; a backlog that becomes auto is drained.
func (d *Dispatcher) ChangeSource(
	ctx context.Context, id domain.SourceID, p domain.SourcePatch, by domain.Stamp,
) (domain.Source, error) {
	r := newReply(d.journey(ctx), sourceIn)
	if err := d.tellSource(id, &changeSource{command{Stamp: by, subject: int64(id), waiter: r}, p}); err != nil {
		return domain.Source{}, err
	}
	return await(ctx, d, r)
}

// DeleteSource ends a source that has no live contacts, and its links.
func (d *Dispatcher) DeleteSource(ctx context.Context, id domain.SourceID, by domain.Stamp) error {
	to, err := d.source(id)
	if err != nil {
		return err
	}
	r := newReply(d.journey(ctx), nothingIn)
	to.Tell(&deleteSource{command{Stamp: by, waiter: r}})
	if _, err = await(ctx, d, r); err == nil {
		to.gone.Store(true)
	}
	return err
}

// SetLink links an operator to a source or changes the weight.
func (d *Dispatcher) SetLink(
	ctx context.Context, id domain.SourceID, op domain.OperatorID, weight int64, by domain.Stamp,
) (domain.LinkView, error) {
	if err := d.knowsOperator(op); err != nil {
		return domain.LinkView{}, err
	}
	r := newReply(d.journey(ctx), func(c *domain.Catalog, _ int64) (domain.LinkView, error) { return linkIn(c, id, op) })
	if err := d.tellSource(id, &setLink{command{Stamp: by, waiter: r}, op, weight}); err != nil {
		return domain.LinkView{}, err
	}
	return await(ctx, d, r)
}

// RemoveLink unlinks an operator from a source.
func (d *Dispatcher) RemoveLink(ctx context.Context, id domain.SourceID, op domain.OperatorID, by domain.Stamp) error {
	r := newReply(d.journey(ctx), nothingIn)
	if err := d.tellSource(id, &removeLink{command{Stamp: by, waiter: r}, op}); err != nil {
		return err
	}
	_, err := await(ctx, d, r)
	return err
}

// CreateLead creates a lead.
func (d *Dispatcher) CreateLead(ctx context.Context, n domain.NewLead, by domain.Stamp) (domain.Lead, error) {
	r := newReply(d.journey(ctx), leadIn)
	d.leads.Tell(&createLead{command{Stamp: by, waiter: r}, n})
	return await(ctx, d, r)
}

// ChangeLead changes a lead.
func (d *Dispatcher) ChangeLead(
	ctx context.Context, id domain.LeadID, p domain.LeadPatch, by domain.Stamp,
) (domain.Lead, error) {
	if err := d.knowsLead(id); err != nil {
		return domain.Lead{}, err
	}
	r := newReply(d.journey(ctx), leadIn)
	d.leads.Tell(&changeLead{command{Stamp: by, subject: int64(id), waiter: r}, id, p})
	return await(ctx, d, r)
}

// What a command's subject looks like when the command is settled. Another command may have ended it in between.

func operatorIn(c *domain.Catalog, id int64) (domain.Operator, error) {
	return c.FindOperator(domain.OperatorID(id))
}

func sourceIn(c *domain.Catalog, id int64) (domain.Source, error) {
	return c.FindSource(domain.SourceID(id))
}

func linkIn(c *domain.Catalog, id domain.SourceID, op domain.OperatorID) (domain.LinkView, error) {
	link, linked := c.Link(id, op)
	if !linked {
		return link, domain.Refuse(domain.CodeLinkNotFound, "operator %d is not linked to source %d", op, id)
	}
	return link, nil
}

func leadIn(c *domain.Catalog, id int64) (domain.Lead, error) {
	return c.FindLead(domain.LeadID(id))
}

func contactIn(c *domain.Catalog, id int64) (domain.Contact, error) {
	return c.FindContact(domain.ContactID(id))
}

func nothingIn(*domain.Catalog, int64) (struct{}, error) { return struct{}{}, nil }

// await waits for the journal's answer.
func await[T any](ctx context.Context, d *Dispatcher, r *reply[T]) (T, error) {
	refusal, err := receive(ctx, d, r.done)
	if err != nil {
		var none T
		return none, err
	}
	d.end(ctx, r.journey)
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
	if s := d.seats.sources.get(int64(id)); s != nil && !s.gone.Load() {
		return s, nil
	}
	return nil, domain.SourceGone(id)
}

func (d *Dispatcher) tellSource(id domain.SourceID, message any) error {
	s, err := d.source(id)
	if err == nil {
		s.Tell(message)
	}
	return err
}

// sourceOf is the source that decides for a contact, and the contact as it is now.
func (d *Dispatcher) sourceOf(id domain.ContactID) (to *desk, contact domain.Contact, err error) {
	d.View(func(c *domain.Catalog) { contact, err = contactIn(c, int64(id)) })
	if err != nil {
		return nil, contact, err
	}
	to, err = d.source(contact.Source)
	return to, contact, err
}

func (d *Dispatcher) knowsOperator(id domain.OperatorID) error {
	if d.seats.operator(id) == nil {
		return domain.OperatorGone(id)
	}
	return nil
}

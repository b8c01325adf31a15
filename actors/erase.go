package actors

import (
	"context"
	"sync"

	"minicrm/domain"
)

// How a person is erased without a race. LeadErased must never stand in the journal before a contact of that lead that is
// not closed, and a record, once sent, must be legal. Three things can make a contact of a lead live:
//
//   - a contact that is committed and not closed: the catalog shows it;
//   - one that the leads decider has passed on and that is not committed yet: passing counts it, from before it is
//     passed on until after it is in the catalog;
//   - one that comes later, new or reopened: only the leads decider can pass it on, and it is the one that decides the
//     erasure. From then on its registry does not know the email, so a new contact makes a new lead, and it refuses to
//     reopen a contact of the erased one.
//
// So the leads decider first asks passing and then the catalog: what was counted down in between is in the catalog by
// then. When both say no, all contacts of the lead are committed and closed, and stay so: LeadErased is legal wherever it
// comes to stand from now on. The LeadCreated of a new lead with the email is sent after it, by the same decider.

// passing counts, by lead, the contacts that were passed on to their sources and are not settled by the journal yet.
// The leads decider counts up and the journal down, whatever became of the command. It is as large as what is in flight.
type passing struct {
	lock   sync.Locker
	counts map[domain.LeadID]int
}

func newPassing(m memory) *passing {
	return &passing{lock: m.lock(), counts: map[domain.LeadID]int{}}
}

func (p *passing) begin(id domain.LeadID) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.counts[id]++
}

// end comes after the catalog has what was passed on.
func (p *passing) end(id domain.LeadID) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.counts[id]--; p.counts[id] == 0 {
		delete(p.counts, id)
	}
}

func (p *passing) any(id domain.LeadID) bool {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.counts[id] > 0
}

type eraseLead struct {
	command
	id domain.LeadID
}

// erase forgets a lead whose contacts are all closed.
func (l *leads) erase(m *eraseLead) {
	lead, err := l.erasable(m.id)
	if err != nil {
		l.journal.Tell(&commit{command: m.command, err: err})
		return
	}
	l.registry.Erase(lead)
	l.journal.Tell(&commit{command: m.command, record: domain.Record{
		At: m.At, Events: []domain.Event{&domain.LeadErased{ID: m.id}},
	}})
}

func (l *leads) erasable(id domain.LeadID) (lead domain.Lead, err error) {
	switch {
	case l.registry.Erased(id):
		return lead, domain.LeadGone(id)
	case l.passing.any(id):
		return lead, domain.Refuse(domain.CodeLeadLive, "a contact of lead %d is on its way; close it first", id)
	}
	var live domain.ContactID
	l.catalog.view(func(c *domain.Catalog) {
		lead, _ = c.Lead(id)
		live = c.LiveContact(id)
	})
	if live != 0 {
		return lead, domain.Refuse(domain.CodeLeadLive, "contact %d of lead %d is not closed; close it first", live, id)
	}
	return lead, nil
}

// EraseLead erases a person, and returns the index of a record: no later one has anything of that person. Nor has any
// snapshot of a later record, or what is archived after the return.
func (d *Dispatcher) EraseLead(ctx context.Context, id domain.LeadID, by domain.Stamp) (index uint64, err error) {
	if err := d.knowsLead(id); err != nil {
		return 0, err
	}
	r := newReply(d.journey(ctx), func(c *domain.Catalog, _ int64) (uint64, error) { return c.Index(), nil })
	d.leads.Tell(&eraseLead{command{Stamp: by, subject: int64(id), waiter: r}, id})
	if index, err = await(ctx, d, r); err != nil {
		return 0, err
	}
	d.archiving.Lock() // a batch that was read before the erasure is written by then
	defer d.archiving.Unlock()
	return index, nil
}

// knowsLead refuses a lead that was erased, or that never was.
func (d *Dispatcher) knowsLead(id domain.LeadID) (err error) {
	d.View(func(c *domain.Catalog) { _, err = c.FindLead(id) })
	return err
}

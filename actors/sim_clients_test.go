package actors

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"minicrm/domain"
)

// clients drive a simulated process as gateways and admins would, and remember what they were told.
type clients struct {
	rng              *rand.Rand
	leads, operators mailbox
	pausing          bool    // finish what is in flight, begin nothing
	admins, closes   float64 // shares of commands: of admins in all, of closes in the rest
	now              domain.Time
	facts            []fact
	keys             map[usedKey]domain.ContactID // what clients were told that a key made
}

// fact is something that a client was told and that must be true from then on.
type fact struct {
	told string
	true func(*domain.Catalog) bool
}

func newClients(rng *rand.Rand) *clients {
	return &clients{rng: rng, keys: map[usedKey]domain.ContactID{}}
}

// verify checks that what was told survived.
func (c *clients) verify(committed *domain.Catalog) error {
	for _, f := range c.facts {
		if !f.true(committed) {
			return fmt.Errorf("not durable: a client was told that %s", f.told)
		}
	}
	return nil
}

// told is the waiter of a simulated client. It checks at once that what it is told is on the disk.
type told struct {
	s       *simulation
	settled bool
	means   func(subject int64, err error) *fact
}

func (t *told) traced() *journey { return nil }

func (t *told) settle(_ *domain.Catalog, subject int64, err error) {
	t.settled = true
	f := t.means(subject, err)
	if f == nil {
		return
	}
	if !f.true(t.s.disk.shown) {
		t.s.failure = fmt.Errorf("told before it was durable: %s", f.told)
	}
	t.s.clients.facts = append(t.s.clients.facts, *f)
}

// start makes the clients: each has one command in flight at a time.
func (c *clients) start(s *simulation) {
	c.retention(s)
	c.admins, c.closes = max(0, 0.8*c.rng.Float64()-0.4), 0.3+0.4*c.rng.Float64()
	for i := range 5 {
		s.spawn(fmt.Sprintf("client-%d", i), func() bool { return !c.pausing }, func() {
			w := &told{s: s, means: func(int64, error) *fact { return nil }}
			c.now++
			if !c.command(s, w, command{Stamp: domain.Stamp{At: c.now}, waiter: w}) {
				return
			}
			for !w.settled {
				s.current.giveWay()
			}
		})
	}
}

// command sends a random command to whatever exists; false when it found nothing to do.
func (c *clients) command(s *simulation, w *told, cmd command) bool {
	if c.guess(s, cmd) {
		return true
	}
	if c.rng.Float64() < c.admins {
		return c.admin(s, w, cmd)
	}
	if c.rng.Float64() < c.closes {
		return c.close(s, w, cmd)
	}
	if c.rng.IntN(4) == 0 {
		return c.life(s, w, cmd)
	}
	return c.create(s, w, cmd)
}

func (c *clients) admin(s *simulation, w *told, cmd command) bool {
	switch c.rng.IntN(12) {
	case 0:
		return c.createOperator(s, w, cmd)
	case 1:
		return c.createSource(s, w, cmd)
	case 2:
		return c.changeSource(s, cmd)
	case 3:
		return c.createLead(w, cmd)
	case 4, 5:
		return c.assign(s, w, cmd)
	case 6, 7:
		return c.changeOperator(s, cmd)
	case 8:
		return c.delete(s, w, cmd)
	}
	return c.link(s, cmd)
}

func (c *clients) createOperator(s *simulation, w *told, cmd command) bool {
	if s.committed.committed.NextOperator() > 5 {
		return false
	}
	w.means = func(id int64, _ error) *fact {
		return &fact{fmt.Sprintf("operator %d was created", id), func(k *domain.Catalog) bool {
			return k.NextOperator() > domain.OperatorID(id) // it may be deleted by now
		}}
	}
	c.operators.Tell(&createOperator{cmd, domain.NewOperator{Name: "op", Active: c.rng.IntN(4) > 0, MaxLoad: c.rng.IntN(4), Username: "u"}})
	return true
}

func (c *clients) createSource(s *simulation, w *told, cmd command) bool {
	if len(s.sources) >= 4 {
		return false
	}
	id := int64(max(len(s.seats.sources.all())+1, int(s.committed.committed.NextSource())))
	cmd.subject = id
	w.means = func(int64, error) *fact {
		return &fact{fmt.Sprintf("source %d was created", id), func(k *domain.Catalog) bool {
			return k.NextSource() > domain.SourceID(id) // it may be deleted by now
		}}
	}
	source := newSource(s.seats, s.committed, nil, domain.Source{
		ID: domain.SourceID(id), Name: "s", Backlog: c.policy(), BacklogLimit: c.limit(), StickyWindow: c.window(), CreatedAt: cmd.At,
	})
	box := s.spawnSource(domain.SourceID(id), source)
	s.seats.sources.put(id, &desk{mailbox: box, heads: source.port.heads})
	box.Tell(&openSource{cmd})
	return true
}

func (c *clients) policy() domain.BacklogPolicy {
	if c.rng.IntN(4) == 0 {
		return domain.BacklogManual
	}
	return domain.BacklogAuto
}

// limit is mostly none.
func (c *clients) limit() int { return []int{0, 0, 0, 2}[c.rng.IntN(4)] }

// window is off, or as long as all the simulation.
func (c *clients) window() int64 { return []int64{0, 3600}[c.rng.IntN(2)] }

// guess finds an operator that is being created, and links it before anybody was told its id.
func (c *clients) guess(s *simulation, cmd command) bool {
	sources, next := s.committed.committed.SourceIDs(), s.committed.committed.NextOperator()
	if s.seats.operator(next) == nil || len(sources) == 0 || c.rng.IntN(2) == 0 {
		return false
	}
	s.seats.sources.get(int64(sources[c.rng.IntN(len(sources))])).Tell(&setLink{cmd, next, 1})
	return true
}

// pick finds an operator and a source that a client can know of.
func (c *clients) pick(s *simulation) (op domain.OperatorID, source domain.SourceID, ok bool) {
	k := s.committed.committed
	sources := k.SourceIDs()
	if k.NextOperator() == 1 || len(sources) == 0 {
		return 0, 0, false
	}
	return domain.OperatorID(1 + c.rng.IntN(int(k.NextOperator())-1)), sources[c.rng.IntN(len(sources))], true
}

func (c *clients) link(s *simulation, cmd command) bool {
	op, source, ok := c.pick(s)
	if !ok {
		return false
	}
	to := s.seats.sources.get(int64(source))
	if c.rng.IntN(5) == 0 {
		to.Tell(&removeLink{cmd, op})
		return true
	}
	to.Tell(&setLink{cmd, op, []int64{0, 1, 2, 7, 1000}[c.rng.IntN(5)]})
	return true
}

func (c *clients) changeOperator(s *simulation, cmd command) bool {
	op, _, ok := c.pick(s)
	if !ok {
		return false
	}
	active, load, draining := c.rng.IntN(3) > 0, c.rng.IntN(4), true
	p := domain.OperatorPatch{Active: &active, MaxLoad: &load}
	if c.rng.IntN(4) == 0 {
		p.Active, p.Draining = nil, &draining
	}
	c.operators.Tell(&changeOperator{cmd, op, p})
	return true
}

func (c *clients) changeSource(s *simulation, cmd command) bool {
	_, source, ok := c.pick(s)
	if !ok {
		return false
	}
	policy, limit, window := c.policy(), c.limit(), c.window()
	s.seats.sources.get(int64(source)).Tell(&changeSource{cmd, domain.SourcePatch{
		Backlog: &policy, BacklogLimit: &limit, StickyWindow: &window,
	}})
	return true
}

func (c *clients) email() string { return fmt.Sprintf("lead%d@example.com", c.rng.IntN(12)) }

func (c *clients) createLead(w *told, cmd command) bool {
	email := c.email()
	w.means = func(id int64, err error) *fact { // created now or known before: in either case there is one, or was
		if refusal := new(domain.Error); errors.As(err, &refusal) {
			id = int64(refusal.Lead)
		}
		return &fact{"there is a lead with " + email, func(k *domain.Catalog) bool {
			return hasOrHadLead(k, domain.LeadID(id), email)
		}}
	}
	c.leads.Tell(&createLead{cmd, domain.NewLead{Email: email}})
	return true
}

package actors

import "minicrm/domain"

type (
	openSource   struct{ command }
	changeSource struct {
		command
		domain.SourcePatch
	}
	deleteSource struct{ command }
	setLink      struct {
		command
		operator domain.OperatorID
		weight   int64
	}
	removeLink struct {
		command
		operator domain.OperatorID
	}
	closeContact struct {
		command
		id     domain.ContactID
		reason string
	}
	assignContact struct {
		command
		id       domain.ContactID
		operator domain.OperatorID
		force    bool
	}
	releaseContact struct {
		command
		id   domain.ContactID
		from domain.OperatorID // 0 = whoever holds it
	}
	prioritiseContact struct {
		command
		id       domain.ContactID
		priority uint8
	}
	drawOperator struct{ command }
	// grant is a seat, still taken, on its way to the source that waited longest.
	grant struct {
		operator domain.OperatorID
		at       domain.Time
	}
	// recheck says that an operator of the source became active or inactive.
	recheck struct{ at domain.Time }
)

// source decides for one source: it hands each command to the desk. What the desk sends first settles the command.
type source struct {
	desk    *domain.Desk
	port    *port
	catalog *catalog
	keys    pendingKeys
	metrics *metrics
}

// newSource is the decider of a new source.
func newSource(shared *seats, committed *catalog, m *metrics, s domain.Source) *source {
	p := &port{seats: shared, source: s.ID, heads: newHeads(shared.memory)}
	return &source{desk: domain.NewDesk(s, p), port: p, catalog: committed, metrics: m}
}

func (s *source) handle(message any) {
	switch m := message.(type) {
	case *newContact:
		s.createTimed(m)
	case *newContacts:
		for _, item := range m.items {
			s.createTimed(item)
		}
	case *grant:
		s.desk.Granted(m.operator, m.at)
	case *recheck:
		s.desk.Recheck(m.at)
	case *closeContact:
		s.begin(m.command, func() { s.desk.Close(m.id, m.reason, m.At) })
	case *assignContact:
		s.begin(m.command, func() { s.desk.Assign(m.id, m.operator, m.force, m.At) })
	case *releaseContact:
		s.begin(m.command, func() { s.release(m) })
	case *reopenContact:
		s.begin(m.command, func() { s.desk.Reopen(m.id, m.priority, m.had, m.At) })
	case *prioritiseContact:
		s.begin(m.command, func() { s.desk.Prioritise(m.id, m.priority, m.At) })
	case *setLink:
		s.begin(m.command, func() { s.desk.Link(m.operator, m.weight, m.At) })
	case *removeLink:
		s.begin(m.command, func() { s.desk.Unlink(m.operator, m.At) })
	case *changeSource:
		s.begin(m.command, func() { s.desk.Edit(m.SourcePatch, m.At) })
	case *deleteSource:
		s.begin(m.command, func() { s.desk.Delete(m.At) })
	case *drawOperator:
		s.begin(m.command, func() { s.draw(m) })
	case *openSource:
		s.begin(m.command, func() { s.desk.Open(m.At) })
	case *ping:
		m.pass(s.port.journal)
	}
}

// begin runs a command, unless the source was deleted: its actor stays, to say so to what was in its mailbox.
func (s *source) begin(c command, decide func()) {
	s.port.current = c
	if s.desk.Deleted() {
		s.port.Answer(domain.SourceGone(s.port.source))
		return
	}
	decide()
}

func (s *source) createTimed(m *newContact) {
	start := s.metrics.start()
	s.create(m)
	s.metrics.decided(start)
}

// create dispatches a new contact, unless its key made one before.
func (s *source) create(m *newContact) {
	s.begin(m.command, func() {
		key := m.Identity()
		if key.Given() && s.repeated(m, key) {
			return
		}
		created := &domain.ContactCreated{
			Source: m.Source, Lead: m.lead, Text: m.Text, Priority: uint8(m.Priority), Key: key,
		}
		if s.desk.Create(created, s.port.number, s.lastOperator(m), m.At) && key.Given() {
			s.keys.add(domain.KeyUse{Key: key, Contact: created.ID, At: m.At}, s.catalog)
		}
	})
}

// lastOperator is who had the lead last, within the source's sticky window.
func (s *source) lastOperator(m *newContact) (op domain.OperatorID) {
	if window := s.desk.StickyWindow(); window > 0 {
		s.catalog.view(func(c *domain.Catalog) { op = c.LastOperator(m.Source, m.lead, m.At-window) })
	}
	return op
}

// release takes a contact back and dispatches it anew: two records, and the answer comes behind both.
func (s *source) release(m *releaseContact) {
	s.port.current = command{Stamp: m.Stamp}
	err := s.desk.Release(m.id, m.from, m.At)
	s.port.current = m.command
	s.port.Answer(err)
}

// draw decides for somebody else who routes: only operators that have a name there.
func (s *source) draw(m *drawOperator) {
	known := func(op domain.OperatorID) (fit bool) {
		s.catalog.view(func(c *domain.Catalog) {
			o, _ := c.Operator(op)
			fit = o.Username != ""
		})
		return fit
	}
	s.desk.Draw(known, func(op domain.OperatorID) { s.port.current.subject = int64(op) }, m.At)
}

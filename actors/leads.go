package actors

import "minicrm/domain"

type (
	// newContact is a contact on its way to its source. The leads decider replaces the email by the lead and gives the id.
	newContact struct {
		command
		desk *desk
		domain.NewContact
		lead domain.LeadID
	}
	createLead struct {
		command
		domain.NewLead
	}
	changeLead struct {
		command
		id domain.LeadID
		domain.LeadPatch
	}
)

// leads knows who is who. A lead's record is sent before the contact goes on, so it precedes in the journal every
// contact that names it.
type leads struct {
	registry *domain.Registry
	journal  mailbox
	passing  *passing // see erase.go
	catalog  *catalog
}

func (l *leads) handle(message any) {
	switch m := message.(type) {
	case *newContact:
		l.route(m)
	case *createLead:
		l.create(m)
	case *changeLead:
		l.change(m)
	case *eraseLead:
		l.erase(m)
	}
}

func (l *leads) route(m *newContact) {
	lead, known := l.registry.Lookup(m.Email)
	if !known {
		lead = l.registry.Add(m.Email)
		l.journal.Tell(leadCreated(command{at: m.at}, lead, domain.NewLead{Email: m.Email, Name: m.Name, Phone: m.Phone}))
	}
	m.lead, m.passed = lead, lead
	l.passing.begin(lead)
	m.subject = int64(l.registry.NextContact())
	m.desk.Tell(m)
}

func (l *leads) create(m *createLead) {
	if other, taken := l.registry.Lookup(m.Email); taken {
		err := domain.Refuse(domain.CodeEmailTaken, "lead %d has this email", other)
		err.Lead = other
		l.journal.Tell(&commit{command: m.command, err: err})
		return
	}
	id := l.registry.Add(m.Email)
	m.subject = int64(id)
	l.journal.Tell(leadCreated(m.command, id, m.NewLead))
}

func leadCreated(c command, id domain.LeadID, n domain.NewLead) *commit {
	return &commit{command: c, record: domain.Record{At: c.at, Events: []domain.Event{
		&domain.LeadCreated{ID: id, Email: n.Email, Name: n.Name, Phone: n.Phone},
	}}}
}

func (l *leads) change(m *changeLead) {
	c := &commit{command: m.command}
	if l.registry.Erased(m.id) {
		c.err = domain.LeadGone(m.id)
	} else if m.Name != nil || m.Phone != nil {
		c.record = domain.Record{At: m.at, Events: []domain.Event{
			&domain.LeadChanged{ID: m.id, Name: m.Name, Phone: m.Phone},
		}}
	}
	l.journal.Tell(c)
}

package actors

import "minicrm/domain"

type (
	// newContact is a contact on its way to its source. The leads decider replaces the email by the lead.
	newContact struct {
		command
		desk *desk
		domain.NewContact
		lead     domain.LeadID
		replayed bool // set by the source before the journal settles the command
	}
	// newContacts are contacts of one request; each is a command of its own.
	newContacts struct{ items []*newContact }
	// reopenContact is a closed contact on its way to its source.
	reopenContact struct {
		command
		desk     *desk
		lead     domain.LeadID
		id       domain.ContactID
		priority uint8
		had      domain.OperatorID
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
		l.identify(m)
		m.desk.Tell(m)
	case *newContacts:
		l.routeMany(m)
	case *reopenContact:
		l.reopen(m)
	case *createLead:
		l.create(m)
	case *changeLead:
		l.change(m)
	case *eraseLead:
		l.erase(m)
	case *ping:
		m.pass(l.journal)
	}
}

// identify finds or creates the lead of a contact.
func (l *leads) identify(m *newContact) {
	lead, known := l.registry.Lookup(m.Email)
	if !known {
		n := domain.NewLead{Email: m.Email, Name: m.Name, Phone: m.Phone}
		lead = l.registry.Add(n)
		l.journal.Tell(leadCreated(command{Stamp: m.Stamp}, lead, n))
	} else if filled := l.registry.Fill(lead, m.Name, m.Phone); filled != nil {
		l.journal.Tell(leadChanged(command{Stamp: m.Stamp}, filled))
	}
	m.lead, m.passed, m.made = lead, lead, m.Source
	l.passing.begin(lead)
}

// routeMany splits the contacts of one request by source: one message for each.
func (l *leads) routeMany(m *newContacts) {
	bySource := map[*desk]*newContacts{}
	var order []*desk
	for _, item := range m.items {
		l.identify(item)
		of := bySource[item.desk]
		if of == nil {
			of = &newContacts{}
			bySource[item.desk] = of
			order = append(order, item.desk)
		}
		of.items = append(of.items, item)
	}
	for _, to := range order {
		to.Tell(bySource[to])
	}
}

// reopen passes a closed contact on, unless its lead was erased meanwhile.
func (l *leads) reopen(m *reopenContact) {
	if l.registry.Erased(m.lead) {
		l.journal.Tell(&commit{command: m.command, err: domain.LeadGone(m.lead)})
		return
	}
	m.passed = m.lead
	l.passing.begin(m.lead)
	m.desk.Tell(m)
}

func (l *leads) create(m *createLead) {
	if other, taken := l.registry.Lookup(m.Email); taken {
		err := domain.Refuse(domain.CodeEmailTaken, "lead %d has this email", other)
		err.Lead = other
		l.journal.Tell(&commit{command: m.command, err: err})
		return
	}
	id := l.registry.Add(m.NewLead)
	m.subject = int64(id)
	l.journal.Tell(leadCreated(m.command, id, m.NewLead))
}

func leadCreated(c command, id domain.LeadID, n domain.NewLead) *commit {
	return &commit{command: c, record: domain.Record{At: c.At, Events: []domain.Event{
		&domain.LeadCreated{ID: id, Email: n.Email, Name: n.Name, Phone: n.Phone},
	}}}
}

func leadChanged(c command, e *domain.LeadChanged) *commit {
	return &commit{command: c, record: domain.Record{At: c.At, Events: []domain.Event{e}}}
}

func (l *leads) change(m *changeLead) {
	switch {
	case l.registry.Erased(m.id):
		l.journal.Tell(&commit{command: m.command, err: domain.LeadGone(m.id)})
	case m.Name == nil && m.Phone == nil:
		l.journal.Tell(&commit{command: m.command})
	default:
		l.registry.Note(m.id, m.Name, m.Phone)
		l.journal.Tell(leadChanged(m.command, &domain.LeadChanged{ID: m.id, Name: m.Name, Phone: m.Phone}))
	}
}

package actors

import "minicrm/domain"

type (
	openSource   struct{ command }
	changeSource struct {
		command
		domain.SourcePatch
	}
	setLink struct {
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
		id domain.ContactID
	}
	assignContact struct {
		command
		id       domain.ContactID
		operator domain.OperatorID
		force    bool
	}
	// grant is a seat, still taken, on its way to the source that waited longest.
	grant struct {
		operator domain.OperatorID
		at       domain.Time
	}
)

// source decides for one source: it hands each command to the desk. What the desk sends first settles the command.
type source struct {
	desk *domain.Desk
	port *port
}

// newSource is the decider of a new source.
func newSource(shared *seats, s domain.Source) *source {
	p := &port{seats: shared, source: s.ID, head: shared.memory.word()}
	return &source{desk: domain.NewDesk(s, p), port: p}
}

func (s *source) handle(message any) {
	switch m := message.(type) {
	case *newContact:
		s.port.current = m.command
		s.desk.Create(&domain.ContactCreated{
			ID: domain.ContactID(m.subject), Source: m.Source, Lead: m.lead, Text: m.Text,
		}, m.at)
	case *grant:
		s.desk.Granted(m.operator, m.at)
	case *closeContact:
		s.port.current = m.command
		s.desk.Close(m.id, m.at)
	case *assignContact:
		s.port.current = m.command
		s.desk.Assign(m.id, m.operator, m.force, m.at)
	case *setLink:
		s.port.current = m.command
		s.desk.Link(m.operator, m.weight, m.at)
	case *removeLink:
		s.port.current = m.command
		s.desk.Unlink(m.operator, m.at)
	case *changeSource:
		s.port.current = m.command
		s.desk.Edit(m.SourcePatch, m.at)
	case *openSource:
		s.port.current = m.command
		s.desk.Open(m.at)
	}
}

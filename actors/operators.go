package actors

import "minicrm/domain"

type (
	createOperator struct {
		command
		domain.NewOperator
	}
	changeOperator struct {
		command
		id domain.OperatorID
		domain.OperatorPatch
	}
)

// operators creates and changes operators. The seats do both steps in one; the mailbox gives the order of the ids.
type operators struct {
	seats *seats
	next  domain.OperatorID
}

func (o *operators) handle(message any) {
	switch m := message.(type) {
	case *createOperator:
		o.create(m)
	case *changeOperator:
		o.seats.change(m.id, m.OperatorPatch, &commit{command: m.command})
	}
}

func (o *operators) create(m *createOperator) {
	id := o.next
	o.next++
	m.subject = int64(id)
	created := &domain.OperatorCreated{ID: id, Name: m.Name, Active: m.Active, MaxLoad: m.MaxLoad}
	o.seats.create(
		domain.Operator{ID: id, Name: m.Name, Active: m.Active, MaxLoad: m.MaxLoad, CreatedAt: m.at},
		&commit{command: m.command, record: domain.Record{At: m.at, Events: []domain.Event{created}}},
	)
}

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
	deleteOperator struct {
		command
		id domain.OperatorID
	}
)

// operators creates, changes and deletes operators. The seats do both steps in one; the mailbox gives the order of the ids.
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
	case *deleteOperator:
		o.seats.delete(m.id, &commit{command: m.command})
	case *ping:
		m.pass(o.seats.journal)
	}
}

func (o *operators) create(m *createOperator) {
	id := o.next
	o.next++
	m.subject = int64(id)
	added := domain.Operator{
		ID: id, Name: m.Name, Active: m.Active, MaxLoad: m.MaxLoad, ExternalID: m.ExternalID, Username: m.Username, CreatedAt: m.At,
	}
	o.seats.create(added, &commit{command: m.command, record: domain.Record{At: m.At, Events: []domain.Event{added.Created()}}})
}

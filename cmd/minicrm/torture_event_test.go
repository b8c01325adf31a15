package main

import "minicrm/persistence/journalpb"

// journaled wraps a fact as the journal has it.
func journaled(fact any) *journalpb.Event {
	e := &journalpb.Event{}
	switch f := fact.(type) {
	case *journalpb.ContactCreated:
		e.Event = &journalpb.Event_ContactCreated{ContactCreated: f}
	case *journalpb.ContactAssigned:
		e.Event = &journalpb.Event_ContactAssigned{ContactAssigned: f}
	case *journalpb.ContactClosed:
		e.Event = &journalpb.Event_ContactClosed{ContactClosed: f}
	case *journalpb.LeadCreated:
		e.Event = &journalpb.Event_LeadCreated{LeadCreated: f}
	case *journalpb.LeadErased:
		e.Event = &journalpb.Event_LeadErased{LeadErased: f}
	case *journalpb.ContactsArchived:
		e.Event = &journalpb.Event_ContactsArchived{ContactsArchived: f}
	case *journalpb.OperatorCreated:
		e.Event = &journalpb.Event_OperatorCreated{OperatorCreated: f}
	case *journalpb.OperatorChanged:
		e.Event = &journalpb.Event_OperatorChanged{OperatorChanged: f}
	case *journalpb.SourceCreated:
		e.Event = &journalpb.Event_SourceCreated{SourceCreated: f}
	case *journalpb.LinkSet:
		e.Event = &journalpb.Event_LinkSet{LinkSet: f}
	case *journalpb.LinkRemoved:
		e.Event = &journalpb.Event_LinkRemoved{LinkRemoved: f}
	default:
		panic("the proof does not know this fact")
	}
	return e
}

// Package actors runs the domain: it gives every decider a mailbox, so that each decides alone and in order, and puts
// what they decided through the journal before anybody hears of it.
//
//	Dispatcher.CreateContact
//	   │ Tell
//	   ▼
//	leads      one      email → lead                                        domain.Registry
//	   │ Tell
//	   ▼
//	source     one each gives the contact its id; picks an operator; takes  domain.Desk over port (seats.go)
//	   │ Tell           the seat and sends the record in one step under the operator's lock
//	   ▼
//	journal    one      gathers what has arrived, one write, one fsync,     Journal (package persistence)
//	   │                applies the records to the catalog                  domain.Catalog
//	   ▼ reply
//	Dispatcher.CreateContact returns
//
// A fourth kind, operators, creates and changes operators the same way. Nobody asks and waits: every message goes
// forward, and the reply rides along in it. All answers that depend on live state leave through the journal, also
// refusals, so a client never learns what a crash could undo.
//
// The operators' seats are what the sources share: a lock an operator, see seats.go. The leads decider and the journal
// share a count of the contacts on their way, see erase.go. A freed seat that
// somebody waits for travels as a grant from whoever freed it to the source that waited longest.
//
// A command that is traced gathers times on this way, of which who waited for it makes spans: journey.go.
//
// The deciders (leads, source, operators, journal) know nothing of protoactor: they handle messages and Tell mailboxes.
// system.go hosts them in protoactor, and workers.go says which goroutine runs them; the simulation in the tests hosts the
// same code under a scheduler of its own.
package actors

// Package domain holds the rules of Mini-CRM and nothing else: no clock, no randomness, no I/O, no goroutines,
// no locks, only the standard library. Time and ids come in as inputs, facts go out as events.
//
// How a contact meets the types of this package:
//
//	email ──► Registry ──► LeadCreated           who is it
//	              │
//	              ▼
//	contact ──► Desk ──► Ledger.Pick             one source decides: who is next
//	              │        │
//	              │        ▼
//	              │      Seats.Take              is there really a free seat; the Record leaves in the same step
//	              ▼
//	          Record{ContactCreated, ContactAssigned}
//	              │   (the journal makes it durable)
//	              ▼
//	          Catalog.Apply                      committed state, what every read is served from
//
// A Desk, the Registry and the Seats are live state: they run ahead of the disk. The Catalog is committed state:
// only durable records reach it. Both use the same Ledger, Ordered set and entities, so they agree whenever nothing
// is in flight, and live state is built from the Catalog at every start.
package domain

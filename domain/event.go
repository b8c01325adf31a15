package domain

// Event is a fact that happened. The set is closed: only this file adds to it, and Catalog.Apply knows each.
type Event interface{ event() }

// Record is what one command commits: one or more events, all or none.
type Record struct {
	At     Time
	By     string // who commanded it; "" = nobody in particular
	Events []Event
}

// Stamp says when a command came, and from whom. The edge makes it.
type Stamp struct {
	At      Time
	By      string
	Request string // the id of the request, for who watches; no record has it
}

type (
	// OperatorCreated carries the operator's fields as they are from now on.
	OperatorCreated struct {
		ID         OperatorID
		Name       string
		Active     bool
		Draining   bool
		MaxLoad    int
		ExternalID string
		Username   string
	}
	// OperatorChanged carries them all again.
	OperatorChanged OperatorCreated
	// OperatorDeleted ends an operator that has neither contacts nor links. Its id is never used again.
	OperatorDeleted struct {
		ID OperatorID
	}

	// SourceCreated carries the source's fields as they are from now on.
	SourceCreated struct {
		ID           SourceID
		Name         string
		Backlog      BacklogPolicy
		BacklogLimit int
		StickyWindow int64
	}
	// SourceChanged carries them all again.
	SourceChanged SourceCreated
	// SourceDeleted ends a source that has no live contacts, and all its links. Its id is never used again.
	SourceDeleted struct {
		ID SourceID
	}

	// LinkSet links an operator to a source, or changes the link's weight.
	LinkSet struct {
		Source   SourceID
		Operator OperatorID
		Weight   int64
	}
	// LinkRemoved unlinks an operator from a source; the contacts that it holds stay with it.
	LinkRemoved struct {
		Source   SourceID
		Operator OperatorID
	}

	// LeadCreated precedes every contact that names the lead.
	LeadCreated struct {
		ID    LeadID
		Email string
		Name  string
		Phone string
	}
	// LeadChanged carries only what changed.
	LeadChanged struct {
		ID    LeadID
		Name  *string
		Phone *string
	}

	// LeadErased forgets who the lead is, and the texts of its contacts, which are all closed.
	LeadErased struct {
		ID LeadID
	}

	// ContactCreated puts a contact into its source's backlog; an assignment in the same record takes it out again.
	ContactCreated struct {
		ID       ContactID
		Source   SourceID
		Lead     LeadID
		Text     string
		Priority uint8
		Key      Key // of the request; zero = it had none
	}
	// ContactAssigned gives a contact to Operator, from the backlog (From = 0) or from another operator.
	ContactAssigned struct {
		ID       ContactID
		Source   SourceID
		Operator OperatorID
		From     OperatorID
		How      How
		Among    Among
	}
	// ContactReleased takes a contact from Operator back into the backlog, at its old age. It does not go straight back
	// to Operator (see Contact.Avoid).
	ContactReleased struct {
		ID       ContactID
		Source   SourceID
		Operator OperatorID
	}
	// ContactReopened puts a closed contact into the backlog, at its old age; an assignment in the same record takes it
	// out again.
	ContactReopened struct {
		ID       ContactID
		Source   SourceID
		Priority uint8
	}
	// ContactPrioritised changes the priority of an open contact.
	ContactPrioritised struct {
		ID       ContactID
		Source   SourceID
		Priority uint8
	}
	// ContactClosed ends a contact; Operator's seat is free again (0 = nobody held it).
	ContactClosed struct {
		ID       ContactID
		Source   SourceID
		Operator OperatorID
		Reason   string
	}
	// OperatorDrawn is a decision without a contact: somebody else routes it, and only asked who is next.
	OperatorDrawn struct {
		Source   SourceID
		Operator OperatorID
		Among    Among
	}
	// ContactsArchived forgets closed contacts, MaxArchived at most, that are in the archive of Day.
	ContactsArchived struct {
		Day Day
		IDs []ContactID
	}
)

func (*OperatorCreated) event()    {}
func (*OperatorChanged) event()    {}
func (*OperatorDeleted) event()    {}
func (*OperatorDrawn) event()      {}
func (*SourceCreated) event()      {}
func (*SourceDeleted) event()      {}
func (*ContactReleased) event()    {}
func (*ContactReopened) event()    {}
func (*ContactPrioritised) event() {}
func (*SourceChanged) event()      {}
func (*LinkSet) event()            {}
func (*LinkRemoved) event()        {}
func (*LeadCreated) event()        {}
func (*LeadChanged) event()        {}
func (*LeadErased) event()         {}
func (*ContactCreated) event()     {}
func (*ContactAssigned) event()    {}
func (*ContactClosed) event()      {}
func (*ContactsArchived) event()   {}

// SetKind says how an assignment's eligible set is written down, and thereby whether the ledger was charged.
type SetKind uint8

// The kinds. The set is over the rows of the source's ledger, as its links stood at that moment.
const (
	Uncharged  SetKind = iota // no lag changed: a manual assignment, or a sticky one that would have gone too far
	Alone                     // the operator was the only one
	SameSet                   // the set of the source's last assignment with SpelledSet
	SpelledSet                // Among.Rows
)

// Among is the eligible set of an assignment: replayed, it gives the same lags bit for bit.
type Among struct {
	Kind SetKind
	Rows Rows
}

package domain

// Event is a fact that happened. The set is closed: only this file adds to it, and Catalog.Apply knows each.
type Event interface{ event() }

// Record is what one command commits: one or more events, all or none.
type Record struct {
	At     Time
	Events []Event
}

type (
	// OperatorCreated carries the operator's fields as they are from now on.
	OperatorCreated struct {
		ID      OperatorID
		Name    string
		Active  bool
		MaxLoad int
	}
	// OperatorChanged carries them all again.
	OperatorChanged OperatorCreated

	// SourceCreated carries the source's fields as they are from now on.
	SourceCreated struct {
		ID      SourceID
		Name    string
		Backlog BacklogPolicy
	}
	// SourceChanged carries them all again.
	SourceChanged SourceCreated

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
		ID     ContactID
		Source SourceID
		Lead   LeadID
		Text   string
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
	// ContactClosed ends a contact; Operator's seat is free again (0 = nobody held it).
	ContactClosed struct {
		ID       ContactID
		Source   SourceID
		Operator OperatorID
	}
	// ContactsArchived forgets closed contacts, MaxArchived at most, that are in the archive of Day.
	ContactsArchived struct {
		Day Day
		IDs []ContactID
	}
)

func (*OperatorCreated) event()  {}
func (*OperatorChanged) event()  {}
func (*SourceCreated) event()    {}
func (*SourceChanged) event()    {}
func (*LinkSet) event()          {}
func (*LinkRemoved) event()      {}
func (*LeadCreated) event()      {}
func (*LeadChanged) event()      {}
func (*LeadErased) event()       {}
func (*ContactCreated) event()   {}
func (*ContactAssigned) event()  {}
func (*ContactClosed) event()    {}
func (*ContactsArchived) event() {}

// SetKind says how an assignment's eligible set is written down, and thereby whether the ledger was charged.
type SetKind uint8

// The kinds. The set is over the rows of the source's ledger, as its links stood at that moment.
const (
	Uncharged  SetKind = iota // the ledger was not touched: a manual assignment
	Alone                     // the operator was the only one
	SameSet                   // the set of the source's last assignment with SpelledSet
	SpelledSet                // Among.Rows
)

// Among is the eligible set of an assignment: replayed, it gives the same lags bit for bit.
type Among struct {
	Kind SetKind
	Rows Rows
}

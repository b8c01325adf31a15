package domain

import "unicode/utf8"

// Limits of a contact.
const (
	MaxText     = 8 << 10 // bytes
	MaxPriority = 9
	MaxReason   = 200 // characters in the reason of a close

	maxReasonBytes = MaxReason * utf8.UTFMax
)

// ContactID identifies a contact. Ids grow in the order in which contacts arrived, so the id is a contact's age.
type ContactID int64

// Status is where a contact is in its life.
type Status uint8

// The statuses.
const (
	StatusOpen Status = iota + 1
	StatusAssigned
	StatusClosed
)

// Name is the word for the status, "" for one that does not exist.
func (s Status) Name() string {
	switch s {
	case StatusOpen:
		return "open"
	case StatusAssigned:
		return "assigned"
	case StatusClosed:
		return "closed"
	}
	return ""
}

// How says who decided an assignment.
type How uint8

// Automatic: the ledger. Manual: an admin. Forced: an admin, past full or inactive. Sticky: the lead's, or the reopened
// contact's, last operator.
const (
	Automatic How = iota + 1
	Manual
	Forced
	Sticky
)

// Name is the word for it, "" for one that does not exist.
func (h How) Name() string {
	switch h {
	case Automatic:
		return "automatic"
	case Manual:
		return "manual"
	case Forced:
		return "forced"
	case Sticky:
		return "sticky"
	}
	return ""
}

// Contact is one inquiry of a lead through a source.
type Contact struct {
	ID         ContactID
	Source     SourceID
	Lead       LeadID
	Operator   OperatorID // who holds it, or held it when it was closed; 0 = nobody
	Avoid      OperatorID // who released it: it does not go straight back while another could have it; 0 = nobody
	Text       string
	Reason     string // of the close
	CreatedAt  Time
	AssignedAt Time // the latest assignment
	ClosedAt   Time

	Place    uint32 // in commit order, from 1; it stays when contacts before it are forgotten
	Status   Status
	How      How // how Operator got it; 0 while Operator is 0
	Priority uint8

	CreatedBy, AssignedBy, ClosedBy NameID
	past                            *[]Step // see history.go
}

// NewContact is the request to create a contact, and its lead when the email is new. Email is normalised.
type NewContact struct {
	Source   SourceID
	Email    string
	Name     string
	Phone    string
	Text     string
	Priority int
	Key      string // the request's idempotency key; "" = it has none
}

// Validate checks the request's values; the email was checked where it was normalised.
func (n NewContact) Validate() error {
	var bad fieldErrors
	bad.lead(n.Name, n.Phone)
	bad.bytes("text", n.Text, MaxText)
	bad.upTo("priority", int64(n.Priority), MaxPriority)
	if n.Key != "" {
		bad.key("idempotency_key", n.Key)
	}
	return bad.err()
}

// CreatedContact is what became of a request to create a contact.
type CreatedContact struct {
	Contact  Contact
	Replayed bool // an earlier request with the same key had made it
	Err      error
}

// Released is what became of the contacts of an operator that were all to be released.
type Released struct {
	Total    int // that it held
	Assigned int // that others have now, or it again
	Open     int // that wait
	Skipped  int // that were closed, or went elsewhere, meanwhile
}

// ValidatePriority checks a contact's new priority.
func ValidatePriority(priority int64) error {
	var bad fieldErrors
	bad.upTo("priority", priority, MaxPriority)
	return bad.err()
}

// ValidateReason checks the reason of a close.
func ValidateReason(reason string) error {
	var bad fieldErrors
	bad.length("reason", reason, MaxReason)
	return bad.err()
}

// Rank orders waiting contacts over all sources: the smallest is served first. 0 = no contact. It is the priority, from
// the highest down, and then the age.
type Rank int64

// rankBits are a rank's bits for the contact's id.
const rankBits = 56

// RankOf is the rank of a contact.
func RankOf(id ContactID, priority uint8) Rank {
	return Rank(MaxPriority-priority)<<rankBits | Rank(id)
}

// Contact is the contact that has this rank.
func (r Rank) Contact() ContactID { return ContactID(r & (1<<rankBits - 1)) }

// rank is the contact's rank.
func (c *Contact) rank() Rank { return RankOf(c.ID, c.Priority) }

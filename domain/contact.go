package domain

// MaxText is the limit of a contact's text in bytes.
const MaxText = 8 << 10

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

// Automatic: the ledger. Manual: an admin. Forced: an admin, past full or inactive.
const (
	Automatic How = iota + 1
	Manual
	Forced
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
	}
	return ""
}

// Contact is one inquiry of a lead through a source.
type Contact struct {
	ID         ContactID
	Source     SourceID
	Lead       LeadID
	Operator   OperatorID // who holds it, or held it last; 0 = nobody yet
	Status     Status
	How        How // how Operator got it; 0 while Operator is 0
	Text       string
	CreatedAt  Time
	AssignedAt Time // the latest assignment
	ClosedAt   Time

	Place uint32 // in commit order, from 1; it stays when contacts before it are forgotten
}

// NewContact is the request to create a contact, and its lead when the email is new. Email is normalised.
type NewContact struct {
	Source SourceID
	Email  string
	Name   string
	Phone  string
	Text   string
}

// Validate checks the request's values; the email was checked where it was normalised.
func (n NewContact) Validate() error {
	var bad fieldErrors
	bad.lead(n.Name, n.Phone)
	if len(n.Text) > MaxText {
		bad.add("text", "must have at most %d bytes, has %d", MaxText, len(n.Text))
	}
	return bad.err()
}

// Rank orders waiting contacts over all sources: the smallest is served first. 0 = no contact.
type Rank int64

// RankOf is the rank of a contact: its age.
func RankOf(id ContactID) Rank { return Rank(id) }

// Contact is the contact that has this rank.
func (r Rank) Contact() ContactID { return ContactID(r) }

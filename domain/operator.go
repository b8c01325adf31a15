package domain

// Limits of an operator.
const (
	MaxName        = 200   // characters in any name
	MaxLoadLimit   = 1_000 // the highest max_load
	DefaultMaxLoad = 5
	MaxExternalID  = 100 // bytes in an operator's external id and in its username
)

// OperatorID identifies an operator; 0 is nobody.
type OperatorID int64

// Time is a moment in microseconds since 1970 in UTC; 0 is never. The edge stamps it, the domain only compares.
type Time int64

// Operator is a person who handles contacts. It is active, or draining (it keeps what it has, gets nothing new, and
// becomes inactive when it holds nothing), or inactive.
type Operator struct {
	ID         OperatorID
	Name       string
	Active     bool
	Draining   bool // never together with Active
	Deleted    bool
	MaxLoad    int    // seats: how many contacts at most, over all sources
	Load       int    // seats taken now; above MaxLoad after a forced assignment or a lowered MaxLoad
	ExternalID string // who the operator is in another system, if any
	Username   string // its name there
	CreatedAt  Time
}

// State is the word for what the operator does.
func (o *Operator) State() string {
	switch {
	case o.Active:
		return "active"
	case o.Draining:
		return "draining"
	}
	return "inactive"
}

// retire ends the draining of an operator that holds nothing; true when it did.
func (o *Operator) retire() bool {
	if !o.Draining || o.Load > 0 {
		return false
	}
	o.Draining = false
	return true
}

// Created is the event that creates the operator as it is.
func (o *Operator) Created() *OperatorCreated { return (*OperatorCreated)(o.changed()) }

// changed is the event that says how the operator is now.
func (o *Operator) changed() *OperatorChanged {
	return &OperatorChanged{
		ID: o.ID, Name: o.Name, Active: o.Active, Draining: o.Draining, MaxLoad: o.MaxLoad,
		ExternalID: o.ExternalID, Username: o.Username,
	}
}

// Open says whether one more contact may be assigned automatically.
func (o *Operator) Open() bool { return o.Active && o.Load < o.MaxLoad }

// NewOperator is the request to create an operator.
type NewOperator struct {
	Name       string
	Active     bool
	MaxLoad    int
	ExternalID string
	Username   string
}

// Validate checks the request's values.
func (n NewOperator) Validate() error {
	var bad fieldErrors
	bad.name(n.Name)
	bad.upTo("max_load", int64(n.MaxLoad), MaxLoadLimit)
	bad.bytes("external_id", n.ExternalID, MaxExternalID)
	bad.bytes("username", n.Username, MaxExternalID)
	return bad.err()
}

// OperatorPatch is the request to change an operator; nil leaves a field as it is.
type OperatorPatch struct {
	Name       *string
	Active     *bool // true ends a draining; false is inactive at once
	Draining   *bool // true = from active or inactive to draining; false changes nothing
	MaxLoad    *int
	ExternalID *string
	Username   *string
}

// Validate checks the request's values.
func (p OperatorPatch) Validate() error {
	var bad fieldErrors
	if p.Name != nil {
		bad.name(*p.Name)
	}
	if p.MaxLoad != nil {
		bad.upTo("max_load", int64(*p.MaxLoad), MaxLoadLimit)
	}
	if p.ExternalID != nil {
		bad.bytes("external_id", *p.ExternalID, MaxExternalID)
	}
	if p.Username != nil {
		bad.bytes("username", *p.Username, MaxExternalID)
	}
	return bad.err()
}

// Apply returns the operator as the patch leaves it.
func (p OperatorPatch) Apply(o Operator) Operator {
	set(&o.Name, p.Name)
	set(&o.MaxLoad, p.MaxLoad)
	set(&o.ExternalID, p.ExternalID)
	set(&o.Username, p.Username)
	if p.Active != nil {
		o.Active, o.Draining = *p.Active, false
	}
	if p.Draining != nil && *p.Draining {
		o.Active, o.Draining = false, true
		o.retire()
	}
	return o
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

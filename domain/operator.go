package domain

// Limits of an operator.
const (
	MaxName        = 200   // characters in any name
	MaxLoadLimit   = 1_000 // the highest max_load
	DefaultMaxLoad = 5
)

// OperatorID identifies an operator; 0 is nobody.
type OperatorID int64

// Time is a moment in microseconds since 1970 in UTC; 0 is never. The edge stamps it, the domain only compares.
type Time int64

// Operator is a person who handles contacts.
type Operator struct {
	ID        OperatorID
	Name      string
	Active    bool
	MaxLoad   int // seats: how many contacts at most, over all sources
	Load      int // seats taken now; above MaxLoad after a forced assignment or a lowered MaxLoad
	CreatedAt Time
}

// Open says whether one more contact may be assigned automatically.
func (o *Operator) Open() bool { return o.Active && o.Load < o.MaxLoad }

// NewOperator is the request to create an operator.
type NewOperator struct {
	Name    string
	Active  bool
	MaxLoad int
}

// Validate checks the request's values.
func (n NewOperator) Validate() error {
	var bad fieldErrors
	bad.name(n.Name)
	bad.between("max_load", int64(n.MaxLoad), 0, MaxLoadLimit)
	return bad.err()
}

// OperatorPatch is the request to change an operator; nil leaves a field as it is.
type OperatorPatch struct {
	Name    *string
	Active  *bool
	MaxLoad *int
}

// Validate checks the request's values.
func (p OperatorPatch) Validate() error {
	var bad fieldErrors
	if p.Name != nil {
		bad.name(*p.Name)
	}
	if p.MaxLoad != nil {
		bad.between("max_load", int64(*p.MaxLoad), 0, MaxLoadLimit)
	}
	return bad.err()
}

// Apply returns the operator as the patch leaves it.
func (p OperatorPatch) Apply(o Operator) Operator {
	set(&o.Name, p.Name)
	set(&o.Active, p.Active)
	set(&o.MaxLoad, p.MaxLoad)
	return o
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

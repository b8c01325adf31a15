package domain

// Limits of a source and its links.
const (
	MaxWeight = 1_000_000 // the highest weight
	MaxLinks  = 1_000     // operators a source

	MaxBacklogLimit = 1_000_000_000
	MaxStickyWindow = 365 * 24 * 60 * 60 // seconds
)

// SourceID identifies a source.
type SourceID int64

// BacklogPolicy says what happens to a source's open contacts when a seat frees.
type BacklogPolicy uint8

// The policies. Auto drains the backlog by itself, oldest first; Manual leaves an open contact until somebody assigns it.
const (
	BacklogAuto BacklogPolicy = iota + 1
	BacklogManual
)

// Name is the word for the policy, "" for one that does not exist.
func (p BacklogPolicy) Name() string {
	switch p {
	case BacklogAuto:
		return "auto"
	case BacklogManual:
		return "manual"
	}
	return ""
}

// Source is where contacts come from.
type Source struct {
	ID           SourceID
	Name         string
	Backlog      BacklogPolicy
	BacklogLimit int   // how many contacts may wait; 0 = no limit
	StickyWindow int64 // seconds within which a lead that comes back goes to its last operator; 0 = never
	Deleted      bool
	CreatedAt    Time
}

// NewSource is the request to create a source.
type NewSource struct {
	Name         string
	Backlog      BacklogPolicy
	BacklogLimit int
	StickyWindow int64
}

// Validate checks the request's values.
func (n NewSource) Validate() error {
	var bad fieldErrors
	bad.name(n.Name)
	bad.policy(n.Backlog)
	bad.upTo("backlog_limit", int64(n.BacklogLimit), MaxBacklogLimit)
	bad.upTo("sticky_window", n.StickyWindow, MaxStickyWindow)
	return bad.err()
}

// SourcePatch is the request to change a source; nil leaves a field as it is.
type SourcePatch struct {
	Name         *string
	Backlog      *BacklogPolicy
	BacklogLimit *int
	StickyWindow *int64
}

// Validate checks the request's values.
func (p SourcePatch) Validate() error {
	var bad fieldErrors
	if p.Name != nil {
		bad.name(*p.Name)
	}
	if p.Backlog != nil {
		bad.policy(*p.Backlog)
	}
	if p.BacklogLimit != nil {
		bad.upTo("backlog_limit", int64(*p.BacklogLimit), MaxBacklogLimit)
	}
	if p.StickyWindow != nil {
		bad.upTo("sticky_window", *p.StickyWindow, MaxStickyWindow)
	}
	return bad.err()
}

// Apply returns the source as the patch leaves it.
func (p SourcePatch) Apply(s Source) Source {
	set(&s.Name, p.Name)
	set(&s.Backlog, p.Backlog)
	set(&s.BacklogLimit, p.BacklogLimit)
	set(&s.StickyWindow, p.StickyWindow)
	return s
}

func (f *fieldErrors) policy(p BacklogPolicy) {
	if p != BacklogAuto && p != BacklogManual {
		f.add("backlog", `must be "auto" or "manual"`)
	}
}

// ValidateWeight checks a link's weight.
func ValidateWeight(weight int64) error {
	var bad fieldErrors
	bad.upTo("weight", weight, MaxWeight)
	return bad.err()
}

// created is the event that says how the source is now.
func (s *Source) created() *SourceCreated {
	return &SourceCreated{ID: s.ID, Name: s.Name, Backlog: s.Backlog, BacklogLimit: s.BacklogLimit, StickyWindow: s.StickyWindow}
}

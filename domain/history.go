package domain

import "strings"

// Every contact has a history: who did what, when. A contact itself remembers its creation, its latest assignment and its
// close; what a transfer, a release or a reopening would overwrite is kept beside it as past steps. So most contacts,
// which are assigned once and closed, cost nothing more.

// maxPast is the number of past steps that a contact keeps; the oldest go first.
const maxPast = 1_000

// NameID stands for the name of who commanded something, in the catalog's list of names; 0 = nobody in particular.
type NameID uint32

// maxNames bounds the list of names; later ones are not noted. They are names of keys, so there are few.
const maxNames = 1 << 16

// StepKind is what happened to a contact.
type StepKind uint8

// The kinds of step.
const (
	StepCreated StepKind = iota + 1
	StepAssigned
	StepReleased
	StepReopened
	StepClosed
)

// Name is the word for it, "" for one that does not exist.
func (k StepKind) Name() string {
	switch k {
	case StepCreated:
		return "created"
	case StepAssigned:
		return "assigned"
	case StepReleased:
		return "released"
	case StepReopened:
		return "reopened"
	case StepClosed:
		return "closed"
	}
	return ""
}

// Step is one step of a contact's history.
type Step struct {
	At     Time
	Kind   StepKind
	How    How        // of an assignment
	By     NameID     // who commanded it
	From   OperatorID // who held the contact before; 0 = nobody
	To     OperatorID // who holds it from then on; 0 = nobody
	Reason string     // of a close
}

// Past lists the steps that later ones have overwritten.
func (c *Contact) Past() []Step {
	if c.past == nil {
		return nil
	}
	return *c.past
}

// note keeps steps. A frozen view may read the list that was there, so that is only ever grown behind its end.
func (c *Contact) note(steps ...Step) {
	past := append(c.Past(), steps...)
	for i := len(past) - len(steps); i < len(past); i++ {
		past[i].Reason = strings.Clone(past[i].Reason) // cut out, it would keep all the words of its page
	}
	if n := len(past) - maxPast; n > 0 {
		past = append([]Step(nil), past[n:]...)
	}
	c.past = &past
}

// History is the contact's whole history.
func (c *Contact) History() []Step {
	steps := append([]Step{{At: c.CreatedAt, Kind: StepCreated, By: c.CreatedBy}}, c.Past()...)
	if c.Operator != 0 {
		steps = append(steps, c.assignment())
	}
	if c.Status == StatusClosed {
		steps = append(steps, c.closing())
	}
	return steps
}

// assignment is the step of the latest assignment.
func (c *Contact) assignment() Step {
	s := Step{At: c.AssignedAt, Kind: StepAssigned, How: c.How, By: c.AssignedBy, To: c.Operator}
	if past := c.Past(); len(past) > 0 && past[len(past)-1].Kind == StepAssigned {
		s.From = past[len(past)-1].To
	}
	return s
}

// releaser is who had released the contact when it was assigned last; 0 = nobody.
func (c *Contact) releaser() OperatorID {
	if past := c.Past(); len(past) > 0 && past[len(past)-1].Kind == StepReleased {
		return past[len(past)-1].From
	}
	return 0
}

func (c *Contact) closing() Step {
	return Step{At: c.ClosedAt, Kind: StepClosed, By: c.ClosedBy, From: c.Operator, Reason: c.Reason}
}

// same says whether two contacts are equal, with all their past.
func (c *Contact) same(other *Contact) bool {
	a, b := *c, *other
	a.past, b.past = nil, nil
	if a != b || len(c.Past()) != len(other.Past()) {
		return false
	}
	for i, step := range c.Past() {
		if step != other.Past()[i] {
			return false
		}
	}
	return true
}

// names is a list of the names of who commanded something: each is kept once.
type names struct {
	list []string // the name of id i+1
	ids  map[string]NameID
}

func (n *names) id(name string) NameID {
	if name == "" {
		return 0
	}
	id, known := n.ids[name]
	if !known && len(n.list) < maxNames {
		if n.ids == nil {
			n.ids = map[string]NameID{}
		}
		n.list = append(n.list, name)
		id = NameID(len(n.list))
		n.ids[name] = id
	}
	return id
}

// NameOf is a name that a contact's history mentions; "" = nobody in particular.
func (c *Catalog) NameOf(id NameID) string { return nameOf(c.names.list, id) }

// nameOf is the name of an id; "" of one that nobody has.
func nameOf(names []string, id NameID) string {
	if id == 0 || int64(id) > int64(len(names)) {
		return ""
	}
	return names[id-1]
}

// Made says that a contact was committed, whatever became of it.
func (c *Catalog) Made(id ContactID) bool {
	_, forgotten := c.Forgotten(id)
	return forgotten || c.has(id)
}

// LastOperator is who has or had the lead's latest contact in a source that anybody had, if that was assigned or closed
// since a moment; 0 = nobody.
func (c *Catalog) LastOperator(source SourceID, lead LeadID, since Time) OperatorID {
	if !c.hasLead(lead) {
		return 0
	}
	for contact := range c.contactsOf(lead) {
		if contact.Source == source && contact.Operator != 0 {
			if max(contact.AssignedAt, contact.ClosedAt) < since {
				return 0
			}
			return contact.Operator
		}
	}
	return 0
}

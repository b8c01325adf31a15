package domain

// Catalog is committed state: everything that the journal's records say, and what every read is served from.
// Apply is the only way to change it. It is not safe for concurrent use: whoever shares it holds a lock.
type Catalog struct {
	index     uint64 // the last applied record's place in the journal
	last      Time   // the latest time stamp seen
	operators []operatorState
	sources   map[SourceID]*sourceState
	sourceIDs []SourceID                     // in commit order
	leads     table[storedLead, *storedLead] // lead i+1 at i
	leadCount int
	byEmail   emails
	contacts  table[storedContact, *storedContact] // by id; a place may still be empty, since sources commit in any order
	pasts     pages[*[]Step]                       // by id of contact; nil = it has none, as nearly all
	chains    chains
	living    []uint16      // by page of contacts: how many it has
	days      pages[uint16] // by id: the archive's day + 1 of a contact that was forgotten
	order     []ContactID   // in commit order, from the place trimmed + 1 on; what was forgotten may still be listed
	trimmed   uint32        // places before order
	thawed    uint32        // places given at the time of a snapshot
	byStatus  [StatusClosed + 1]Ordered[uint32]
	nextIDs   struct {
		source  SourceID
		contact ContactID
	}
	names  names
	keys   keyring
	states uint64 // counts changes of operators' states
}

// operatorState is an operator and the contacts that it holds or held last, by place in commit order.
type operatorState struct {
	Operator
	contacts Ordered[uint32]
}

// sourceState is a source, its fair share, and its contacts.
type sourceState struct {
	Source
	ledger   Ledger
	backlog  Ordered[Rank]
	contacts Ordered[uint32]
	live     int // contacts that are not closed
	trail    trail
	out      Out    // who is not eligible, as it was
	outAt    uint64 // after so many changes of operators
	outKnown bool
}

// NewCatalog is the catalog of an empty journal.
func NewCatalog() *Catalog {
	c := &Catalog{sources: map[SourceID]*sourceState{}, byEmail: emails{}, keys: newKeyring()}
	c.nextIDs.source, c.nextIDs.contact = 1, 1
	return c
}

// Index is the place in the journal of the last record that was applied; 0 = none.
func (c *Catalog) Index() uint64 { return c.index }

// LastTime is the latest time stamp of all records.
func (c *Catalog) LastTime() Time { return c.last }

// Operator looks an operator up.
func (c *Catalog) Operator(id OperatorID) (Operator, bool) {
	if o := c.operator(id); o != nil && !o.Deleted {
		return o.Operator, true
	}
	return Operator{}, false
}

// Source looks a source up.
func (c *Catalog) Source(id SourceID) (Source, bool) {
	if s := c.sources[id]; s != nil && !s.Deleted {
		return s.Source, true
	}
	return Source{}, false
}

// Waiting is the number of a source's open contacts.
func (c *Catalog) Waiting(id SourceID) int {
	if s := c.sources[id]; s != nil {
		return s.backlog.Len()
	}
	return 0
}

// Lead looks a lead up.
func (c *Catalog) Lead(id LeadID) (Lead, bool) {
	if !c.hasLead(id) {
		return Lead{}, false
	}
	return c.lead(id), true
}

// lead is a lead that exists.
func (c *Catalog) lead(id LeadID) Lead {
	at := int64(id - 1)
	return c.leads.get(at).lead(id, c.leads.textOf(at))
}

func (c *Catalog) hasLead(id LeadID) bool { return id >= 1 && int64(id) <= int64(c.leadCount) }

// LeadByEmail looks a lead up by its normalised email.
func (c *Catalog) LeadByEmail(email string) (Lead, bool) {
	id, _ := c.byEmail.find(email)
	return c.Lead(id)
}

// Contact looks a contact up.
func (c *Catalog) Contact(id ContactID) (Contact, bool) {
	if p := c.contacts.get(int64(id)); p != nil && p.ID != 0 {
		return c.contact(p), true
	}
	return Contact{}, false
}

// contactCount is the number of contacts, without the forgotten.
func (c *Catalog) contactCount() (n int) {
	for i := range c.byStatus {
		n += c.byStatus[i].Len()
	}
	return n
}

// LinkView is a link as an admin sees it.
type LinkView struct {
	Link
	Source  SourceID
	Weights int64  // of all the source's links together
	Reason  string // why the operator is not eligible; "" = it is
}

// Link looks a link up.
func (c *Catalog) Link(source SourceID, op OperatorID) (LinkView, bool) {
	s := c.sources[source]
	if s == nil {
		return LinkView{}, false
	}
	row, linked := s.ledger.Find(op)
	if !linked {
		return LinkView{}, false
	}
	return c.linkView(s, s.ledger.Links()[row], s.ledger.Weights()), true
}

func (c *Catalog) linkView(s *sourceState, link Link, weights int64) LinkView {
	v := LinkView{Link: link, Source: s.ID, Weights: weights}
	switch o := c.operator(link.Operator); {
	case link.Weight == 0:
		v.Reason = "weight 0"
	case !o.Active:
		v.Reason = o.State()
	case !o.Open():
		v.Reason = "full"
	}
	return v
}

func (c *Catalog) operator(id OperatorID) *operatorState {
	if id < 1 || int64(id) > int64(len(c.operators)) {
		return nil
	}
	return &c.operators[id-1]
}

package domain

import "slices"

// watched is what was seen of a source.
type watched struct {
	id        SourceID
	refused   int
	automatic int
	sticky    int
	uncharged int
	released  int
	lag       int64 // the largest, without its sign
	waits     []Time
	kept      map[ContactID]bool // that waited though somebody was eligible
}

// record looks at each record before it is applied, by what is committed: whether an assignment takes what others wait
// for. The auditor, which applies it, checks the limits.
func (d *day) record(r Record) {
	for _, s := range d.seen {
		s.look(&d.catalog.sources[s.id].ledger)
	}
	for _, event := range r.Events {
		a, ok := event.(*ContactAssigned)
		if !ok {
			continue
		}
		s := d.seen[a.Source-1]
		c, known := d.catalog.Contact(a.ID)
		if created, arrives := r.Events[0].(*ContactCreated); arrives {
			c = Contact{ID: a.ID, CreatedAt: r.At, Priority: created.Priority}
		}
		if a.How == Automatic || a.How == Sticky {
			d.overtakes(a, c.rank())
		}
		switch {
		case a.How == Sticky && a.Among.Kind == Uncharged:
			s.uncharged++
			s.sticky++
		case a.How == Sticky:
			s.sticky++
		case a.How == Automatic:
			s.automatic++
		}
		if !known || len(c.Past()) == 0 && c.Status == StatusOpen {
			s.waits = append(s.waits, r.At-c.CreatedAt)
		}
		d.handle(a.ID, a.Source, a.Operator)
	}
}

// look notes the largest lag.
func (s *watched) look(l *Ledger) {
	for i := range l.rows {
		s.lag = max(s.lag, l.rows[i].Lag, -l.rows[i].Lag)
	}
}

// overtakes checks that nobody who comes first waits for the operator of an assignment.
func (d *day) overtakes(a *ContactAssigned, rank Rank) {
	for _, source := range d.serves[a.Operator] {
		if first := d.first(source, a.Operator); first != 0 && first < rank {
			d.t.Errorf("contact %d got operator %d before contact %d", a.ID, a.Operator, first.Contact())
		}
	}
}

// first is a source's first waiting contact that an operator may have, by what is committed; 0 = none.
func (d *day) first(source SourceID, op OperatorID) Rank {
	s := d.catalog.sources[source]
	if s.backlog.Len() == 0 {
		return 0
	}
	another := slices.ContainsFunc(d.links[source], func(other OperatorID) bool {
		return other != op && d.catalog.operator(other).Active
	})
	for rank := range s.backlog.All {
		if c := d.catalog.contacts.get(int64(rank.Contact())); c.Avoid != op || !another {
			return rank
		}
	}
	return 0
}

// linked lists the operators of a source, who all have a weight.
func (d *day) linked(source SourceID) []OperatorID { return slices.Clone(d.links[source]) }

// look checks, at rest, those that the event can have left behind: a contact that came, an operator that changed. Now
// and then it checks all.
func (d *day) look() {
	if d.fresh != 0 {
		d.lookFor(d.fresh)
	}
	if d.touched != 0 {
		d.lookAt(d.touched)
	}
	if d.fresh == 0 && d.touched == 0 || d.events%101 == 0 {
		for _, op := range d.operators {
			d.lookAt(op)
		}
	}
}

// lookFor checks that nobody is eligible for a contact that waits.
func (d *day) lookFor(id ContactID) {
	c, _ := d.catalog.Contact(id)
	if c.Status != StatusOpen {
		return
	}
	for _, op := range d.links[c.Source] {
		if d.catalog.operator(op).Open() && c.Avoid != op {
			d.seen[c.Source-1].kept[id] = true
		}
	}
}

// lookAt checks that nobody waits for an operator that is open, and that it does not drain for nothing.
func (d *day) lookAt(op OperatorID) {
	o := d.catalog.operator(op)
	if o.Draining && o.Load == 0 {
		d.t.Errorf("operator %d drains and holds nothing", op)
	}
	if !o.Open() {
		return
	}
	for _, source := range d.serves[op] {
		if rank := d.first(source, op); rank != 0 {
			d.seen[source-1].kept[rank.Contact()] = true
		}
	}
}

// lookAtAll checks what costs a look at all contacts.
func (d *day) lookAtAll() {
	if err := d.catalog.Check(); err != nil {
		d.t.Error(err)
	}
	if err := d.audit.Conserving(); err != nil {
		d.t.Error(err)
	}
}

// checkEnd checks that everybody was served when the day is over, and that a restart would give the same state.
func (d *day) checkEnd() {
	d.lookAtAll()
	for _, s := range d.seen {
		if n := d.catalog.sources[s.id].live; n != 0 {
			d.t.Errorf("source %d has %d live contacts", s.id, n)
		}
	}
	for i, rebuilt := range d.catalog.Desks(NewFloor(nil, nil).For) {
		live := d.desks[d.seen[i].id]
		if !slices.Equal(rebuilt.ledger.rows, live.ledger.rows) || rebuilt.backlog.Len() != live.backlog.Len() || len(rebuilt.live) != len(live.live) {
			d.t.Errorf("source %d: rebuilt %+v, live %+v", d.seen[i].id, rebuilt.State(), live.State())
		}
	}
	thawed, err := thaw(d.catalog.Freeze())
	if err == nil {
		err = thawed.Same(d.catalog)
	}
	if err != nil {
		d.t.Error(err)
	}
}

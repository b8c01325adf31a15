package domain

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A day: contacts come by a curve that leaves operators idle at night and overloads them before and after noon; a fifth
// are of leads that were there before. Operators work in shifts, with breaks; at the end of a shift most drain, some
// leave their contacts to others. Handling times are log-normal. Some contacts are urgent, some are released,
// transferred, prioritised or reopened. All times scale with the number of contacts, so that the load is the same.

const (
	daySources   = 8
	dayOperators = 50
	dayLoad      = 0.65 // of the seats that are there over the day
	dayStart     = Time(1_800_000_000_000_000)
	hour         = Time(3_600_000_000)
)

// dayCurve is how many contacts come in each hour, in relation to each other.
var dayCurve = [24]float64{
	0.2, 0.15, 0.1, 0.1, 0.1, 0.2, 0.5, 1, 1.6, 2.1, 2.2, 1.8, 1.5, 1.7, 2, 1.8, 1.5, 1.2, 1, 0.9, 0.8, 0.6, 0.4, 0.3,
}

type day struct {
	*house
	rng       *rand.Rand
	contacts  int     // that come
	handling  float64 // seconds, on average
	todo      agenda
	operators []OperatorID
	links     [daySources + 1][]OperatorID // by source
	serves    map[OperatorID][]SourceID
	leads     []visitor // recent
	seen      []*watched
	events    int
	touched   OperatorID // whose seats or state the event changed; 0 = see fresh
	fresh     ContactID  // that came in this event
}

// visitor is a lead and where it was last.
type visitor struct {
	lead   LeadID
	source SourceID
}

// moment is something that is to happen.
type moment struct {
	at  Time
	seq int // in this order, when at the same time
	do  func()
}

type agenda []moment

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(moment)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// after puts something on the agenda.
func (d *day) after(wait Time, do func()) {
	d.events++
	heap.Push(&d.todo, moment{d.now + wait, d.events, do})
}

func newDay(t testing.TB, contacts int, seed uint64) *day {
	d := &day{house: newHouse(t), rng: rand.New(rand.NewPCG(seed, 0)), contacts: contacts, serves: map[OperatorID][]SourceID{}}
	d.now = dayStart
	d.audit = NewAuditor(d.catalog)
	for i := range daySources {
		s := Source{StickyWindow: []int64{0, 1800, 0, 4 * 3600, 0, 86400, 600, 0}[i]}
		if i == daySources-1 {
			s.BacklogLimit = max(5, contacts/1000)
		}
		d.seen = append(d.seen, &watched{id: d.source(s), kept: map[ContactID]bool{}})
	}
	var seatHours float64
	for i := range dayOperators {
		seatHours += d.hire(i)
	}
	d.handling = dayLoad * seatHours * 3600 / float64(contacts)
	d.house.seen = d.record
	for i := range daySources {
		d.arrivals(SourceID(i+1), contacts*(i+1)/daySources-contacts*i/daySources)
	}
	return d
}

// hire makes the operator of this number with links and shifts, and says for how many hours its seats are there. Of ten
// operators that share two sources one works at night.
func (d *day) hire(number int) (seatHours float64) {
	op := d.operator(3 + d.rng.IntN(4))
	o, _ := d.catalog.Operator(op)
	d.operators = append(d.operators, op)
	own := number / 10 * 2 % daySources
	others := slices.DeleteFunc(d.rng.Perm(daySources), func(i int) bool { return i/2 == own/2 })
	for _, i := range append([]int{own, own + 1}, others[:d.rng.IntN(3)]...) {
		source := SourceID(i + 1)
		d.link(source, op, []int64{1, 1, 2, 3, 5}[d.rng.IntN(5)])
		d.links[source], d.serves[op] = append(d.links[source], op), append(d.serves[op], source)
	}
	start := []Time{8, 8, 8, 8, 6, 6, 6, 14, 14, 22}[number%10]*hour + Time(d.rng.Int64N(int64(hour)))
	d.change(op, OperatorPatch{Active: ptr(start > 16*hour+hour/2)}) // the night began yesterday
	on, off := d.comes(op), d.leaves(op)
	for _, part := range []struct {
		at Time
		do func()
	}{
		{0, on}, {2 * hour, off}, {2*hour + hour/4, on}, {4 * hour, off}, {4*hour + 3*hour/4, on}, {6 * hour, off}, {6*hour + hour/4, on}, {8 * hour, off},
	} {
		d.after((start+part.at)%(24*hour), part.do)
	}
	d.after(32*hour, on) // whoever waits then is served in the morning
	return 6.75 * float64(o.MaxLoad)
}

func (d *day) comes(op OperatorID) func() {
	return func() { d.touched = op; d.change(op, OperatorPatch{Active: ptr(true)}) }
}

// leaves ends a shift or begins a break.
func (d *day) leaves(op OperatorID) func() {
	return func() {
		d.touched = op
		if d.rng.IntN(10) < 7 {
			d.change(op, OperatorPatch{Draining: ptr(true)})
			return
		}
		d.change(op, OperatorPatch{Active: ptr(false)})
		if d.rng.IntN(2) == 0 {
			return // and finishes what it has
		}
		held, _ := d.catalog.Contacts(ContactFilter{Status: StatusAssigned, Operator: op}, 0, 1000)
		for _, c := range held {
			d.release(c.ID, c.Source, op)
		}
	}
}

// arrivals puts the arrival of the source's contacts on the agenda, one after the other.
func (d *day) arrivals(source SourceID, n int) {
	if n == 0 {
		return
	}
	var sum float64
	for _, part := range dayCurve {
		sum += part
	}
	var next func()
	next = func() {
		at := float64((d.now-dayStart)%(24*hour)) / float64(hour)
		rate := float64(n) * dayCurve[int(at+float64(source)/4)%24] / sum / float64(hour) // each source has its own rush hour
		wait := max(1, Time(d.rng.ExpFloat64()/rate))
		if over := hour/4 - (d.now-dayStart)%(hour/4); wait > over {
			d.after(over, next) // the rate is another one from then on
			return
		}
		d.after(wait, func() {
			if n := len(d.leads); d.now-dayStart < 24*hour || n == 0 {
				d.arrive(source)
				next()
			}
		})
	}
	next()
}

// arrive is a contact, in one of five cases of a lead that was there before.
func (d *day) arrive(source SourceID) {
	v := visitor{source: source}
	if len(d.leads) >= 100 && d.rng.IntN(5) == 0 {
		v = d.leads[d.rng.IntN(len(d.leads))]
		if d.rng.IntN(10) < 3 {
			v.source = source
		}
	} else {
		v.lead = d.lead()
	}
	recent := max(100, d.contacts/50)
	if len(d.leads) < recent {
		d.leads = append(d.leads, v)
	} else {
		d.leads[d.rng.IntN(recent)] = v
	}
	var prefer OperatorID
	if window := d.desks[v.source].StickyWindow(); window > 0 {
		prefer = d.catalog.LastOperator(v.source, v.lead, d.now-window)
	}
	priority := []uint8{0, 1, 5, 9}[max(0, d.rng.IntN(64)-60)]
	before := d.refused
	d.fresh = d.contact(v.source, v.lead, priority, prefer)
	if d.refused > before {
		d.seen[v.source-1].refused++
		d.fresh = 0
	} else if d.rng.IntN(500) == 0 {
		id := d.fresh
		d.after(Time(d.handling*1e6), func() { d.desks[v.source].Prioritise(id, uint8(d.rng.IntN(10)), d.now) })
	}
}

// handle ends the handling of a contact that an operator has now, some time later.
func (d *day) handle(id ContactID, source SourceID, op OperatorID) {
	const sigma = 1.0
	seconds := d.handling * math.Exp(d.rng.NormFloat64()*sigma-sigma*sigma/2)
	d.after(max(1, Time(seconds*1e6)), func() {
		if c, _ := d.catalog.Contact(id); c.Status == StatusAssigned && c.Operator == op {
			d.end(id, source, op)
		}
	})
}

// end is what an operator does with a contact at last: most are closed.
func (d *day) end(id ContactID, source SourceID, op OperatorID) {
	d.touched = op
	switch n := d.rng.IntN(1000); {
	case n < 15:
		d.release(id, source, op)
	case n < 20:
		to := d.links[source][d.rng.IntN(len(d.links[source]))]
		before := d.refused
		d.desks[source].Assign(id, to, false, d.now)
		d.floor.Deliver(d.desks)
		if d.refused > before || to == op {
			d.close(source, id)
		}
	default:
		d.close(source, id)
		if n > 992 {
			d.after(Time(d.handling*4e6), func() { d.reopen(id, source) })
		}
	}
}

func (d *day) release(id ContactID, source SourceID, op OperatorID) {
	d.seen[source-1].released++
	_ = d.desks[source].Release(id, op, d.now) // it may be gone already
	d.floor.Deliver(d.desks)
}

func (d *day) reopen(id ContactID, source SourceID) {
	c, _ := d.catalog.Contact(id)
	d.desks[source].Reopen(id, c.Priority, c.Operator, d.now)
	d.floor.Deliver(d.desks)
	d.fresh = id
}

// run lets the day pass, and what is left of it at midnight.
func (d *day) run() {
	for n := 1; len(d.todo) > 0; n++ {
		m := heap.Pop(&d.todo).(moment)
		d.now, d.touched, d.fresh = m.at, 0, 0
		m.do()
		d.look()
		if n%(d.contacts/3+1) == 0 {
			d.lookAtAll()
		}
	}
}

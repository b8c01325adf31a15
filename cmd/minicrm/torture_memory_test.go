package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// memory is what the clients of TestTorture know, over all rounds: what they asked, what they were told, and so what
// the server must be like. Everything that was asked and not answered may have happened or not.
type memory struct {
	mu        sync.Mutex
	now       int64              // ticks: what was answered before something was sent has the smaller one
	posts     map[string]*asking // contacts that were asked for and not answered, by token
	contacts  map[int64]*memo
	recent    []int64                   // contacts that are not known to be closed, for clients to pick from
	emails    map[string]bool           // that were ever sent, normalised
	leads     map[string]int64          // by email, as told; the youngest
	gone      map[int64]*register[bool] // erased leads, by id
	hires     map[string]bool           // operators that were asked for and not answered, by name
	operators map[int64]*hired
	links     map[linkKey]*register[int64] // weights; notLinked
	policies  map[int64]*register[string]
	happened  int // posts without an answer that turned out to have happened,
	never     int // and those that did not
}

// asking is a contact that was asked for.
type asking struct {
	source int64
	email  string
}

// memo is what is known of a contact.
type memo struct {
	token        string // its text, which no other contact has
	source, lead int64
	holder       register[int64] // 0 = open; then a seat that frees may take it at any time
	closed       register[bool]
	ended        bool  // it was seen closed, so that
	last         int64 // this is who held it, for good
	asked        map[manual]bool
	archived     int64 // when somebody was told that it is in the archive, for good; 0 = never
}

// manual is a manual assignment that was asked for.
type manual struct {
	operator int64
	force    bool
}

// hired is what is known of an operator.
type hired struct {
	name    string
	active  register[bool]
	maxLoad register[int]
}

type linkKey struct{ source, operator int64 }

// notLinked is the weight where there is no link.
const notLinked = -1

func newMemory() *memory {
	return &memory{
		posts: map[string]*asking{}, contacts: map[int64]*memo{}, emails: map[string]bool{}, leads: map[string]int64{},
		gone:  map[int64]*register[bool]{},
		hires: map[string]bool{}, operators: map[int64]*hired{},
		links: map[linkKey]*register[int64]{}, policies: map[int64]*register[string]{},
	}
}

// tick is the time, a moment later each time. The caller holds the lock.
func (m *memory) tick() int64 {
	m.now++
	return m.now
}

// start is the time at which something is sent.
func (m *memory) start() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tick()
}

func (m *memory) link(source, operator int64) *register[int64] {
	key := linkKey{source, operator}
	if m.links[key] == nil {
		r := known[int64](notLinked)
		m.links[key] = &r
	}
	return m.links[key]
}

func (m *memory) hire(id int64, name string, active bool, maxLoad int) {
	m.operators[id] = &hired{name: name, active: known(active), maxLoad: known(maxLoad)}
}

// created notes a contact that an answer showed for the first time.
func (m *memory) created(c contactView, lead int64) {
	m.contacts[c.ID] = &memo{
		token: c.Text, source: c.Source, lead: lead,
		holder: known(c.Operator), closed: known(false), asked: map[manual]bool{},
	}
	m.recent = append(m.recent, c.ID)
}

// pick is a contact that is probably not closed; 0 = there is none.
func (m *memory) pick(rng *rand.Rand) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.recent) == 0 {
		return 0
	}
	return m.recent[rng.IntN(len(m.recent))]
}

// live is how many contacts are probably not closed.
func (m *memory) live() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.recent)
}

// sees checks what an answer shows of a contact against all that was known, and learns it. The time of the answer is
// over; from is when its command was sent.
func (m *memory) sees(c contactView, from int64) error {
	k, now := m.contacts[c.ID], m.tick()
	switch {
	case k == nil:
		return fmt.Errorf("nobody asked for it")
	case c.Source != k.source || c.Lead != k.lead || !m.shows(c.Text, k, from, now):
		return fmt.Errorf("it was told to be %q of lead %d in source %d", k.token, k.lead, k.source)
	case k.archived != 0 && k.archived < from:
		return fmt.Errorf("it was told to be in the archive")
	case !k.closed.may(c.Status == "closed", from, now):
		return fmt.Errorf("its being closed must be another")
	case k.ended && c.Status == "closed" && c.Operator != k.last:
		return fmt.Errorf("it was closed while operator %d held it", k.last)
	case !k.holder.may(c.Operator, from, now) && !k.holder.may(0, from, now):
		return fmt.Errorf("it was last told to be held by one of %v", k.holder.values())
	}
	k.holder.observe(c.Operator, from, now)
	k.closed.observe(c.Status == "closed", from, now)
	if c.Status == "closed" {
		k.ended, k.last = true, c.Operator
	}
	return nil
}

// settled makes what was read, when nothing was under way, all that is known from here on.
func (m *memory) settled(now world) {
	m.never += len(m.posts)
	clear(m.posts)
	clear(m.hires)
	m.recent = m.recent[:0]
	listed := map[int64]bool{}
	for _, c := range now.contacts {
		listed[c.ID] = true
		k := m.contacts[c.ID]
		if c.Status != "closed" {
			m.recent = append(m.recent, c.ID)
		}
		k.holder, k.closed, k.ended, k.last = known(c.Operator), known(c.Status == "closed"), c.Status == "closed", c.Operator
		clear(k.asked)
	}
	for id, k := range m.contacts {
		if !listed[id] && k.archived == 0 {
			k.archived = m.tick()
		}
	}
	for _, o := range now.operators {
		m.hire(o.ID, o.Name, o.Active, o.MaxLoad)
	}
	for _, s := range now.sources {
		policy := known(s.Backlog)
		m.policies[s.ID] = &policy
	}
	clear(m.links)
	for source, links := range now.links {
		for _, l := range links {
			weight := known(l.Weight)
			m.links[linkKey{source, l.Operator}] = &weight
		}
	}
	clear(m.leads)
	shown := map[int64]bool{}
	for _, l := range now.leads {
		m.leads[l.Email], shown[l.ID] = l.ID, true
	}
	for id := range m.gone {
		gone := known(!shown[id])
		m.gone[id] = &gone
	}
}

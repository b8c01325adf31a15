package main

import (
	"errors"
	"fmt"
	"slices"

	"minicrm/persistence/journalpb"
)

// world is all that the API shows, read while nothing changes.
type world struct {
	contacts  []contactView
	operators []operatorView
	sources   []sourceView
	leads     []leadJSON
	links     map[int64][]linkJSON
	released  map[int64]int64 // of waiting contacts, where it was read: who released it
}

// readWorld reads it, or of the contacts only those that these filters let pass.
func readWorld(s *server, filters ...string) world {
	s.t.Helper()
	w := world{
		operators: list[operatorView](s, "/v1/operators"),
		sources:   list[sourceView](s, "/v1/sources"),
		leads:     list[leadJSON](s, "/v1/leads"),
		links:     map[int64][]linkJSON{},
	}
	if len(filters) == 0 {
		filters = []string{""}
	}
	for _, filter := range filters {
		w.contacts = append(w.contacts, list[contactView](s, "/v1/contacts"+filter)...)
	}
	for _, source := range w.sources {
		w.links[source.ID] = list[linkJSON](s, fmt.Sprintf("/v1/sources/%d/operators", source.ID))
	}
	return w
}

// findings gathers what is wrong, up to what a reader can take in.
type findings struct {
	all  []error
	more int
}

func (f *findings) add(format string, args ...any) {
	if len(f.all) == 20 {
		f.more++
		return
	}
	f.all = append(f.all, fmt.Errorf(format, args...))
}

func (f *findings) err() error {
	if f.more > 0 {
		return errors.Join(append(slices.Clone(f.all), fmt.Errorf("and %d more", f.more))...)
	}
	return errors.Join(f.all...)
}

// atRest checks what holds of any server that is at rest, whatever was done to it: loads count the contacts that are
// held, nobody waits in an auto source for an operator that could take the contact, an email has one lead, lags sum to 0.
func (w world) atRest() error {
	var f findings
	held := map[int64]int{}
	waiting := map[int64][]int64{} // by source
	for _, c := range w.contacts {
		switch {
		case c.Status == "assigned" && c.Operator != 0:
			held[c.Operator]++
		case c.Status == "open" && c.Operator == 0:
			waiting[c.Source] = append(waiting[c.Source], c.ID)
		case c.Status != "closed":
			f.add("contact %+v is neither open nor assigned nor closed", c)
		}
	}
	open, active := map[int64]bool{}, map[int64]bool{}
	for _, o := range w.operators {
		open[o.ID], active[o.ID] = o.Active && o.Load < o.MaxLoad, o.Active
		if o.Load != held[o.ID] {
			f.add("operator %d has load %d and holds %d contacts", o.ID, o.Load, held[o.ID])
		}
		delete(held, o.ID)
	}
	if len(held) > 0 {
		f.add("contacts are held by operators that do not exist: %v", held)
	}
	for _, s := range w.sources {
		var lags float64 // exact: lags are multiples of 2^-40
		for _, l := range w.links[s.ID] {
			lags += l.Lag
			if s.Backlog != "auto" || l.Weight == 0 || !open[l.Operator] {
				continue
			}
			// What somebody released does not go straight back while another is active, be it a full one.
			another := slices.ContainsFunc(w.links[s.ID], func(o linkJSON) bool {
				return o.Operator != l.Operator && o.Weight > 0 && active[o.Operator]
			})
			owed := func(id int64) bool { return w.released[id] != l.Operator || !another }
			if i := slices.IndexFunc(waiting[s.ID], owed); i >= 0 {
				f.add("work conserving: contact %d waits in source %d, and operator %d is eligible", waiting[s.ID][i], s.ID, l.Operator)
			}
		}
		if lags != 0 {
			f.add("share: the lags of source %d sum to %g", s.ID, lags)
		}
	}
	return f.err()
}

// verify holds what the API shows, while nothing is under way, against all that clients were told, and against what
// they asked for: nothing may be lost, and nothing may be there that nobody wanted. archived is what the journal says
// that is in the archive.
func (m *memory) verify(w world, archived map[int64]int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var f findings
	m.verifyLeads(w, &f)
	m.verifyContacts(w, archived, &f)
	m.verifyOperators(w, &f)
	m.verifySources(w, &f)
	return f.err()
}

func (m *memory) verifyLeads(w world, f *findings) {
	shown, now := map[string]int64{}, m.tick()
	for _, l := range w.leads {
		if other, taken := shown[l.Email]; taken {
			f.add("one lead per email: %d and %d both have %s", other, l.ID, l.Email)
		}
		if !m.emails[l.Email] {
			f.add("nobody sent the email of lead %+v", l)
		}
		if !m.erased(l.ID).may(false, now, now) {
			f.add("lead %+v was erased and is back", l)
		}
		m.erased(l.ID).observe(false, now, now)
		shown[l.Email] = l.ID
	}
	for email, id := range m.leads {
		has := shown[email]
		if has == id {
			continue
		}
		if !m.erased(id).may(true, now, now) || has != 0 && has < id {
			f.add("durable: %s was told to be lead %d and is lead %d", email, id, has)
		}
		m.erased(id).observe(true, now, now)
	}
}

func (m *memory) verifyContacts(w world, archived map[int64]int64, f *findings) {
	emails := map[int64]string{}
	for _, l := range w.leads {
		emails[l.ID] = l.Email
	}
	shown := map[int64]bool{}
	for _, c := range w.contacts {
		if shown[c.ID] {
			f.add("contact %d is there twice", c.ID)
		}
		shown[c.ID] = true
		if m.contacts[c.ID] == nil {
			if a := m.posts[c.Text]; a == nil || a.source != c.Source || a.email != emails[c.Lead] || c.Status == "closed" {
				f.add("contact %+v of %s was not asked for, or not so (%+v)", c, emails[c.Lead], a)
			}
			delete(m.posts, c.Text) // it happened, once
			m.happened++
			m.created(c, c.Lead)
			continue
		}
		if err := m.sees(c, m.tick()); err != nil {
			f.add("contact %+v: %w", c, err)
		}
	}
	for id, k := range m.contacts {
		if _, is := archived[id]; !shown[id] && (!is || !k.closed.may(true, m.now, m.now)) {
			f.add("durable: contact %d (%s) was acknowledged and is gone", id, k.token)
		}
	}
}

func (m *memory) verifyOperators(w world, f *findings) {
	shown := map[int64]bool{}
	for _, o := range w.operators {
		shown[o.ID] = true
		if m.operators[o.ID] == nil {
			if !m.hires[o.Name] {
				f.add("nobody asked for operator %+v", o)
			}
			delete(m.hires, o.Name)
		} else if err := m.seesOperator(o, m.tick()); err != nil {
			f.add("%w", err)
		}
	}
	for id := range m.operators {
		if !shown[id] {
			f.add("durable: operator %d was acknowledged and is gone", id)
		}
	}
}

func (m *memory) verifySources(w world, f *findings) {
	if len(w.sources) != len(m.policies) {
		f.add("there are %d sources, not %d", len(w.sources), len(m.policies))
	}
	for _, s := range w.sources {
		policy := m.policies[s.ID]
		if policy == nil || !policy.may(s.Backlog, m.now, m.now) {
			f.add("source %+v should have another backlog", s)
		}
		weights := map[int64]int64{}
		for _, l := range w.links[s.ID] {
			weights[l.Operator] = l.Weight
			m.link(s.ID, l.Operator) // so that it is compared
		}
		for key, known := range m.links {
			weight, linked := weights[key.operator]
			if !linked {
				weight = notLinked
			}
			if key.source == s.ID && !known.may(weight, m.now, m.now) {
				f.add("link of operator %d to source %d has weight %d instead of one of %v", key.operator, s.ID, weight, known.values())
			}
		}
	}
}

// explains says whether somebody asked for what the journal says of a contact: that it was created, closed, or assigned
// by hand. Assignments from the backlog need no asking.
func (m *memory) explains(id int64, c examinedContact, how journalpb.How) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, asked := m.contacts[id], m.posts[c.text]
	gently, forcibly := false, false
	if k != nil {
		gently, forcibly = k.asked[manual{c.operator, false}], k.asked[manual{c.operator, true}]
	}
	switch {
	case k == nil && (asked == nil || asked.source != c.source):
		return fmt.Errorf("nobody asked for contact %d: %+v", id, c)
	case k != nil && (k.token != c.text || k.source != c.source || k.lead != c.lead):
		return fmt.Errorf("contact %d, %+v, was told to be %q of lead %d in source %d", id, c, k.token, k.lead, k.source)
	case c.closed && (k == nil || !k.closed.may(true, m.now, m.now)):
		return fmt.Errorf("nobody closed contact %d: %+v", id, c)
	case how == journalpb.How_HOW_MANUAL && !gently && !forcibly, how == journalpb.How_HOW_FORCED && !forcibly:
		return fmt.Errorf("nobody assigned contact %d like that: %+v, %v", id, c, how)
	}
	return nil
}

package domain

import (
	"fmt"
	"reflect"
	"slices"
)

// How the model is compared with committed state.

// differs says where committed state is not the model's.
func (m *model) differs(c *Catalog) error {
	for _, differs := range []func(*Catalog) error{m.operatorsDiffer, m.sourcesDiffer, m.leadsDiffer, m.contactsDiffer, m.keysDiffer} {
		if err := differs(c); err != nil {
			return err
		}
	}
	return nil
}

func (m *model) operatorsDiffer(c *Catalog) error {
	for id, want := range m.operators {
		o, found := c.Operator(id)
		if found == want.deleted {
			return fmt.Errorf("operator %d is there: %v", id, found)
		}
		if found && (o.Load != m.load(id) || o.Active != want.active || o.Draining != want.draining || o.MaxLoad != want.maxLoad) {
			return fmt.Errorf("%+v, want load %d and %+v", o, m.load(id), *want)
		}
	}
	return nil
}

func (m *model) sourcesDiffer(c *Catalog) error {
	for id, s := range m.sources {
		got, found := c.Source(id)
		if found == s.deleted || found && (got.BacklogLimit != s.limit || (got.Backlog == BacklogAuto) != s.auto) {
			return fmt.Errorf("source %d is there: %v, %+v, want %+v", id, found, got, *s)
		}
		if err := s.share.differs(&c.sources[id].ledger); err != nil {
			return fmt.Errorf("source %d: %w", id, err)
		}
		var backlog []ContactID
		for rank := range c.sources[id].backlog.All {
			backlog = append(backlog, rank.Contact())
		}
		if want := m.waiting(id); !slices.Equal(backlog, want) || c.Waiting(id) != len(want) {
			return fmt.Errorf("source %d: backlog %v, want %v", id, backlog, want)
		}
		if n := c.sources[id].live; n != m.live(id) {
			return fmt.Errorf("source %d: %d live contacts, want %d", id, n, m.live(id))
		}
	}
	return nil
}

func (m *model) leadsDiffer(c *Catalog) error {
	for id, want := range m.leads {
		got, found := c.Lead(id)
		if !found || got.Email != want.Email || got.Name != want.Name || got.Phone != want.Phone || got.Erased() != (want.Email == "") {
			return fmt.Errorf("lead %+v, want %+v", got, *want)
		}
	}
	return nil
}

func (m *model) contactsDiffer(c *Catalog) error {
	for id, want := range m.contacts {
		got, found := c.Contact(id)
		if _, forgotten := c.Forgotten(id); found == want.archived || forgotten != want.archived || !c.Made(id) {
			return fmt.Errorf("contact %d is there: %v, forgotten: %v", id, found, forgotten)
		}
		if want.archived {
			if _, err := c.Decision(id); codeOf(err) != CodeContactArchived {
				return fmt.Errorf("contact %d was archived, and its decision is refused otherwise: %w", id, err)
			}
			continue
		}
		if got.Source != want.source || got.Lead != want.lead || got.Status != want.status || got.Operator != want.operator ||
			got.Avoid != want.avoid || got.Priority != want.priority || got.Text != want.text {
			return fmt.Errorf("contact %+v, want %+v", got, *want)
		}
		if err := want.told(c, &got); err != nil {
			return err
		}
		if err := m.decided(c, id, want); err != nil {
			return err
		}
	}
	return nil
}

// told compares a contact's history with what was written down step by step.
func (want *modelContact) told(c *Catalog, got *Contact) error {
	var steps []modelStep
	for _, s := range got.History() {
		by := c.NameOf(s.By)
		s.By = 0
		steps = append(steps, modelStep{s, by})
	}
	if !slices.Equal(steps, want.steps) {
		return fmt.Errorf("contact %d has the history\n%+v, want\n%+v", got.ID, steps, want.steps)
	}
	return nil
}

// decided compares why somebody has a contact.
func (m *model) decided(c *Catalog, id ContactID, want *modelContact) error {
	got, err := c.Decision(id)
	switch {
	case want.operator == 0 && codeOf(err) != CodeNoDecision:
		return fmt.Errorf("nobody had contact %d, and its decision is %+v, %w", id, got, err)
	case want.operator == 0:
		return nil
	case m.sources[want.source].deleted && want.why.Rule != RuleManual:
		if codeOf(err) != CodeDecisionExpired {
			return fmt.Errorf("the source of contact %d was deleted, and its decision is %+v, %w", id, got, err)
		}
		return nil
	case err != nil || !reflect.DeepEqual(got, want.why):
		return fmt.Errorf("decision %+v (%w), want %+v", got, err, want.why)
	}
	return nil
}

func (m *model) keysDiffer(c *Catalog) error {
	got := slices.Collect(c.keys.uses().all)
	if n, _ := c.KeyCount(); n != len(m.keys) || n != len(got) {
		return fmt.Errorf("%d keys, listed %d, want %d", n, len(got), len(m.keys))
	}
	for i, want := range m.keys {
		if *got[i] != want {
			return fmt.Errorf("key %+v, want %+v", *got[i], want)
		}
		use, known := c.KeyUse(want.Key, c.last)
		if latest, is := m.useOf(want.Key, c.last); known != is || known && use != latest {
			return fmt.Errorf("key %+v was used by %+v, want %+v", want, use, latest)
		}
	}
	return nil
}

// shares counts who got how much of a source since a moment, as Tally.Count must.
func (s *modelSource) shares(since Time) (decisions, manual int, rows map[OperatorID]Share) {
	rows = map[OperatorID]Share{}
	for _, d := range s.log {
		if d.at < since {
			continue
		}
		row := rows[d.operator]
		switch d.how {
		case Automatic:
			row.Automatic++
			decisions++
		case Sticky:
			row.Sticky++
			decisions++
		case Manual, Forced:
			row.Manual++
			manual++
		}
		rows[d.operator] = row
		for op, earned := range d.earned {
			row := rows[op]
			row.Expected += earned
			row.Eligible++
			rows[op] = row
		}
	}
	return decisions, manual, rows
}

// sharesDiffer compares that with what the catalog says.
func (m *model) sharesDiffer(c *Catalog, id SourceID, since Time) error {
	s := m.sources[id]
	tally, found := c.Tally(id, since)
	if found == s.deleted {
		return fmt.Errorf("source %d has shares: %v", id, found)
	}
	if !found {
		return nil
	}
	got := tally.Count()
	decisions, manual, rows := s.shares(since)
	if got.Decisions != decisions || got.Manual != manual || got.Since != since || !got.Complete {
		return fmt.Errorf("shares %+v, want %d decisions, %d manual, since %d", *got, decisions, manual, since)
	}
	for i, op := range s.share.operators() {
		want := rows[op]
		want.LinkView, _ = c.Link(id, op)
		if got.Rows[i] != want {
			return fmt.Errorf("operator %d has share %+v, want %+v", op, got.Rows[i], want)
		}
	}
	return nil
}

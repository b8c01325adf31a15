package domain

import (
	"maps"
	"slices"
)

// DeskState is a copy of what a desk knows, in a form that can be compared and shown.
type DeskState struct {
	Source    Source
	Links     []Link
	Decisions uint64
	Backlog   []Rank
	Live      map[ContactID]liveContact
}

// State copies what the desk knows.
func (d *Desk) State() DeskState {
	return DeskState{
		Source:    d.source,
		Links:     slices.Clone(d.ledger.rows),
		Decisions: d.ledger.decisions,
		Backlog:   slices.Collect(d.backlog.All),
		Live:      maps.Clone(d.live),
	}
}

package main

import (
	"context"
	"errors"

	"minicrm/domain"
	"minicrm/persistence"
)

// unsnapshotted is the journal as the actors want it, without snapshots.
type unsnapshotted struct{ *persistence.Journal }

func (j unsnapshotted) Recover(func(done, total int64)) (*domain.Catalog, error) {
	c := domain.NewCatalog()
	return c, j.Replay(c.Apply)
}

func (unsnapshotted) Entry() uint64       { return 0 }
func (unsnapshotted) Snapshotted() uint64 { return 0 }

func (unsnapshotted) WriteSnapshot(context.Context, *domain.Frozen, uint64) error {
	return errors.New("no snapshots")
}

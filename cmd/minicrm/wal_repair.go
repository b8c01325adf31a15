package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"minicrm/persistence"
	"minicrm/persistence/wal"
)

type walRepairCmd struct {
	Dir string `arg:"" help:"The data directory, as serve has it in --data."`
	// An environment that says yes to everything would take the question away.
	Yes bool `env:"-" help:"Cut."`
}

// Help is the long part of --help.
func (*walRepairCmd) Help() string {
	return `Cuts off what a crash left of the last record of the journal: part of a record that never got finished, so nobody was
told that it was stored. Every start of serve does the same; this is for looking before that happens. Any other damage
is refused: restore a backup. The bytes are kept in a file beside the segment.

It refuses while a server has the directory.

Exit status: 0 when there is nothing to do, or it was done with --yes; 1 when there is something to cut and --yes was not
given, so that a script notices, and on any damage that this cannot repair.`
}

// Run plans, and cuts if it was told so.
func (c *walRepairCmd) Run() error {
	journal, err := persistence.JournalDir(c.Dir)
	if err != nil {
		return err
	}
	if c.Yes {
		return c.cut(journal)
	}
	unlock, err := persistence.Lock(c.Dir)
	if err != nil {
		return err
	}
	plan, err := wal.PlanRepair(journal)
	if err = errors.Join(err, unlock()); err != nil {
		return err
	}
	if plan == nil {
		fmt.Println("nothing to do")
		return nil
	}
	fmt.Printf("would cut %d bytes off %s at offset %d: what there is of entry %d (%s)\n",
		plan.Bytes, plan.File, plan.Offset, plan.Index, plan.Reason)
	return fmt.Errorf("nothing was changed; to cut, say --yes")
}

func (c *walRepairCmd) cut(journal string) error {
	done, err := wal.Repair(journal)
	if done != nil {
		fmt.Printf("cut %d bytes off %s at offset %d: what there was of entry %d (%s)\n",
			done.Bytes, done.File, done.Offset, done.Index, done.Reason)
		if done.Saved != "" {
			fmt.Printf("the bytes are in %s\n", filepath.Join(journal, done.Saved))
		}
	}
	if done == nil && err == nil {
		fmt.Println("nothing to do")
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"time"

	"minicrm/domain"
	"minicrm/persistence"
	"minicrm/transport/httpapi"
)

// retainEvery is the time from one look for contacts to archive to the next: closed contacts stay that much longer.
const retainEvery = 2 * time.Minute

// retain archives contacts that were closed longer ago than c.retainClosed, at once and then again and again until ctx
// ends. A failure is no reason to stop: the contacts stay in memory, and the next look tries again.
func (s *service) retain(ctx context.Context, c config, diskLow func() bool) {
	every := min(retainEvery, max(c.retainClosed, time.Second)) // who keeps them for seconds wants to see it
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if !diskLow() {
			before := wallClock() - domain.Time(c.retainClosed.Microseconds())
			n, err := s.dispatcher.ArchiveClosed(ctx, before, s.archive.Append)
			if n > 0 {
				c.logger.Info("archived closed contacts", "contacts", n)
			}
			if err != nil && ctx.Err() == nil {
				c.logger.Error("closed contacts could not be archived; they stay in memory", "error", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

type archiveCmd struct {
	Erase archiveEraseCmd `cmd:"" help:"Take a person out of the archive, also while the server runs."`
}

type archiveEraseCmd struct {
	Data  string `default:"./data" help:"Directory that holds the state."`
	Lead  int64  `xor:"who" required:"" env:"-" help:"The lead's id."`
	Email string `xor:"who" required:"" env:"-" help:"The lead's email, written as in a request."`
}

// Run empties email, name, phone and text in all lines of that lead.
func (c *archiveEraseCmd) Run() error {
	email := ""
	if c.Email != "" {
		var err error
		if email, err = httpapi.NormalizeEmail(c.Email); err != nil {
			return err
		}
	}
	archive, err := persistence.OpenArchive(c.Data, nil)
	if err != nil {
		return err
	}
	n, err := archive.Erase(domain.LeadID(c.Lead), email)
	if err != nil {
		return err
	}
	fmt.Printf("erased the personal data of %d archived contacts\n", n)
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
)

type tuneCmd struct {
	common
	Connections int      `default:"64" help:"Connections."`
	Pools       []int    `default:"16,24,48" help:"Connections of the pool."`
	Chooses     []string `default:"choose_skipping,choose_in_order" help:"Functions of postgres.sql that choose an operator."`
	Sets        []string `default:"autovacuum=on" sep:";" help:"Further settings, each name=value, tried one by one; separated by semicolons."`
}

// Run measures every combination and prints the table.
func (c *tuneCmd) Run(ctx context.Context) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	db, err := newCluster(ctx, w.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.remove()) }()
	r := newResult("Tunings of PostgreSQL", "tuning", "contacts/s", "p50", "p99")
	all := c.entrants(w, db)
	w.expected(len(all)*c.Rounds, 0)
	if err := takeTurns(ctx, c.Rounds, all...); err != nil {
		return err
	}
	for _, e := range all {
		r.row(e.name, count(e.median(contacts)), milliseconds(e.median(p50)), milliseconds(e.median(p99)))
	}
	r.note("Medians of %d rounds of %v, in turn, at %d connections.", c.Rounds, c.Duration, c.Connections)
	return r.publish(w)
}

func (c *tuneCmd) entrants(w *workplace, db *cluster) (all []*entrant) {
	o := w.load()
	o.Connections = c.Connections
	for _, choose := range c.Chooses {
		for _, pool := range c.Pools {
			for _, set := range c.Sets {
				tuning := databaseTuning{Pool: pool, Choose: choose, Set: []string{set}}
				all = append(all, w.postgres(db, tuning).entrant(fmt.Sprintf("%s, pool %d, %s", choose, pool, set), o))
			}
		}
	}
	return all
}

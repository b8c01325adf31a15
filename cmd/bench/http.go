package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

type httpCmd struct {
	common
	databaseTuning
	Connections []int `default:"64,256" help:"Connections."`
	NoPostgres  bool  `help:"Leave PostgreSQL out."`
}

// The targets: of minicrm's rate to that of the handler that does nothing, by connections, and to PostgreSQL's.
var (
	noopTargets    = map[int]float64{64: 0.50, 256: 0.65}
	postgresTarget = 6.0
)

// Run measures and prints the table.
func (c *httpCmd) Run(ctx context.Context) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	peers := []peer{w.noop(), w.minicrm()}
	r := newResult("POST and close over HTTP", "connections", "peer", "contacts/s", "requests/s", "p50", "p99", "generator", "contacts/s against it")
	if !c.NoPostgres {
		db, err := newCluster(ctx, w.dir)
		switch {
		case errors.Is(err, errNoPostgres):
			r.note("Without PostgreSQL: %v.", err)
		case err != nil:
			return err
		default:
			defer func() { err = errors.Join(err, db.remove()) }()
			peers = append(peers, w.postgres(db, c.databaseTuning))
			r.note("%s ran with %s; pool of %d connections over a Unix socket, prepared statements, %s.",
				db.version(ctx), strings.Join(c.settings("…")[2:], " "), c.Pool, c.Choose)
		}
	}
	w.expected(len(peers)*c.Rounds*len(c.Connections), 0)
	for _, n := range c.Connections {
		if err := c.compare(ctx, w, r, n, peers); err != nil {
			return err
		}
	}
	r.note("Medians of %d rounds of %v, in turn, after %v of warm-up; half of the requests post a contact, half close one.", c.Rounds, c.Duration, c.Warmup)
	r.note("The load generator runs on the same machine, and its cores are shown. Every answer was checked, and that no contact found nobody.")
	return r.publish(w)
}

// compare measures all peers at so many connections. The first is what does nothing, the second minicrm.
func (c *httpCmd) compare(ctx context.Context, w *workplace, r *result, connections int, peers []peer) error {
	o := w.load()
	o.Connections = connections
	var all []*entrant
	for _, p := range peers {
		all = append(all, p.entrant(p.name, o))
	}
	if err := takeTurns(ctx, c.Rounds, all...); err != nil {
		return err
	}
	for _, e := range all {
		if n := e.median(waited); n > 0 {
			return fmt.Errorf("%s: %.0f contacts found nobody: operators were full, so this is another job", e.name, n)
		}
	}
	ours := all[1]
	for i, e := range all {
		against := ""
		switch i {
		case 0:
			against = ratio(ours.median(contacts)/e.median(contacts), noopTargets[connections])
		case 2:
			against = ratio(ours.median(contacts)/e.median(contacts), postgresTarget)
		}
		r.row(fmt.Sprint(connections), e.name, count(e.median(contacts)), count(e.median(requests)),
			milliseconds(e.median(p50)), milliseconds(e.median(p99)), fmt.Sprintf("%.2f cores", e.median(cores)), against)
	}
	return nil
}

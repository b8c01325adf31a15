// Command bench is a development tool: it measures minicrm against peers that are honest and tuned, in turn, in one
// run on one machine, and prints ratios.
//
//	bench http       minicrm, a handler that does nothing, and PostgreSQL doing the same job      (make bench-http)
//	bench batch      contacts a second in batches
//	bench latency    open loop at half of the highest rate, against the handler that does nothing
//	bench growth     millions of contacts in memory against none
//	bench gc         latency with millions of contacts in memory, with garbage collection and without
//	bench hot        all contacts to one source against all sources
//	bench tune       PostgreSQL with several tunings, to find the fastest
//	bench check      ratios against those of baseline.json                                        (make bench-check)
//
// How a comparison is made:
//
//	turns.go     A B C, C B A, …: each turn a fresh process with the machine to itself, load on it, the process ended
//	             the medians of all rounds; ratios of medians
//	             process.go and cluster.go start what is measured, package load puts the load on it and checks it
//
// The peers: noop.go does nothing, postgres.go calls PostgreSQL (postgres.sql), both behind edge.go: Gin, the server
// settings and the JSON codec of transport/httpapi, and nothing else. They are this same program, started as processes.
// All of them, and the load, have garbage collections as far apart as minicrm has them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"minicrm/cmd/minicrm/heap"
)

type commandLine struct {
	HTTP     httpCmd     `cmd:"" help:"Compare with a handler that does nothing and with PostgreSQL."`
	Batch    batchCmd    `cmd:"" help:"Contacts a second in batches."`
	Latency  latencyCmd  `cmd:"" help:"Latency at half of the highest rate, in open loop."`
	Growth   growthCmd   `cmd:"" help:"Throughput with millions of contacts in memory, against none; and lists of them."`
	GC       gcCmd       `cmd:"" name:"gc" help:"Latency with millions of contacts in memory, with garbage collection and without."`
	Hot      hotCmd      `cmd:"" help:"One busy source against many."`
	Tune     tuneCmd     `cmd:"" help:"Compare tunings of PostgreSQL, to find the fastest."`
	Check    checkCmd    `cmd:"" help:"Compare with the baselines that are committed."`
	Noop     noopCmd     `cmd:"" hidden:"" help:"Run the peer that does nothing."`
	Postgres postgresCmd `cmd:"" hidden:"" help:"Run the peer that calls PostgreSQL."`
}

func main() {
	heap.SpaceCollections()
	var line commandLine
	ctx := kong.Parse(&line, kong.Name("bench"), kong.UsageOnError(),
		kong.Description("Measures minicrm against peers, in turn, on one machine."))
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	ctx.BindTo(stop, (*context.Context)(nil))
	ctx.FatalIfErrorf(ctx.Run())
}

// say tells whoever waits what is going on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

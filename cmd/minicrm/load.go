package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"minicrm/cmd/minicrm/heap"
	"minicrm/cmd/minicrm/load"
)

type loadCmd struct {
	Target string `arg:"" optional:"" default:"http://127.0.0.1:8080" help:"The service to put load on."`
	Key    string `help:"Sent as a bearer token."`

	Connections int           `short:"c" default:"64" help:"Connections; each has one request in flight at most."`
	Rate        float64       `short:"r" default:"0" help:"Open loop: requests a second, sent when their time has come, and timed from then. 0 = closed loop: each connection sends when it has its answer."`
	Arrivals    load.Arrivals `enum:"steady,poisson,day" default:"steady" help:"Open loop: ${enum}; a day's 24 hours are squeezed into the duration."`
	Warmup      time.Duration `default:"2s" help:"Load before the measured time."`
	Duration    time.Duration `short:"d" default:"10s" help:"The measured time; 0 = until all contacts of --contacts were posted."`
	Contacts    int64         `short:"n" default:"0" help:"End when so many contacts were posted, warm-up included; 0 = no limit."`
	Timeout     time.Duration `default:"10s" help:"How long an answer may take."`

	Posts  int  `default:"50" help:"Share of posts among the requests."`
	Closes int  `default:"50" help:"Share of closes."`
	Reads  int  `default:"0" help:"Share of reads."`
	Batch  int  `default:"0" help:"Contacts a post, to /v1/contacts/batch; 0 = single ones, to /v1/contacts."`
	Keys   bool `help:"Give each contact an idempotency key."`
	Live   int  `default:"0" help:"Contacts held at once: at that many, a close is sent instead of a post. 0 = as many as fill no operator."`

	Sources   int     `default:"8" help:"Sources to make."`
	Busy      int     `default:"0" help:"How many of them get contacts; 0 = all."`
	Operators int     `default:"64" help:"Operators to make."`
	Links     int     `default:"16" help:"Operators a source; 0 = all."`
	Weights   []int64 `default:"1,2,3,5,8" help:"Weights of the operators, in turn."`
	MaxLoad   int     `default:"1000" help:"Seats an operator."`

	Leads int     `default:"100000" help:"Customers there are."`
	Zipf  float64 `default:"1.2" help:"Exponent of Zipf's law, by which customers return; over 1."`
	Seed  uint64  `default:"1" help:"Seed of all that is random."`

	JSON bool `help:"Print the results as JSON."`
}

// Help is the long part of --help.
func (*loadCmd) Help() string {
	return `Puts load on a running service, times it, and checks it. It makes sources and operators of its own, named "load …",
and leaves them and their contacts behind: use it on a service that is there to be tested.

Every answer is checked: its status, that the contact is the one that was asked for, that its operator is linked to the
source, that an email keeps its lead. At the end, loads and received counts are compared with what was sent and closed,
and, where surely nobody was ever full, the shares with their bound. So nobody else may work with these sources and
operators meanwhile.

Contacts are held until as many closes were sent, by the shares of the mix; with --closes=0 nothing is closed and the
operators fill. Latency percentiles of an open loop include the wait for a free connection; "sent late" shows it.

Exit status: 0 when every check passed, otherwise 1.`
}

// Run runs the load and prints what came of it.
func (c *loadCmd) Run() error {
	heap.SpaceCollections()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	o := c.options()
	progress, done := loadProgress()
	o.Progress = progress
	report, err := load.Run(ctx, o)
	done()
	if err != nil {
		return err
	}
	if err := c.print(report); err != nil {
		return err
	}
	if !report.Passed() {
		return fmt.Errorf("%d kinds of answers were wrong", len(report.Findings))
	}
	return nil
}

func (c *loadCmd) print(report *load.Report) error {
	if !c.JSON {
		return report.Write(os.Stdout)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(report)
}

func (c *loadCmd) options() load.Options {
	return load.Options{
		Target: c.Target, Key: c.Key,
		Connections: c.Connections, Rate: c.Rate, Arrivals: c.Arrivals,
		Warmup: c.Warmup, Duration: c.Duration, Contacts: c.Contacts, Timeout: c.Timeout,
		Mix:   load.Mix{Posts: c.Posts, Closes: c.Closes, Reads: c.Reads},
		Batch: c.Batch, Keys: c.Keys, Live: c.Live,
		Sources: c.Sources, Busy: c.Busy, Operators: c.Operators, Links: c.Links, Weights: c.Weights, MaxLoad: c.MaxLoad,
		Leads: c.Leads, Zipf: c.Zipf, Seed: c.Seed,
		Check: load.CheckAll,
	}
}

// loadProgress is a bar on a terminal, and nothing elsewhere.
func loadProgress() (progress func(load.Progress), done func()) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions(100, progressbar.OptionSetDescription("load"),
		progressbar.OptionSetWriter(os.Stderr), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
	return func(p load.Progress) {
		bar.Describe(fmt.Sprintf("%d answers", p.Answers))
		_ = bar.Set(int(100 * p.Done)) // a terminal that is gone is no reason to stop
	}, func() { _ = bar.Finish() } // likewise
}

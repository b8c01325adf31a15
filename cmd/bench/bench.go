package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"minicrm/cmd/minicrm/load"
)

// common is what all comparisons can be told.
type common struct {
	Minicrm  string        `default:"./bin/minicrm" help:"The binary to measure."`
	Dir      string        `default:"./bin" help:"Where data goes while it runs; the disk to measure."`
	Rounds   int           `default:"5" help:"Rounds; the medians count."`
	Warmup   time.Duration `default:"1s" help:"Load before the measured time of each turn."`
	Duration time.Duration `default:"3s" help:"The measured time of each turn."`
	Out      string        `help:"Write the table to this file, too, as Markdown."`
}

// workplace is where a comparison's data is, and what started it.
type workplace struct {
	common
	self string // this program
	dir  string
	runs int // data directories made
}

// open makes a directory; close removes it with all that is in it.
func (c common) open() (*workplace, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.Minicrm); err != nil {
		return nil, fmt.Errorf("build it first: %w", err)
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(c.Dir, "bench-")
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	return &workplace{common: c, self: self, dir: dir}, err
}

func (w *workplace) close() error { return os.RemoveAll(w.dir) }

// peer is something to measure. start runs it with nothing in it; end ends it and removes what it left.
type peer struct {
	name  string
	check load.Check
	start func(ctx context.Context) (url string, end func() error, err error)
}

func (w *workplace) minicrm(options ...string) peer { return w.minicrmUnder(nil, options...) }

// minicrmUnder is minicrm with more in its environment.
func (w *workplace) minicrmUnder(environment []string, options ...string) peer {
	return peer{"minicrm, durable", load.CheckAll, func(ctx context.Context) (string, func() error, error) {
		w.runs++
		data := filepath.Join(w.dir, fmt.Sprint("data", w.runs))
		args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, options...)
		p, err := start(ctx, environment, w.Minicrm, args...)
		if err != nil {
			return "", nil, err
		}
		return p.url, func() error { return errors.Join(p.stop(), os.RemoveAll(data)) }, nil
	}}
}

func (w *workplace) noop() peer {
	return peer{"no-op handler", load.CheckShape, func(ctx context.Context) (string, func() error, error) {
		p, err := start(ctx, nil, w.self, "noop")
		if err != nil {
			return "", nil, err
		}
		return p.url, p.stop, nil
	}}
}

// postgres starts the database with each turn, so that it does not run while others are measured.
func (w *workplace) postgres(c *cluster, tuning databaseTuning) peer {
	return peer{"PostgreSQL", load.CheckAnswers, func(ctx context.Context) (string, func() error, error) {
		c.tuning = tuning
		if err := c.start(ctx); err != nil {
			return "", nil, err
		}
		p, err := start(ctx, nil, w.self, "postgres", "--database", c.database(),
			"--pool", fmt.Sprint(tuning.Pool), "--choose", tuning.Choose)
		if err != nil {
			return "", nil, errors.Join(err, c.stop())
		}
		return p.url, func() error { return errors.Join(p.stop(), c.stop()) }, nil
	}}
}

// load is the load of all comparisons, as far as they do not say otherwise: half of the requests post, half close, so
// that as many contacts come as go, operators stay half empty at least, and everybody does the whole job for each.
func (w *workplace) load() load.Options {
	return load.Options{
		Connections: 64, Arrivals: load.Poisson, Warmup: w.Warmup, Duration: w.Duration, Timeout: 10 * time.Second,
		Mix:     load.Mix{Posts: 1, Closes: 1},
		Sources: 8, Operators: 64, Links: 16, Weights: []int64{1, 2, 3, 5, 8}, MaxLoad: 1000,
		Leads: 100_000, Zipf: 1.2, Seed: 1,
	}
}

// turn starts a peer, puts load on it and ends it.
func (p peer) turn(ctx context.Context, o load.Options) (report *load.Report, err error) {
	url, end, err := p.start(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	defer func() { err = errors.Join(err, end()) }()
	return p.measure(ctx, url, o)
}

// measure puts load on a peer that runs. Rates of wrong answers are worth nothing, so those are an error.
func (p peer) measure(ctx context.Context, url string, o load.Options) (*load.Report, error) {
	o.Target, o.Check = url, p.check
	report, err := load.Run(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	if !report.Passed() {
		return nil, fmt.Errorf("%s: wrong answers: %+v", p.name, report.Findings)
	}
	return report, nil
}

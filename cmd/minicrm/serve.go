package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/alecthomas/kong"

	"minicrm/cmd/minicrm/heap"
)

type serveCmd struct {
	Config
	ConfigFile  configFlag `name:"config" kind:"action" placeholder:"FILE" help:"YAML file with any of the settings, by the names of the flags; flags and environment variables come first."`
	PrintConfig bool       `kind:"action" env:"-" help:"Print the settings in effect, as a file for --config, and exit."`
}

// Run serves until SIGTERM or SIGINT, or until the dispatcher fails: then it exits with status 1 at once. It listens
// from the start, so that whoever watches sees how far the recovery has come.
func (c *serveCmd) Run(app *kong.Context) error {
	if c.PrintConfig {
		return printConfig(os.Stdout, app.Model.Node)
	}
	spareProcessor()
	heap.SpaceCollections()
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	p, err := c.prepare(stop)
	if err != nil {
		return err
	}
	go p.reloader.run(stop)
	p.serve()
	started := p.systemd.starting(p.recovery.ready)
	opened := make(chan error, 1)
	var s *service
	go func() {
		var err error
		s, err = openService(c.config(p), p.registry)
		opened <- err
	}()
	select {
	case err := <-opened:
		started()
		if err != nil {
			return errors.Join(err, p.close())
		}
	case <-stop.Done(): // nothing was answered yet: the journal is as it was
		return nil
	}
	p.show(s)
	go s.snapshotOnSignal(stop, p.logger)
	go p.systemd.watch(stop, s.ping)
	select {
	case err := <-p.served:
		return errors.Join(fmt.Errorf("serve: %w", err), p.close(), s.close())
	case <-stop.Done():
	}
	p.logger.Info("stopping")
	p.systemd.stopping()
	err = errors.Join(c.shutDown(p, s), s.close())
	p.traces.flush() // when all is answered and the journal is closed: a collector that hangs holds up nobody
	return errors.Join(err, p.close())
}

func (c *serveCmd) config(p *process) config {
	return config{
		data:          c.Data,
		snapshotEvery: c.SnapshotEvery,
		retainClosed:  c.RetainClosed,
		minFreeDisk:   uint64(c.MinFreeDisk),
		maxInFlight:   c.MaxInFlight,
		labels:        c.labels(),
		guard:         c.guard(p.keys),
		keyWindow:     c.IdempotencyWindow,
		maxKeys:       c.IdempotencyMaxKeys,
		rocketChat:    c.RocketchatToken,
		tracer:        p.traces.tracer(),
		progress:      p.recovery.progress,
		logger:        p.logger,
		fatal:         exit,
	}
}

// shutDown takes no new requests and waits for those in flight.
func (c *serveCmd) shutDown(p *process, s *service) error {
	s.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), c.ShutdownTimeout)
	defer cancel()
	if err := p.server.Shutdown(ctx); err != nil {
		return fmt.Errorf("requests in flight were cut off: %w", err)
	}
	return nil
}

// snapshotOnSignal takes a snapshot on each SIGUSR1, until ctx ends.
func (s *service) snapshotOnSignal(ctx context.Context, logger *slog.Logger) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	for {
		select {
		case <-signals:
			if index, err := s.dispatcher.TakeSnapshot(ctx); err == nil { // a failure was logged where it happened
				logger.Info("snapshot taken", "index", index)
			}
		case <-ctx.Done():
			return
		}
	}
}

// front is the handler of the server: one while the state is recovered, another from then on.
type front struct{ now atomic.Pointer[http.Handler] }

func (f *front) show(h http.Handler) { f.now.Store(&h) }

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*f.now.Load()).ServeHTTP(w, r) }

// exit ends the process where it stands: memory is ahead of the disk, and whatever ran on would build on that.
func exit(err error) {
	fmt.Fprintf(os.Stderr, "minicrm: fatal: %v\n", err)
	os.Exit(1)
}

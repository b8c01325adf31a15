package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/units"

	"minicrm/transport/httpapi"
)

type serveCmd struct {
	Listen        string           `default:"127.0.0.1:8080" help:"Address to serve HTTP on."`
	Data          string           `default:"./data" help:"Directory that holds the state; made when missing."`
	SnapshotEvery uint64           `default:"1000000" help:"Records from one snapshot to the next; 0 = only on SIGUSR1 or POST /v1/snapshots."`
	RetainClosed  time.Duration    `default:"720h" help:"Closed contacts older than this are archived and forgotten; 0 = kept for ever."`
	MinFreeDisk   units.Base2Bytes `default:"256MiB" help:"Below this much free disk, commands are answered 507; reads go on."`
	MaxInFlight   int              `default:"${max_in_flight}" help:"Commands in flight at most, a batch counted by its contacts; over it the answer is 503."`

	IdempotencyWindow  time.Duration `default:"24h" help:"For how long an idempotency key is remembered."`
	IdempotencyMaxKeys int           `default:"${max_keys}" help:"How many idempotency keys are remembered at most; the oldest go first."`
	RocketchatToken    string        `help:"Secret token that Rocket.Chat sends; without one there is no /integrations/rocketchat/next."`

	ShutdownTimeout time.Duration `default:"30s" help:"How long a stop waits for requests in flight."`
	LogLevel        slog.Level    `default:"info" help:"debug, info, warn or error."`
}

// Validate refuses what would forget every idempotency key.
func (c *serveCmd) Validate() error {
	if c.IdempotencyWindow <= 0 || c.IdempotencyMaxKeys < 1 {
		return errors.New("--idempotency-window and --idempotency-max-keys must be above 0")
	}
	return nil
}

// Run serves until SIGTERM or SIGINT, or until the dispatcher fails: then it exits with status 1 at once. It listens
// from the start, so that whoever watches sees how far the recovery has come.
func (c *serveCmd) Run() error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	listener, err := (&net.ListenConfig{}).Listen(stop, "tcp", c.Listen)
	if err != nil {
		return err
	}
	recovery := newRecovery(logger)
	front := &front{}
	server := httpapi.NewServer(front)
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug) // what clients do wrong below HTTP
	registry := newRegistry()
	front.show(httpapi.NewStarting(recovery.ready, metricsHandler(registry)))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	opened := make(chan error, 1)
	var s *service
	go func() {
		var err error
		s, err = openService(c.config(logger, recovery), registry)
		opened <- err
	}()
	select {
	case err := <-opened:
		if err != nil {
			return errors.Join(err, server.Close())
		}
	case <-stop.Done(): // nothing was answered yet: the journal is as it was
		return nil
	}
	front.show(s.handler)
	recovery.done(listener.Addr().String(), c.Data, s.dispatcher.Records())
	go s.snapshotOnSignal(stop, logger)
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serve: %w", err), s.close())
	case <-stop.Done():
	}
	logger.Info("stopping")
	return errors.Join(c.shutDown(server, s), s.close())
}

func (c *serveCmd) config(logger *slog.Logger, r *recovery) config {
	return config{
		data:          c.Data,
		snapshotEvery: c.SnapshotEvery,
		retainClosed:  max(0, c.RetainClosed),
		minFreeDisk:   uint64(max(0, c.MinFreeDisk)),
		maxInFlight:   c.MaxInFlight,
		keyWindow:     c.IdempotencyWindow,
		maxKeys:       c.IdempotencyMaxKeys,
		rocketChat:    c.RocketchatToken,
		progress:      r.progress,
		logger:        logger,
		fatal:         exit,
	}
}

// shutDown takes no new requests and waits for those in flight.
func (c *serveCmd) shutDown(server *http.Server, s *service) error {
	s.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), c.ShutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
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

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
	"syscall"
	"time"

	"minicrm/transport/httpapi"
)

type serveCmd struct {
	Listen          string        `default:"127.0.0.1:8080" help:"Address to serve HTTP on."`
	Data            string        `default:"./data" help:"Directory that holds the state; made when missing."`
	MaxInFlight     int           `default:"${max_in_flight}" help:"Commands in flight at most; over it the answer is 503."`
	ShutdownTimeout time.Duration `default:"30s" help:"How long a stop waits for requests in flight."`
	LogLevel        slog.Level    `default:"info" help:"debug, info, warn or error."`
}

// Run serves until SIGTERM or SIGINT, or until the dispatcher fails: then it exits with status 1 at once.
func (c *serveCmd) Run() error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	signals, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	started := time.Now()
	s, err := openService(config{data: c.Data, maxInFlight: c.MaxInFlight, logger: logger, fatal: exit})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(signals, "tcp", c.Listen)
	if err != nil {
		return errors.Join(err, s.close())
	}
	logger.Info("ready", "listen", listener.Addr().String(), "data", c.Data,
		"records", s.dispatcher.Records(), "recovery", time.Since(started).Round(time.Millisecond))
	server := httpapi.NewServer(s.handler)
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug) // what clients do wrong below HTTP
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serve: %w", err), s.close())
	case <-signals.Done():
	}
	logger.Info("stopping")
	return errors.Join(c.shutDown(server, s), s.close())
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

// exit ends the process where it stands: memory is ahead of the disk, and whatever ran on would build on that.
func exit(err error) {
	fmt.Fprintf(os.Stderr, "minicrm: fatal: %v\n", err)
	os.Exit(1)
}

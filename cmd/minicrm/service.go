package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"minicrm/actors"
	"minicrm/domain"
	"minicrm/persistence"
	"minicrm/transport/httpapi"
)

// service is all parts of a dispatcher, joined, without a listener.
type service struct {
	handler    http.Handler
	store      *persistence.Store
	dispatcher *actors.Dispatcher
	archive    *persistence.Archive
	stopping   atomic.Bool
	hanging    atomic.Bool        // the last ping did not come back
	cancel     context.CancelFunc // ends what runs in the background
	background sync.WaitGroup
}

// config is what a service can be told.
type config struct {
	data          string
	snapshotEvery uint64
	minFreeDisk   uint64
	retainClosed  time.Duration // 0 = for ever
	maxInFlight   int
	labels        actors.Labels // of the metrics
	guard         httpapi.Guard
	keyWindow     time.Duration           // for how long idempotency keys are remembered
	maxKeys       int                     // and how many
	rocketChat    string                  // the secret token; "" = no such route
	tracer        trace.Tracer            // nil = nothing is traced
	progress      func(done, total int64) // of the recovery
	logger        *slog.Logger
	fatal         func(error) // see actors.Options
}

// openService recovers the state, drains the backlogs and is ready when it returns.
func openService(c config, registry *prometheus.Registry) (*service, error) {
	store, err := persistence.OpenStore(c.data, persistence.Options{
		Logger: c.logger, Registerer: registry,
		Prepare: func(cat *domain.Catalog) { cat.LimitKeys(domain.Time(c.keyWindow.Microseconds()), c.maxKeys) },
	})
	if err != nil {
		return nil, err
	}
	s, err := join(c, store, registry)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return s, nil
}

// join puts the parts together.
func join(c config, store *persistence.Store, registry *prometheus.Registry) (*service, error) {
	space, err := persistence.NewSpace(c.data, c.minFreeDisk)
	if err != nil {
		return nil, err
	}
	if err := registry.Register(space); err != nil {
		return nil, fmt.Errorf("register the metrics of the free space: %w", err)
	}
	archive, err := persistence.OpenArchive(c.data, registry)
	if err != nil {
		return nil, err
	}
	dispatcher, err := actors.Start(actors.Options{
		Journal: journal{store}, Now: wallClock, Registerer: registry, Labels: c.labels, Tracer: c.tracer, Logger: c.logger,
		SnapshotEvery: c.snapshotEvery, Progress: c.progress, Fatal: c.fatal,
	})
	if err != nil {
		archive.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &service{store: store, dispatcher: dispatcher, archive: archive, cancel: cancel}
	s.handler = httpapi.New(httpapi.Options{
		Dispatcher:    dispatcher,
		Clock:         httpapi.NewClock(dispatcher.LastTime()),
		Registerer:    registry,
		Metrics:       metricsHandler(registry),
		Ready:         s.ready,
		DiskLow:       space.Low,
		SnapshotEvery: c.snapshotEvery,
		MaxInFlight:   c.maxInFlight,
		RocketChat:    c.rocketChat,
		Tracer:        c.tracer,
		Logger:        c.logger,
		Guard:         c.guard,
	})
	if c.retainClosed > 0 {
		s.background.Go(func() { s.retain(ctx, c, space.Low) })
	}
	return s, nil
}

// journal is the store as the actors want it: they need not know what a snapshot is like.
type journal struct{ *persistence.Store }

// WriteSnapshot implements actors.Journal.
func (j journal) WriteSnapshot(ctx context.Context, f *domain.Frozen, entry uint64) error {
	_, err := j.Store.WriteSnapshot(ctx, f, entry)
	return err
}

func (s *service) ready() error {
	if s.stopping.Load() {
		return errors.New("stopping")
	}
	if s.hanging.Load() {
		return errors.New("the dispatcher does not answer")
	}
	return nil
}

// ping sends a message through all actors, and has readiness follow what comes of it.
func (s *service) ping(ctx context.Context) error {
	err := s.dispatcher.Ping(ctx)
	s.hanging.Store(err != nil && !errors.Is(err, context.Canceled))
	return err
}

// close ends the actors in the order of the flow and then the store. No request may be in flight.
func (s *service) close() error {
	s.cancel()
	s.background.Wait()
	s.archive.Close()
	return errors.Join(s.dispatcher.Stop(), s.store.Close())
}

func wallClock() domain.Time { return domain.Time(time.Now().UnixMicro()) }

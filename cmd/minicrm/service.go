package main

import (
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"minicrm/actors"
	"minicrm/domain"
	"minicrm/persistence"
	"minicrm/transport/httpapi"
)

// journalDir is where the journal lives below the data directory.
const journalDir = "journal"

// service is all parts of a dispatcher, joined, without a listener.
type service struct {
	handler    http.Handler
	journal    *persistence.Journal
	dispatcher *actors.Dispatcher
	stopping   atomic.Bool
}

// config is what a service can be told.
type config struct {
	data        string
	maxInFlight int
	logger      *slog.Logger
	fatal       func(error) // see actors.Options
}

// openService replays the journal, drains the backlogs and is ready when it returns.
func openService(c config) (*service, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	journal, err := persistence.OpenJournal(filepath.Join(c.data, journalDir), persistence.Options{
		Logger: c.logger, Registerer: registry,
	})
	if err != nil {
		return nil, err
	}
	adapted := unsnapshotted{journal}
	dispatcher, err := actors.Start(actors.Options{
		Journal: adapted, Logger: c.logger, Now: wallClock, Registerer: registry, Fatal: c.fatal,
	})
	if err != nil {
		return nil, errors.Join(err, journal.Close())
	}
	s := &service{journal: journal, dispatcher: dispatcher}
	s.handler = httpapi.New(httpapi.Options{
		Dispatcher:  dispatcher,
		Clock:       httpapi.NewClock(dispatcher.LastTime()),
		Registerer:  registry,
		Metrics:     promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}),
		Ready:       s.ready,
		MaxInFlight: c.maxInFlight,
		Logger:      c.logger,
	})
	return s, nil
}

func (s *service) ready() error {
	if s.stopping.Load() {
		return errors.New("stopping")
	}
	return nil
}

// close ends the actors in the order of the flow and then the journal. No request may be in flight.
func (s *service) close() error {
	return errors.Join(s.dispatcher.Stop(), s.journal.Close())
}

func wallClock() domain.Time { return domain.Time(time.Now().UnixMicro()) }

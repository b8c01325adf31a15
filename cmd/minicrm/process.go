package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/transport/httpapi"
)

// process is what is round the service: logs, listeners, keys, certificates, and what reads them again.
type process struct {
	config   *serveCmd
	logger   *slog.Logger
	level    *slog.LevelVar
	registry *prometheus.Registry
	traces   *traces // nil = there are none
	reloader *reloader
	systemd  *supervisor
	recovery *recovery
	keys     *httpapi.Keyring // nil = everybody may do everything
	certs    *certificates    // nil = no TLS
	front    *front
	service  atomic.Pointer[service] // nil while the state is recovered

	listener, adminListener net.Listener // the latter nil = none
	server, admin           *http.Server
	served                  chan error
}

// prepare does all that can fail before the state is touched.
func (c *serveCmd) prepare(ctx context.Context) (*process, error) {
	logger, level := c.newLogger(os.Stderr)
	p := &process{
		config: c, logger: logger, level: level,
		registry: newRegistry(), recovery: newRecovery(logger), front: &front{}, served: make(chan error, 2),
		systemd: &supervisor{logger: logger},
	}
	p.registry.MustRegister(readiness(p.ready))
	var err error
	if p.traces, err = newTraces(logger, p.registry); err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	p.reloader = newReloader(logger, p.registry)
	p.reloader.hangup = p.systemd.reloading
	if err := p.readFiles(); err != nil {
		return nil, err
	}
	if err := p.listen(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// readFiles reads what is read again later.
func (p *process) readFiles() error {
	c := p.config
	if err := p.reloader.add("log level", p.readLogLevel); err != nil {
		return err
	}
	if c.Keys != "" {
		p.keys = new(httpapi.Keyring)
		load := func() error {
			keys, err := readKeys(c.Keys)
			if err == nil {
				p.keys.Replace(keys)
			}
			return err
		}
		if err := p.reloader.add("keys", load, c.Keys); err != nil {
			return err
		}
	}
	if c.TLSCert != "" {
		p.certs = &certificates{cert: c.TLSCert, key: c.TLSKey, clientCA: c.TLSClientCA}
		return p.reloader.add("certificates", p.certs.load, p.certs.files()...)
	}
	return nil
}

// listen opens the addresses.
func (p *process) listen(ctx context.Context) (err error) {
	if p.listener, err = p.config.listen(ctx, "listen", p.config.Listen); err != nil {
		return err
	}
	if p.config.AdminListen != "" {
		if p.adminListener, err = p.config.listen(ctx, "admin-listen", p.config.AdminListen); err != nil {
			return errors.Join(err, p.listener.Close())
		}
	}
	p.listener = httpapi.LimitConns(p.listener, p.config.MaxConnections, p.registry)
	if p.keys != nil && p.certs == nil && !isLoopback(p.listener.Addr()) {
		p.logger.Warn("keys travel unencrypted: give --tls-cert and --tls-key, or put something with TLS before this process")
	}
	return nil
}

// listen opens one address. Without keys that is one of this machine only, unless somebody insisted.
func (c *Config) listen(ctx context.Context, name, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if c.Keys == "" && !c.InsecureNoAuth && !isLoopback(l.Addr()) {
		err := fmt.Errorf("%s: %s can be reached from other machines, and without --keys everybody there may do everything: "+
			"give --keys, or --insecure-no-auth if something else keeps strangers out", name, address)
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// serve answers from now on, though only that the state is being recovered.
func (p *process) serve() {
	options := p.options()
	p.front.show(httpapi.NewStarting(options))
	p.server = p.newServer(p.front)
	if p.certs != nil {
		p.server.TLSConfig = p.certs.config()
		go func() { p.served <- p.server.ServeTLS(p.listener, "", "") }()
	} else {
		go func() { p.served <- p.server.Serve(p.listener) }()
	}
	if p.adminListener != nil {
		p.admin = p.newServer(httpapi.NewAdmin(options))
		go func() { p.served <- p.admin.Serve(p.adminListener) }()
	}
}

// options are those of the handlers that need no service.
func (p *process) options() httpapi.Options {
	return httpapi.Options{
		Metrics:  metricsHandler(p.registry),
		Ready:    p.ready,
		Logger:   p.logger,
		LogLevel: p.level,
		Guard:    p.config.guard(p.keys),
	}
}

func (p *process) newServer(h http.Handler) *http.Server {
	server := httpapi.NewServer(h)
	server.ErrorLog = slog.NewLogLogger(p.logger.Handler(), slog.LevelDebug) // what clients do wrong below HTTP
	return server
}

func (p *process) ready() error {
	if s := p.service.Load(); s != nil {
		return s.ready()
	}
	return p.recovery.ready()
}

// show puts the service before its clients, and says so.
func (p *process) show(s *service) {
	p.service.Store(s)
	p.front.show(s.handler)
	p.announce(s)
	p.systemd.ready()
}

// close cuts off whoever is still connected; the admin listener, which says how the end is coming, goes last.
func (p *process) close() error {
	err := p.server.Close()
	if p.admin != nil {
		err = errors.Join(err, p.admin.Close())
	}
	return err
}

package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"time"

	"minicrm/domain"
)

// newLogger writes lines of the wanted format. The level can be changed while it does.
func (c *Config) newLogger(w io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(c.LogLevel)
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		options.ReplaceAttr = readableDuration
		return slog.New(slog.NewJSONHandler(w, options)), level
	}
	return slog.New(slog.NewTextHandler(w, options)), level
}

// readableDuration writes 1.5ms as the text format does, rather than as a number of nobody knows what.
func readableDuration(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// readLogLevel takes the level from the command line, the environment and the configuration file as they are now. The
// other settings need a restart, and who changed them is told.
func (p *process) readLogLevel() error {
	_, fresh, err := parse(os.Args[1:])
	if err != nil {
		return err
	}
	changed := fresh.Serve.Config
	changed.LogLevel = p.config.LogLevel
	if !reflect.DeepEqual(changed, p.config.Config) {
		p.logger.Warn("settings other than log-level were changed; they need a restart")
	}
	p.level.Set(fresh.Serve.LogLevel)
	return nil
}

// recovered is what the process came back with.
type recovered struct {
	records            uint64
	operators, sources int
	waiting            int
}

func (s *service) recovered() (r recovered) {
	s.dispatcher.View(func(c *domain.Catalog) {
		r.records, r.operators = c.Index(), int(c.NextOperator())-1
		ids := c.SourceIDs()
		r.sources = len(ids)
		for _, id := range ids {
			r.waiting += c.Waiting(id)
		}
	})
	return r
}

// announce says that the process is ready, and for what: in a block for people where the log is for people, and in one
// line for programs.
func (p *process) announce(s *service) {
	r, took := s.recovered(), p.recovery.finish()
	version, _ := versionText()
	if p.config.LogFormat == "text" {
		fmt.Fprint(os.Stderr, p.block(r, took, version))
	}
	attrs := []any{"listen", p.listener.Addr().String(), "data", p.config.Data, "records", r.records, "recovery", took}
	if p.adminListener != nil {
		attrs = append(attrs, "admin", p.adminListener.Addr().String())
	}
	p.logger.Info("ready", append(attrs, "version", version, "operators", r.operators, "sources", r.sources, "waiting", r.waiting,
		"keys", p.keys != nil, "tls", p.certs != nil, "traces", p.traces != nil)...)
}

func (p *process) block(r recovered, took time.Duration, version string) string {
	scheme, protocols := "http", "HTTP/1.1, HTTP/2 without TLS"
	if p.certs != nil {
		scheme, protocols = "https", "HTTP/1.1, HTTP/2"
	}
	if p.config.TLSClientCA != "" {
		protocols += ", client certificates"
	}
	keys := "no keys: everybody who gets here may do everything"
	if p.keys != nil {
		keys = "keys from " + p.config.Keys
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nminicrm %s\n", version)
	fmt.Fprintf(&b, "  data     %s\n", p.config.Data)
	fmt.Fprintf(&b, "  state    %d records in %v: %d operators, %d sources, %d contacts waiting\n", r.records, took, r.operators, r.sources, r.waiting)
	fmt.Fprintf(&b, "  serves   %s://%s (%s)\n", scheme, p.listener.Addr(), protocols)
	fmt.Fprintf(&b, "  access   %s\n", keys)
	if p.adminListener != nil {
		fmt.Fprintf(&b, "  admin    http://%s (probes, metrics, log level, profiles)\n", p.adminListener.Addr())
	}
	fmt.Fprintf(&b, "  log      %s, %s\n\n", strings.ToLower(p.level.Level().String()), p.config.LogFormat)
	return b.String()
}

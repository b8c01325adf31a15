package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/alecthomas/units"

	"minicrm/actors"
	"minicrm/transport/httpapi"
)

// Config is all that serve can be told. Each field is a flag, an environment variable and a key of the YAML file in
// --config, all of the same name; the first that is given counts, in this order. The table in the README and
// --print-config are made from it.
type Config struct {
	Listen      string `default:"127.0.0.1:8080" help:"Address to serve HTTP on."`
	AdminListen string `help:"Address for /healthz, /readyz, /metrics, /log-level and /debug/pprof/; without it the first three are on --listen, and the others nowhere."`
	Data        string `default:"./data" help:"Directory that holds the state; made when missing."`

	Keys           string   `help:"YAML file with the keys of those who may call (see minicrm key new); without it everybody may, but only from this machine."`
	InsecureNoAuth bool     `name:"insecure-no-auth" help:"Without --keys, listen on other addresses than loopback all the same."`
	TLSCert        string   `name:"tls-cert" help:"PEM file with the certificate of --listen, and its chain; without it there is no TLS."`
	TLSKey         string   `name:"tls-key" help:"PEM file with the certificate's key."`
	TLSClientCA    string   `name:"tls-client-ca" help:"PEM file with the authorities that sign clients' certificates; with it each client needs one."`
	CORSOrigin     []string `name:"cors-origin" help:"Origins whose pages may call from a browser, like https://desk.example.org, with commas between them."`

	MaxConnections int              `default:"10000" help:"Open connections at most; over it they are closed at once."`
	MaxInFlight    int              `default:"${max_in_flight}" help:"Commands in flight at most, a batch counted by its contacts; over it the answer is 503."`
	RateLimit      float64          `default:"0" help:"Requests a second of one key, or of one address where no key is shown; over it the answer is 429; 0 = any number."`
	RateBurst      int              `default:"0" help:"Requests at once within --rate-limit; 0 = as many as in one second."`
	MinFreeDisk    units.Base2Bytes `default:"256MiB" help:"Below this much free disk, commands are answered 507; reads go on."`

	SnapshotEvery   uint64        `default:"1000000" help:"Records from one snapshot to the next; 0 = only on SIGUSR1 or POST /v1/snapshots."`
	RetainClosed    time.Duration `default:"720h" help:"Closed contacts older than this are archived and forgotten; 0 = kept for ever."`
	ShutdownTimeout time.Duration `default:"30s" help:"How long a stop waits for requests in flight."`

	IdempotencyWindow  time.Duration `default:"24h" help:"For how long an idempotency key is remembered."`
	IdempotencyMaxKeys int           `default:"${max_keys}" help:"How many idempotency keys are remembered at most; the oldest go first."`
	RocketchatToken    string        `help:"Secret token that Rocket.Chat sends; without one there is no /integrations/rocketchat/next."`

	MetricsLabels []string `default:"source" help:"Labels of the metrics that can have many values: source, operator, both with a comma between them, or none. A metric has 2,000 series at most; what is past that counts as other."`

	LogLevel  slog.Level `default:"info" help:"debug, info, warn or error; read again on SIGHUP."`
	LogFormat string     `default:"text" enum:"text,json" help:"text or json."`
}

// Validate finds what is wrong with the values, before anything is opened.
func (c *Config) Validate() error {
	return errors.Join(c.validateAddresses(), c.validateTLS(), c.validateLimits(), c.validateOrigins(), c.validateLabels())
}

func (c *Config) validateAddresses() error {
	var errs []error
	for _, a := range []struct{ name, address string }{{"listen", c.Listen}, {"admin-listen", c.AdminListen}} {
		if a.address == "" && a.name != "listen" {
			continue
		}
		if _, _, err := net.SplitHostPort(a.address); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", a.name, err))
		}
	}
	if c.Data == "" {
		errs = append(errs, errors.New("data: must name a directory"))
	}
	if c.Keys != "" && c.InsecureNoAuth {
		errs = append(errs, errors.New("insecure-no-auth: makes no sense with keys"))
	}
	return errors.Join(errs...)
}

func (c *Config) validateTLS() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("tls-cert and tls-key: give both or none")
	case c.TLSClientCA != "" && c.TLSCert == "":
		return errors.New("tls-client-ca: needs tls-cert and tls-key")
	}
	return nil
}

func (c *Config) validateLimits() error {
	var errs []error
	least := func(name string, value, low float64) {
		if !(value >= low) { // also for what is not a number
			errs = append(errs, fmt.Errorf("%s: must be %v at least, is %v", name, low, value))
		}
	}
	least("max-connections", float64(c.MaxConnections), 1)
	least("max-in-flight", float64(c.MaxInFlight), 1)
	least("rate-limit", c.RateLimit, 0)
	least("rate-burst", float64(c.RateBurst), 0)
	least("min-free-disk", float64(c.MinFreeDisk), 0)
	least("idempotency-window", c.IdempotencyWindow.Seconds(), 1)
	least("idempotency-max-keys", float64(c.IdempotencyMaxKeys), 1)
	least("retain-closed", c.RetainClosed.Seconds(), 0)
	least("shutdown-timeout", c.ShutdownTimeout.Seconds(), 0)
	return errors.Join(errs...)
}

// validateOrigins wants each origin as browsers write it, since it is compared as text. A star is not one: it would open
// the API to every page.
func (c *Config) validateOrigins() error {
	for _, origin := range c.CORSOrigin {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || strings.Contains(origin, "*") || origin != u.Scheme+"://"+strings.ToLower(u.Host) {
			return fmt.Errorf("cors-origin: %q is not an origin like https://desk.example.org", origin)
		}
	}
	return nil
}

func (c *Config) validateLabels() error {
	for _, label := range c.MetricsLabels {
		if label != "source" && label != "operator" && (label != "none" || len(c.MetricsLabels) > 1) {
			return fmt.Errorf("metrics-labels: %q is none of source and operator, or not alone", label)
		}
	}
	return nil
}

// labels are those that the metrics have.
func (c *Config) labels() actors.Labels {
	return actors.Labels{
		Source:   slices.Contains(c.MetricsLabels, "source"),
		Operator: slices.Contains(c.MetricsLabels, "operator"),
	}
}

// guard is the part of the configuration that the edge keeps.
func (c *Config) guard(keys *httpapi.Keyring) httpapi.Guard {
	return httpapi.Guard{
		Keys:          keys,
		RatePerSecond: c.RateLimit,
		RateBurst:     c.RateBurst,
		CORSOrigins:   c.CORSOrigin,
		NoProbes:      c.AdminListen != "",
	}
}

// serveFlags are serve's flags that the configuration consists of.
func serveFlags(app *kong.Node) (flags []*kong.Flag) {
	for _, node := range app.Children {
		if node.Name != "serve" {
			continue
		}
		for _, flag := range node.Flags {
			if flag.Tag.Get("kind") != "action" {
				flags = append(flags, flag)
			}
		}
	}
	return flags
}

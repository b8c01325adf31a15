package httpapi

import (
	"bytes"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// Time-outs and the header limit of the server. A command waits for an fsync at most, so whoever needs longer is stuck
// or hostile.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second // header and body
	writeTimeout      = 60 * time.Second // from the end of the header to the end of the answer
	idleTimeout       = 2 * time.Minute  // above the keep-alive of common proxies, which would else race our close
	maxHeaderBytes    = 16 << 10
)

// Limits of an HTTP/2 connection, beside those.
const (
	maxStreams  = 100              // requests at once
	maxFrame    = 16 << 10         // bytes; one that is announced takes memory before it comes, on each connection
	takeTimeout = 30 * time.Second // for a client that reads nothing; no other time-out ends a write that is stuck
)

// Options is what a handler is made of. Dispatcher and Clock are required.
type Options struct {
	Dispatcher    Dispatcher
	Clock         *Clock
	Registerer    prometheus.Registerer // of the edge's own metrics; nil = they are not exported
	Metrics       http.Handler          // serves /metrics; nil = no such route
	Ready         func() error          // why the process is not ready; nil = it always is
	DiskLow       func() bool           // commands are refused while it is true; nil = it never is
	SnapshotEvery uint64                // records from one snapshot to the next, for who asks when something is gone
	MaxInFlight   int                   // commands at once, a batch counted by its contacts; 0 = DefaultMaxInFlight
	MaxBodies     int                   // bytes of long bodies that are held at once; 0 = 256 MiB
	RocketChat    string                // the secret token that Rocket.Chat sends; "" = no such route
	Tracer        trace.Tracer          // of the calls under /v1 and /integrations; nil = nothing is traced
	Logger        *slog.Logger          // nil = silent
	LogLevel      *slog.LevelVar        // what the admin listener changes; nil = it does not
	Guard         Guard
}

// Guard is who may call, and how often. Its zero value keeps nobody out.
type Guard struct {
	Keys          *Keyring // nil = everybody may do everything
	RatePerSecond float64  // requests of one key, or of one address where no keys are in use; 0 = any
	RateBurst     int      // requests at once; 0 = one second's worth
	CORSOrigins   []string // whose pages may call from a browser, like https://desk.example.org
	NoProbes      bool     // /healthz, /readyz and /metrics are on the admin listener
}

// api is one edge: what its handlers share.
type api struct {
	dispatcher    Dispatcher
	clock         *Clock
	ready         func() error
	diskLow       func() bool
	places        places
	bodies        places // in bytes
	metrics       *metrics
	buffers       sync.Pool // of *bytes.Buffer
	batches       sync.Pool // of *batch
	rocketChat    *rocketChat
	tracer        trace.Tracer
	log           *slog.Logger
	snapshotEvery uint64
	keys          *Keyring
	rates         *rates
	origins       []string
	crossOrigin   http.CrossOriginProtection
	noProbes      bool
	open          string  // a path that needs no key, whatever its entry says; "" = none
	warnings      sampler // of the log lines about clients that were kept out
	failures      sampler
}

// New is the handler of the whole HTTP surface.
func New(o Options) http.Handler { return newAPI(o).routes(o.Metrics) }

func newAPI(o Options) *api {
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = DefaultMaxInFlight
	}
	if o.MaxBodies <= 0 {
		o.MaxBodies = maxBodies
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Ready == nil {
		o.Ready = func() error { return nil }
	}
	if o.DiskLow == nil {
		o.DiskLow = func() bool { return false }
	}
	a := &api{
		dispatcher:    o.Dispatcher,
		clock:         o.Clock,
		ready:         o.Ready,
		diskLow:       o.DiskLow,
		places:        places{limit: int64(o.MaxInFlight)},
		bodies:        places{limit: int64(o.MaxBodies)},
		buffers:       sync.Pool{New: func() any { return new(bytes.Buffer) }},
		batches:       sync.Pool{New: func() any { return newBatch() }},
		rocketChat:    newRocketChat(o.RocketChat),
		tracer:        o.Tracer,
		log:           o.Logger,
		snapshotEvery: o.SnapshotEvery,
		keys:          o.Guard.Keys,
		rates:         newRates(o.Guard.RatePerSecond, o.Guard.RateBurst),
		origins:       o.Guard.CORSOrigins,
		noProbes:      o.Guard.NoProbes,
	}
	a.metrics = newMetrics(o.Registerer, a.places.count, a.bodies.count)
	return a
}

// NewServer is a server for h with this package's time-outs and header limit; the caller listens and shuts down. It
// speaks HTTP/1.1 and HTTP/2, the latter also without TLS to clients that begin with it.
func NewServer(h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           h,
		Protocols:         protocols,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams,
			MaxReadFrameSize:     maxFrame,
			WriteByteTimeout:     takeTimeout,
		},
	}
}

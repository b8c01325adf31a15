package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// flushTimeout is how long a stop waits for the collector to take the last spans.
const flushTimeout = 2 * time.Second

// traces sends spans to a collector. OpenTelemetry's own environment variables say where to and which (its SDK reads
// them), so there are no options of ours. What the collector does not take in time is thrown away: nobody waits for it
// but the end of the process, and that for flushTimeout. A nil traces makes no spans.
type traces struct {
	provider *sdktrace.TracerProvider
	logger   *slog.Logger
}

// newTraces is nil when the environment names no collector, or wants no traces. It has no metrics then.
func newTraces(logger *slog.Logger, r prometheus.Registerer) (*traces, error) {
	if !wantsTraces(logger) {
		return nil, nil
	}
	complaints := &complaints{logger: logger}
	otel.SetErrorHandler(complaints) // these two are globals of the SDK, which has no other way to say something
	otel.SetLogger(logr.New(complaints))
	ctx := context.Background() // nothing connects yet
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	from, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "minicrm"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // it comes last: what the environment says counts
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, err
	}
	counts := newSpanCounts(r)
	batches := countedSpans{sdktrace.NewBatchSpanProcessor(countedExports{exporter, counts}), counts}
	return &traces{
		provider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(batches), sdktrace.WithResource(from)),
		logger:   logger,
	}, nil
}

// wantsTraces looks at what the SDK leaves to programs.
func wantsTraces(logger *slog.Logger) bool {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" ||
		strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	switch exporter := os.Getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "", "otlp":
		return true
	case "none":
		return false
	default:
		logger.Warn("there are no traces: OTEL_TRACES_EXPORTER can be otlp or none", "is", exporter)
		return false
	}
}

// tracer is nil when there are no traces.
func (t *traces) tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer("minicrm")
}

// flush sends what is left. That some of it is lost is no failure of the process.
func (t *traces) flush() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.logger.Warn("the last traces were not sent", "error", err)
	}
}

// complainEvery is the time from one line about traces to the next.
const complainEvery = time.Minute

// complaints is what the SDK has to say, at most one line a minute: that a collector is away is no news a second time.
type complaints struct {
	logger *slog.Logger

	mu       sync.Mutex
	due      time.Time
	unlogged int
}

// Handle implements otel.ErrorHandler: spans could not be sent, or a variable is wrong.
func (c *complaints) Handle(err error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.due) {
		c.unlogged++
		return
	}
	c.logger.Warn("traces", "error", err, "unlogged", c.unlogged)
	c.due, c.unlogged = now.Add(complainEvery), 0
}

// The rest implements logr.LogSink. Only errors are heard, and without their values: these can be secret headers.

// Error says that a variable is wrong, or a file that one names.
func (c *complaints) Error(err error, message string, _ ...any) {
	c.logger.Warn("traces: "+message, "error", err)
}

// Init does nothing.
func (c *complaints) Init(logr.RuntimeInfo) {}

// Enabled is false for all but errors.
func (c *complaints) Enabled(int) bool { return false }

// Info is never called.
func (c *complaints) Info(int, string, ...any) {}

// WithValues adds nothing.
func (c *complaints) WithValues(...any) logr.LogSink { return c }

// WithName adds nothing.
func (c *complaints) WithName(string) logr.LogSink { return c }

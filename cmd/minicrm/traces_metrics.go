package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// spanCounts say whether the collector gets what is traced. The SDK throws spans away without a word when its queue is full:
// these are the ones that ended and neither wait, nor were sent, nor failed.
type spanCounts struct{ ended, sent, failed prometheus.Counter }

func newSpanCounts(r prometheus.Registerer) spanCounts {
	counter := func(name, help string) prometheus.Counter {
		return promauto.With(r).NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	return spanCounts{
		ended:  counter("minicrm_trace_spans_total", "Spans that ended and were sampled."),
		sent:   counter("minicrm_trace_spans_sent_total", "Spans that the collector took."),
		failed: counter("minicrm_trace_spans_failed_total", "Spans that were thrown away because the collector did not take them."),
	}
}

// countedSpans is a processor that counts what it is given.
type countedSpans struct {
	sdktrace.SpanProcessor
	counts spanCounts
}

// OnEnd implements sdktrace.SpanProcessor.
func (c countedSpans) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		c.counts.ended.Inc()
	}
	c.SpanProcessor.OnEnd(s)
}

// countedExports is an exporter that counts what became of its spans.
type countedExports struct {
	sdktrace.SpanExporter
	counts spanCounts
}

// ExportSpans implements sdktrace.SpanExporter.
func (c countedExports) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := c.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		c.counts.failed.Add(float64(len(spans)))
	} else {
		c.counts.sent.Add(float64(len(spans)))
	}
	return err
}

package persistence

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// archiveMetrics are the figures of archiving since this start.
type archiveMetrics struct {
	registered

	contacts prometheus.Counter
	bytes    prometheus.Counter
	failures prometheus.Counter
	duration prometheus.Histogram
}

func newArchiveMetrics(r prometheus.Registerer) (*archiveMetrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &archiveMetrics{
		contacts: counter("minicrm_archive_contacts_total", "Closed contacts that were written to an archive."),
		bytes:    counter("minicrm_archive_bytes_total", "Bytes that were written to archives."),
		failures: counter("minicrm_archive_failures_total", "Writes to an archive that failed; their contacts stay in memory and are tried again."),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "minicrm_archive_duration_seconds",
			Help:    "Time of one write to an archive, with its fsync.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14), // 1 ms to 8 s
		}),
	}
	m.registered = registered{r, []prometheus.Collector{m.contacts, m.bytes, m.failures, m.duration}}
	if err := m.register(); err != nil {
		return nil, fmt.Errorf("register the metrics of the archive: %w", err)
	}
	return m, nil
}

func (m *archiveMetrics) appended(contacts, bytes int, took time.Duration) {
	m.contacts.Add(float64(contacts))
	m.bytes.Add(float64(bytes))
	m.duration.Observe(took.Seconds())
}

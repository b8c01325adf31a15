package persistence

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the journal's own figures, since this start.
type metrics struct {
	groupRecords prometheus.Histogram
	duration     prometheus.Histogram
	records      prometheus.Counter
	bytes        prometheus.Counter
	index        prometheus.Gauge
	tornTail     prometheus.Gauge
	tornTails    prometheus.Counter

	registered
}

// newMetrics makes the metrics and registers them; a nil registerer is fine.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		groupRecords: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "minicrm_journal_commit_records",
			Help:    "Records in a group: what one write and one fsync made durable.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 14), // 1 to 8192
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "minicrm_journal_commit_duration_seconds",
			Help:    "Time of one write and one fsync.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16), // 0.1 ms to 3.3 s

			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}),
		records: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "minicrm_journal_records_total",
			Help: "Records committed.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "minicrm_journal_commit_bytes_total",
			Help: "Bytes committed, without what the log adds to each entry.",
		}),
		index: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "minicrm_journal_index",
			Help: "Index of the last record that is durable.",
		}),
		tornTails: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "minicrm_journal_torn_tails_total",
			Help: "Unfinished writes that were cut off the journal at this start: 1 after a crash in the middle of a write.",
		}),
		tornTail: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "minicrm_journal_torn_tail_bytes",
			Help: "Bytes of an unfinished write that were cut off the journal at this start; 0 after a clean stop.",
		}),
	}
	m.registered = registered{r, []prometheus.Collector{m.groupRecords, m.duration, m.records, m.bytes, m.index, m.tornTail, m.tornTails}}
	if err := m.register(); err != nil {
		return nil, fmt.Errorf("register the journal's metrics: %w", err)
	}
	return m, nil
}

// registered are collectors that a registerer has, all or none of them; a nil registerer is fine.
type registered struct {
	registerer prometheus.Registerer
	all        []prometheus.Collector
}

func (r registered) register() error {
	if r.registerer == nil {
		return nil
	}
	for i, c := range r.all {
		if err := r.registerer.Register(c); err != nil {
			for _, earlier := range r.all[:i] {
				r.registerer.Unregister(earlier)
			}
			return err
		}
	}
	return nil
}

// unregister makes room for the metrics of who is opened next.
func (r registered) unregister() {
	if r.registerer == nil {
		return
	}
	for _, c := range r.all {
		r.registerer.Unregister(c)
	}
}

func (m *metrics) repaired(bytes int64) {
	m.tornTail.Set(float64(bytes))
	if bytes > 0 {
		m.tornTails.Inc()
	}
}

func (m *metrics) committed(records, bytes int, index uint64, took time.Duration) {
	m.groupRecords.Observe(float64(records))
	m.duration.Observe(took.Seconds())
	m.records.Add(float64(records))
	m.bytes.Add(float64(bytes))
	m.index.Set(float64(index))
}

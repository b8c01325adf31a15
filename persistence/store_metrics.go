package persistence

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// storeMetrics are the figures of snapshots and of the recovery at this start.
type storeMetrics struct {
	registered

	duration  prometheus.Gauge
	bytes     prometheus.Gauge
	timestamp prometheus.Gauge
	index     prometheus.Gauge
	failures  prometheus.Counter
	damaged   prometheus.Counter
	oldest    prometheus.Gauge

	recoverySeconds prometheus.Gauge
	recoveryRecords prometheus.Gauge
}

func newStoreMetrics(r prometheus.Registerer) (*storeMetrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &storeMetrics{
		duration:        gauge("minicrm_snapshot_duration_seconds", "Time that it took to write the last snapshot."),
		bytes:           gauge("minicrm_snapshot_bytes", "Size of the last good snapshot."),
		timestamp:       gauge("minicrm_snapshot_timestamp_seconds", "When the last good snapshot was written, in seconds since 1970."),
		index:           gauge("minicrm_snapshot_index", "Index of the last record that the last good snapshot has."),
		failures:        counter("minicrm_snapshot_failures_total", "Snapshots that could not be written, or not be followed by removing what they replace."),
		damaged:         counter("minicrm_snapshot_damaged_total", "Snapshots that could not be used at this start."),
		oldest:          gauge("minicrm_journal_oldest_record", "Index of the oldest record that the journal has; snapshots stand for those before it; 0 = it cannot be read."),
		recoverySeconds: gauge("minicrm_recovery_duration_seconds", "Time that it took to rebuild the state at this start."),
		recoveryRecords: gauge("minicrm_recovery_records", "Records of the journal that were replayed at this start, after the snapshot."),
	}
	m.registered = registered{r, []prometheus.Collector{
		m.duration, m.bytes, m.timestamp, m.index, m.failures, m.damaged, m.oldest, m.recoverySeconds, m.recoveryRecords,
	}}
	if err := m.register(); err != nil {
		return nil, fmt.Errorf("register the metrics of snapshots: %w", err)
	}
	return m, nil
}

func (m *storeMetrics) wrote(info SnapshotInfo) {
	m.duration.Set(info.Duration.Seconds())
	m.found(info)
}

func (m *storeMetrics) found(info SnapshotInfo) {
	m.bytes.Set(float64(info.Bytes))
	m.timestamp.Set(float64(info.Taken.UnixMilli()) / 1000)
	m.index.Set(float64(info.Index))
}

func (m *storeMetrics) recovered(c *domain.Catalog, base uint64, took time.Duration) {
	m.recoverySeconds.Set(took.Seconds())
	m.recoveryRecords.Set(float64(c.Index() - base))
}

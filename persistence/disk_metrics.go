package persistence

import (
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
)

// diskUse reads what a data directory takes when somebody scrapes. A part that cannot be read has no series then.
type diskUse struct {
	dir             string
	log             entryLog
	segments, bytes *prometheus.Desc
}

func newDiskUse(dir string, log entryLog) *diskUse {
	return &diskUse{
		dir: dir, log: log,
		segments: prometheus.NewDesc("minicrm_journal_segments", "Files of the journal.", nil, nil),
		bytes: prometheus.NewDesc("minicrm_disk_used_bytes",
			"Bytes on disk by part of the data directory: journal (with up to 256 KiB written ahead), snapshots, archive.", []string{"part"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (u *diskUse) Describe(ch chan<- *prometheus.Desc) { ch <- u.segments; ch <- u.bytes }

// Collect implements prometheus.Collector.
func (u *diskUse) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if segments, err := u.log.Segments(); err == nil {
		gauge(u.segments, float64(len(segments)))
		gauge(u.bytes, float64(tailBytes(segments, 0)), journalDir)
	}
	for _, part := range []string{snapshotsDir, archiveDir} {
		if n, err := filesBytes(filepath.Join(u.dir, part)); err == nil {
			gauge(u.bytes, float64(n), part)
		}
	}
}

// filesBytes is the size of the files in a directory. One that goes away meanwhile counts nothing, and so does a
// directory that is not there.
func filesBytes(dir string) (n int64, err error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return 0, nil
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
	}
	return n, err
}

var (
	_ prometheus.Collector = (*diskUse)(nil)
	_ prometheus.Collector = (*Space)(nil)
)

func freeDesc() *prometheus.Desc {
	return prometheus.NewDesc("minicrm_disk_free_bytes", "Free space of the data directory's file system.", nil, nil)
}

func leastDesc() *prometheus.Desc {
	return prometheus.NewDesc("minicrm_disk_min_free_bytes", "Below so much free space commands are refused (--min-free-disk).", nil, nil)
}

// Describe implements prometheus.Collector.
func (s *Space) Describe(ch chan<- *prometheus.Desc) { ch <- freeDesc(); ch <- leastDesc() }

// Collect implements prometheus.Collector. It asks the file system; one that does not answer has no free space shown.
func (s *Space) Collect(ch chan<- prometheus.Metric) {
	if free, err := s.free(s.dir); err == nil {
		ch <- prometheus.MustNewConstMetric(freeDesc(), prometheus.GaugeValue, float64(free))
	}
	ch <- prometheus.MustNewConstMetric(leastDesc(), prometheus.GaugeValue, float64(s.least))
}

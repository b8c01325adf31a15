package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// parts is the value of a metric by its label, or by "" where it has none.
func parts(t *testing.T, g prometheus.Gatherer, name string) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			label := ""
			if len(m.GetLabel()) > 0 {
				label = m.GetLabel()[0].GetValue()
			}
			if f.GetName() == name {
				values[label] = m.GetGauge().GetValue()
			}
		}
	}
	return values
}

// Catches sizes that are not those of the files, directories that count, and metrics that outlive their store.
func TestDiskUse(t *testing.T) {
	dir, registry := t.TempDir(), prometheus.NewPedanticRegistry()
	s, err := OpenStore(dir, Options{Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recover(nil); err != nil {
		t.Fatal(err)
	}
	s.Add(someRecord(1))
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{"snapshots/a": 30, "snapshots/b": 12, "archive/a": 7} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "archive", "directory"), 0o700),
			os.WriteFile(filepath.Join(dir, name), make([]byte, n), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	used := parts(t, registry, "minicrm_disk_used_bytes")
	if segments, err := s.journal.log.Segments(); err != nil || used["journal"] != float64(segments[0].bytes) || segments[0].bytes == 0 {
		t.Errorf("the journal has %v bytes, its segments are %v: %v", used["journal"], segments, err)
	}
	if used["snapshots"] != 42 || used["archive"] != 7 {
		t.Errorf("used %v", used)
	}
	if n := parts(t, registry, "minicrm_journal_segments")[""]; n != 1 {
		t.Errorf("%v segments", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left := parts(t, registry, "minicrm_disk_used_bytes"); len(left) != 0 {
		t.Errorf("a closed store has %v", left)
	}
}

// Catches a free space of 0 when the file system does not answer: it would wake somebody.
func TestFreeSpace(t *testing.T) {
	failure := error(nil)
	s := &Space{least: 100, free: func(string) (uint64, error) { return 250, failure }}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s)
	if free, least := parts(t, registry, "minicrm_disk_free_bytes"), parts(t, registry, "minicrm_disk_min_free_bytes"); free[""] != 250 || least[""] != 100 {
		t.Errorf("free %v, least %v", free, least)
	}
	failure = errors.New("gone")
	if free := parts(t, registry, "minicrm_disk_free_bytes"); len(free) != 0 {
		t.Errorf("free %v of a file system that does not answer", free)
	}
}

package persistence

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
	"minicrm/persistence/wal"
)

var smallSegments = Options{SegmentSize: 1 << 10}

// threeSnapshots is a data directory whose journal lost its beginning to snapshots, with records behind the newest.
func threeSnapshots(t testing.TB) (dir string, r *running) {
	t.Helper()
	dir = memoryDir(t)
	r = start(t, dir, rand.New(rand.NewPCG(3, 3)), smallSegments)
	for range 3 {
		for range 8 {
			r.work(t, 10)
		}
		snapshotNow(t, r)
	}
	r.work(t, 10)
	r.work(t, 10)
	must(t, r.Close())
	return dir, r
}

func spoil(t *testing.T, path string) { must(t, os.WriteFile(path, []byte("no snapshot"), fileMode)) }

func snapshotsOf(t *testing.T, dir string) []SnapshotFile {
	files, err := Snapshots(dir)
	must(t, err)
	return files
}

func segmentsOf(t *testing.T, dir string) []wal.Segment {
	all, err := wal.Segments(filepath.Join(dir, journalDir))
	must(t, err)
	return all
}

// TestRecoveryCases is the table of DESIGN.md: each case is done to a good directory. Those that say nothing must give
// the whole state.
func TestRecoveryCases(t *testing.T) {
	cases := map[string]struct {
		damage func(t *testing.T, dir string)
		says   string
	}{
		"nothing":            {func(*testing.T, string) {}, ""},
		"the newest damaged": {func(t *testing.T, dir string) { spoil(t, snapshotsOf(t, dir)[1].Path) }, ""},
		"the newest missing": {func(t *testing.T, dir string) { must(t, os.Remove(snapshotsOf(t, dir)[1].Path)) }, ""},
		"the older damaged":  {func(t *testing.T, dir string) { spoil(t, snapshotsOf(t, dir)[0].Path) }, ""},
		"an unfinished one": {func(t *testing.T, dir string) {
			spoil(t, snapshotPath(dir, 1<<40)+temporarySuffix)
		}, ""},
		"a foreign file": {func(t *testing.T, dir string) { spoil(t, filepath.Join(dir, snapshotsDir, "README.snap")) }, ""},
		"a wrong name": {func(t *testing.T, dir string) {
			must(t, os.Rename(snapshotsOf(t, dir)[1].Path, snapshotPath(dir, snapshotsOf(t, dir)[1].Index-1)))
		}, ""},
		"all damaged": {func(t *testing.T, dir string) {
			spoil(t, snapshotsOf(t, dir)[0].Path)
			spoil(t, snapshotsOf(t, dir)[1].Path)
		}, "of 2 snapshots none can be used. Restore"},
		"all missing": {func(t *testing.T, dir string) { must(t, os.RemoveAll(filepath.Join(dir, snapshotsDir))) },
			"of 0 snapshots none can be used. Restore"},
		"no journal": {func(t *testing.T, dir string) { must(t, os.RemoveAll(filepath.Join(dir, journalDir))) },
			"has lost records that were acknowledged. Restore"},
		"a short journal": {func(t *testing.T, dir string) {
			all := segmentsOf(t, dir)
			must(t, os.RemoveAll(filepath.Join(dir, journalDir)))
			must(t, os.MkdirAll(filepath.Join(dir, journalDir), dirMode))
			must(t, os.WriteFile(all[0].Path, nil, fileMode))
		}, "has lost records that were acknowledged. Restore"},
		"a gap behind the snapshot": {func(t *testing.T, dir string) {
			all := segmentsOf(t, dir)
			for _, seg := range all[:len(all)-1] {
				must(t, os.Remove(seg.Path))
			}
		}, "Restore a newer snapshot, or the whole directory"},
		"a gap in the journal": {func(t *testing.T, dir string) {
			all := segmentsOf(t, dir)
			spoil(t, snapshotsOf(t, dir)[1].Path)
			must(t, os.Remove(all[len(all)/2].Path))
		}, "entries are missing"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir, r := threeSnapshots(t)
			if files := snapshotsOf(t, dir); len(files) != KeepSnapshots {
				t.Fatalf("%d snapshots are kept", len(files))
			}
			c.damage(t, dir)
			s, err := OpenStore(dir, smallSegments)
			must(t, err)
			defer func() { must(t, s.Close()) }()
			got, err := s.Recover(nil)
			switch {
			case c.says == "" && err != nil:
				t.Fatal(err)
			case c.says == "":
				mustEqual(t, name, got, r.catalog)
			case err == nil || !strings.Contains(err.Error(), c.says):
				t.Fatalf("the error is %v", err)
			default:
				if s.Add(someRecord(1)); s.Commit() == nil {
					t.Error("afterwards the store takes records")
				}
			}
			if left, _ := filepath.Glob(filepath.Join(dir, snapshotsDir, "*"+temporarySuffix)); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
		})
	}
}

// TestWhatSnapshotsRemove: one removes nothing, neither of the journal nor of what is damaged; two keep what the older one
// needs, and not one entry more: that is what an erased person was promised.
func TestWhatSnapshotsRemove(t *testing.T) {
	dir := memoryDir(t)
	registry := prometheus.NewPedanticRegistry()
	r := start(t, dir, rand.New(rand.NewPCG(4, 4)), Options{SegmentSize: smallSegments.SegmentSize, Registerer: registry})
	var infos []SnapshotInfo
	for n := range 4 {
		for range 8 {
			r.work(t, 10)
		}
		infos = append(infos, snapshotNow(t, r))
		files, err := Snapshots(dir)
		must(t, err)
		if want := min(n+1, KeepSnapshots); len(files) != want {
			t.Errorf("after %d snapshots there are %d files", n+1, len(files))
		}
		all, err := r.journal.log.Segments()
		must(t, err)
		keep, oldest := uint64(1), uint64(1)
		if n > 0 {
			keep, oldest = infos[n-1].Entry+1, infos[n-1].Index+1
		}
		if all[0].first != keep {
			t.Errorf("after %d snapshots the journal begins with entry %d instead of %d", n+1, all[0].first, keep)
		}
		if got := gather(t, registry)["minicrm_journal_oldest_record"]; got != float64(oldest) {
			t.Errorf("after %d snapshots the oldest record is %v instead of %d", n+1, got, oldest)
		}
	}
	must(t, r.Close())
}

// TestSnapshotBesideCommits is for the race detector, and for a snapshot that names the state of another moment.
func TestSnapshotBesideCommits(t *testing.T) {
	dir := memoryDir(t)
	rng := rand.New(rand.NewPCG(6, 6))
	r := start(t, dir, rng, smallSegments)
	for range 10 {
		r.work(t, 10)
		done := make(chan error, 1)
		frozen, entry := roll(t, r)
		go func() {
			_, err := r.WriteSnapshot(context.Background(), frozen, entry)
			done <- err
		}()
		for range 10 {
			r.work(t, 10)
		}
		must(t, <-done)
	}
	must(t, r.Close())
	mustEqual(t, "recovered", start(t, dir, rng, smallSegments).catalog, r.catalog)
}

// TestCanceledSnapshot leaves nothing, and says why.
func TestCanceledSnapshot(t *testing.T) {
	dir := memoryDir(t)
	r := start(t, dir, rand.New(rand.NewPCG(7, 7)), Options{})
	r.work(t, 20)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.WriteSnapshot(ctx, r.catalog.Freeze(), r.Entry()); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, snapshotsDir)); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	must(t, r.Close())
}

func TestProgressIsInBytesAndNotTooOften(t *testing.T) {
	dir := memoryDir(t)
	largeJournal(t, dir, 20_000)
	s, err := OpenStore(dir, Options{})
	must(t, err)
	calls, before, last := 0, int64(-1), int64(0)
	_, err = s.Recover(func(done, total int64) {
		if calls++; done < before || done > total || total <= 0 {
			t.Errorf("%d of %d after %d", done, total, before)
		}
		before, last = done, total
	})
	must(t, errors.Join(err, s.Close()))
	if calls < 10 || calls > 2*meterSteps || before != last {
		t.Errorf("%d calls, the last with %d of %d", calls, before, last)
	}
}

func TestStoreMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	dir, _ := threeSnapshots(t)
	files, err := Snapshots(dir)
	must(t, err)
	must(t, os.WriteFile(files[1].Path, []byte("no snapshot"), fileMode))
	o := smallSegments
	o.Registerer = registry
	r := start(t, dir, rand.New(rand.NewPCG(8, 8)), o)
	got := gather(t, registry)
	if got["minicrm_snapshot_damaged_total"] != 1 || got["minicrm_snapshot_index"] != float64(files[0].Index) ||
		got["minicrm_recovery_records"] != float64(r.catalog.Index()-files[0].Index) {
		t.Errorf("after a recovery: %v", got)
	}
	info := snapshotNow(t, r)
	if got := gather(t, registry); got["minicrm_snapshot_index"] != float64(info.Index) || got["minicrm_snapshot_bytes"] != float64(info.Bytes) {
		t.Errorf("after a snapshot: %v", got)
	}
	if _, err := r.WriteSnapshot(context.Background(), domain.NewCatalog().Freeze(), 0); err == nil || gather(t, registry)["minicrm_snapshot_failures_total"] != 1 {
		t.Errorf("an older state was taken for a snapshot: %v", err)
	}
	must(t, r.Close())
	again, err := OpenStore(dir, o)
	must(t, err)
	must(t, again.Close())
}

// TestGoldenSnapshot: what an earlier program wrote stays readable. A change of the format adds a file, by -update, and
// keeps the ones before.
func TestGoldenSnapshot(t *testing.T) {
	const dir = "testdata/snapshots"
	if *update {
		c, _, err := readSnapshot(bytes.NewReader(smallSnapshot(t)), int64(len(smallSnapshot(t))), func(int64) {})
		must(t, err)
		must(t, os.WriteFile(snapshotPath("testdata", c.Index()), smallSnapshot(t), 0o644))
	}
	files, err := filepath.Glob(dir + "/*" + snapshotSuffix)
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden snapshot: %v", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		c, info, err := ReadSnapshot(file)
		must(t, err)
		if err := c.Check(); err != nil || info.Entry != info.Index || info.Contacts == 0 || info.Leads == 0 {
			t.Errorf("%s: %+v, %v", file, info, err)
		}
		for what, has := range features(c) {
			seen[what] = seen[what] || has
		}
	}
	for what, has := range seen {
		if !has {
			t.Errorf("no golden snapshot has %s", what)
		}
	}
}

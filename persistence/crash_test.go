package persistence

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"

	"minicrm/domain"
)

var (
	crashPoints = flag.Int("crash.points", 500, "how many crashes TestCrashes goes through")
	crashSeed   = flag.Uint64("crash.seed", 0, "the first seed of TestCrashes; 0 = by the clock")
)

// crashesPerRun is how many crashes one data directory goes through, before another begins with the next seed.
const crashesPerRun = 10

// TestCrashes commits, snapshots and drops in a random order on a machine that fails and crashes at random points.
// After each crash a recovery must give exactly the acknowledged records, or these and the group that was being written.
func TestCrashes(t *testing.T) {
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	base := memoryDir(t)
	var sum tally
	start := time.Now()
	for ; sum.crashes < *crashPoints; seed++ {
		dir, err := mkdirTemp(base)
		must(t, err)
		m := newMachine(seed, dir)
		if err := m.run(crashesPerRun); err != nil {
			t.Fatalf("seed %d: %v\nrerun: go test ./persistence -run TestCrashes -crash.points=1 -crash.seed=%d", seed, err, seed)
		}
		sum.add(m.tally)
		must(t, os.RemoveAll(dir))
	}
	t.Logf("%s a crash; %+v", time.Since(start)/time.Duration(sum.crashes), sum)
	if *crashPoints >= 500 && (sum.snapshots == 0 || sum.failed == 0 || sum.rollFailed == 0 || sum.kept == 0 || sum.dropped == 0 || sum.rotten == 0 || sum.canceled == 0) {
		t.Error("something that it should try did not happen")
	}
}

// tally is what happened.
type tally struct {
	crashes    int
	powerLoss  int
	commits    int
	snapshots  int // written
	failed     int // snapshots that were not
	rollFailed int // nor begun
	canceled   int
	kept       int // groups that were not acknowledged and are there
	dropped    int // starts that found a journal without its beginning
	rotten     int // starts that found the newest snapshot damaged
	refused    int // recoveries that failed while the disk did
}

func (t *tally) add(o tally) {
	t.crashes += o.crashes
	t.powerLoss += o.powerLoss
	t.commits += o.commits
	t.snapshots += o.snapshots
	t.failed += o.failed
	t.rollFailed += o.rollFailed
	t.canceled += o.canceled
	t.kept += o.kept
	t.dropped += o.dropped
	t.rotten += o.rotten
	t.refused += o.refused
}

var errOff = errors.New("the machine is off")

// machine is a process with a data directory, on a disk that fails.
type machine struct {
	rng   *rand.Rand
	dir   string
	files *crashFiles
	tally tally

	calls  int  // calls to the disk that are left before the crash; negative: it has no faults at all
	off    bool // the crash has come
	wasOff bool // before the call that asked fault last

	store    *Store
	log      *crashLog
	catalog  *domain.Catalog // of this process
	history  *history
	cancel   context.CancelFunc // of the snapshot that is being written
	must     *domain.Catalog    // what was acknowledged
	maybe    []domain.Record    // the group that was not, if any
	snapshot uint64             // index of the newest snapshot that was acknowledged
	rotten   bool               // a snapshot was damaged
}

func newMachine(seed uint64, dir string) *machine {
	m := &machine{rng: rand.New(rand.NewPCG(seed, 0)), dir: dir, must: domain.NewCatalog(), calls: -1}
	m.files = newCrashFiles(m, filepath.Join(dir, snapshotsDir))
	return m
}

// fault is what a call to the disk meets: nothing, or an error, which comes instead of what the call does, or after
// that was done.
func (m *machine) fault() (done bool, fault error) {
	m.meanwhile()
	if m.wasOff = m.off; m.off {
		return false, errOff
	}
	if m.calls < 0 {
		return true, nil
	}
	if m.calls--; m.calls < 0 {
		m.off = true
		return m.rng.IntN(2) == 0, errOff
	}
	if m.rng.IntN(60) == 0 {
		fault = []error{syscall.EIO, syscall.ENOSPC, syscall.EMFILE}[m.rng.IntN(3)]
		return m.rng.IntN(2) == 0, fault
	}
	return true, nil
}

// run goes through some crashes.
func (m *machine) run(crashes int) error {
	for range crashes {
		if err := m.boot(); err != nil {
			return err
		}
		m.calls = m.rng.IntN(60)
		for !m.off {
			if err := m.act(); err != nil {
				break // the process ends itself
			}
		}
		if err := m.crash(); err != nil {
			return err
		}
	}
	return m.boot()
}

// meanwhile is what goes on beside a snapshot that is being written, between two of its calls: commits, and a stop.
func (m *machine) meanwhile() {
	if m.cancel == nil || m.off {
		return
	}
	cancel := m.cancel
	m.cancel = nil // not within itself
	if m.rng.IntN(4) == 0 && m.commit() != nil {
		m.off = true // the process ends itself
	}
	if m.rng.IntN(100) == 0 {
		cancel()
		m.tally.canceled++
	}
	m.cancel = cancel
}

func (m *machine) act() error {
	if m.rng.IntN(4) > 0 {
		return m.commit()
	}
	m.takeSnapshot()
	return nil
}

// commit commits what some commands decide.
func (m *machine) commit() error {
	for range 1 + m.rng.IntN(8) {
		m.history.step()
	}
	records := m.history.take()
	for _, r := range records {
		m.store.Add(r)
	}
	if err := m.store.Commit(); err != nil {
		m.maybe = records
		return err
	}
	m.tally.commits++
	return errors.Join(applyAll(m.catalog, records), applyAll(m.must, records))
}

func applyAll(c *domain.Catalog, records []domain.Record) error {
	for _, r := range records {
		if err := c.Apply(r); err != nil {
			return err
		}
	}
	return nil
}

// takeSnapshot may fail, which is nobody's business.
func (m *machine) takeSnapshot() {
	var ctx context.Context
	ctx, m.cancel = context.WithCancel(context.Background())
	defer func() { m.cancel = nil }()
	defer m.cancel()
	entry, err := m.store.Roll()
	if err != nil {
		m.tally.rollFailed++
		return
	}
	info, err := m.store.WriteSnapshot(ctx, m.catalog.Freeze(), entry)
	if err != nil {
		m.tally.failed++
		return
	}
	m.tally.snapshots++
	m.snapshot = info.Index
}

// crash ends the process, and sometimes the power is lost, too.
func (m *machine) crash() error {
	m.tally.crashes++
	if err := m.store.Close(); err != nil {
		return err
	}
	if m.rng.IntN(2) == 0 {
		return nil
	}
	m.tally.powerLoss++
	return m.files.powerLoss(m.rng)
}

// boot starts the process again and checks what it finds.
func (m *machine) boot() error {
	rotten, err := m.rot()
	if err != nil {
		return err
	}
	if m.rng.IntN(6) == 0 {
		if err := m.bootOnBadDisk(); err != nil {
			return err
		}
	}
	m.off, m.calls = false, -1
	if err := m.open(); err != nil {
		return err
	}
	c, err := m.store.Recover(nil)
	if err != nil {
		return err
	}
	if err := m.check(c); err != nil {
		return err
	}
	if !rotten && m.store.Snapshotted() < m.snapshot {
		return fmt.Errorf("the snapshot of record %d is gone; the newest is of record %d", m.snapshot, m.store.Snapshotted())
	}
	m.snapshot = m.store.Snapshotted()
	m.catalog, m.history = c, newHistory(m.rng, c)
	return m.twoWays()
}

// twoWays checks that a journal without its beginning has two snapshots that can stand for it, so that one may be lost.
func (m *machine) twoWays() error {
	segments, err := m.log.Segments()
	if err != nil || firstEntry(segments) == 1 {
		return err
	}
	m.tally.dropped++
	files, err := Snapshots(m.dir)
	ways := 0
	for _, file := range files {
		if _, info, err := ReadSnapshot(file.Path); err == nil && info.Entry+1 >= firstEntry(segments) {
			ways++
		}
	}
	if err == nil && ways < KeepSnapshots && !m.rotten {
		err = fmt.Errorf("the journal begins with entry %d, and only %d of %d snapshots reach it", firstEntry(segments), ways, len(files))
	}
	return err
}

func (m *machine) open() (err error) {
	if m.store, err = openStore(m.dir, Options{SegmentSize: 2 << 10}, m.files); err != nil {
		return err
	}
	m.log = &crashLog{walLog: m.store.journal.log.(walLog), machine: m}
	m.store.journal.log = m.log
	return nil
}

// bootOnBadDisk is a start that may fail; if it does not, it must be right.
func (m *machine) bootOnBadDisk() error {
	m.off, m.calls = false, -1
	if err := m.open(); err != nil {
		return err
	}
	m.calls = m.rng.IntN(10)
	c, err := m.store.Recover(nil)
	if err == nil {
		err = m.check(c)
	} else {
		m.tally.refused++
		err = nil
	}
	return errors.Join(err, m.crash())
}

// check compares what was recovered with what was acknowledged. What it shows was seen, and must be there from now on.
func (m *machine) check(c *domain.Catalog) error {
	if n := len(m.maybe); n > 0 && c.Index() == m.must.Index()+uint64(n) {
		m.tally.kept++
		if err := applyAll(m.must, m.maybe); err != nil {
			return err
		}
	}
	m.maybe = nil
	if got, want := stateOf(c), stateOf(m.must); !reflect.DeepEqual(got, want) {
		return fmt.Errorf("recovered:\n%+v\ninstead of:\n%+v", got, want)
	}
	left, err := filepath.Glob(filepath.Join(m.dir, snapshotsDir, "*"+temporarySuffix))
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("left over: %v", left)
	}
	return err
}

// rot damages the newest snapshot, now and then, when there is another way to the state: two good ones, or a whole
// journal.
func (m *machine) rot() (rotten bool, err error) {
	files, err := Snapshots(m.dir)
	if err != nil || len(files) < 2 || m.rng.IntN(8) > 0 || m.rotten {
		return false, err
	}
	m.rotten = true
	m.tally.rotten++
	path := files[len(files)-1].Path
	file := m.files.now[filepath.Base(path)]
	at, flip := m.rng.IntN(len(file.data)), byte(1)<<m.rng.IntN(8)
	for _, b := range []*[]byte{&file.data, &file.disk} {
		if *b = bytes.Clone(*b); at < len(*b) {
			(*b)[at] ^= flip
		}
	}
	return true, os.WriteFile(path, file.data, fileMode)
}

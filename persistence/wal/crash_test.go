package wal

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestPowerLoss runs logs through power losses and restarts at random points. Acknowledged entries must survive all
// of them, and so must entries that a replay has shown; one that was never acknowledged may be there whole, or not
// at all.
func TestPowerLoss(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("WAL_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d: rerun with WAL_TEST_SEED=%d", seed, seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var repaired, kept, rolls, undone, dropped, rolled, cutShort, inRoom, growing int
	for range rounds(50, 1000) {
		run := &crashRun{rng: rng, disk: newDisk(rng, t.TempDir())}
		for range 12 {
			run.life(t)
		}
		repaired, kept, dropped = repaired+run.repaired, kept+run.kept, dropped+run.dropped
		rolls, undone = rolls+run.disk.rolls, undone+run.disk.undone
		rolled, cutShort = rolled+run.rolled, cutShort+run.cutShort
		inRoom, growing = inRoom+run.disk.inRoom, growing+run.disk.growing
	}
	t.Logf("%d torn tails, %d unacknowledged entries kept, %d new files without a durable name", repaired, kept, rolls)
	t.Logf("%d files dropped, %d removals undone; %d rolls asked for, %d cut short", dropped, undone, rolled, cutShort)
	t.Logf("%d files with unfinished records in room, %d with such as made them grow", inRoom, growing)
	if inRoom == 0 || growing == 0 || repaired == 0 || kept == 0 || rolls == 0 || dropped == 0 || undone == 0 || rolled == cutShort || cutShort == 0 {
		t.Error("the faults were not met")
	}
}

// crashRun is one log and what it must hold.
type crashRun struct {
	rng            *rand.Rand
	disk           *disk
	must           [][]byte // acknowledged, or shown by a replay; all since the first ever
	maybe          []byte   // of the append that failed
	snapshot       uint64   // entries up to this one need not be there
	repaired, kept int
	dropped        int
	rolled         int // by us
	cutShort       int // of those, by a power loss
}

// life is from one opening to the next fault.
func (r *crashRun) life(t *testing.T) {
	t.Helper()
	r.disk.lose = never
	l, err := open(r.disk.dir, Options{SegmentSize: 12_000}, r.disk.system())
	if err != nil {
		t.Fatal(err)
	}
	got, err := replayed(l, r.snapshot+1)
	if err != nil {
		t.Fatal(err)
	}
	got = append(r.must[:r.snapshot:r.snapshot], got...)
	wantSuffix(t, r.disk.dir, got)
	if l.Repaired() > 0 {
		r.repaired++
	}
	if r.maybe != nil && len(got) == len(r.must)+1 {
		r.must = append(r.must, r.maybe)
		r.kept++
	}
	wantEqual(t, got, r.must)
	r.maybe = nil
	for range r.rng.IntN(12) {
		if r.rng.IntN(10) == 0 {
			r.roll(t, l)
		}
		r.append(t, l)
	}
	r.disk.lose, r.disk.syncs = moment(r.rng.IntN(int(moments))), 0
	if r.rng.IntN(2) == 0 {
		if r.disk.syncs = r.rng.IntN(6); r.rng.IntN(2) == 0 {
			r.disk.lose = beforeDirectoryFsync
		}
		r.drop(t)
	}
	for range r.rng.IntN(8) {
		if r.rng.IntN(5) == 0 && !r.roll(t, l) || !r.append(t, l) {
			break
		}
	}
	r.end(t, l)
}

// end is a clean one, or the process is killed, or the power goes, or two of that.
func (r *crashRun) end(t *testing.T, l *Log) {
	t.Helper()
	if r.rng.IntN(3) > 0 {
		_ = l.fail(errPower) // so Close leaves the room
	}
	failed := r.disk.lose
	r.disk.lose = never
	_ = l.Close() // frees the files; what the library fsyncs is not counted as durable
	if r.rng.IntN(3) > 0 {
		r.disk.powerLoss(t)
		return
	}
	if failed == beforeFsync && r.maybe != nil && r.disk.newest() == segmentName(l.newest) {
		r.disk.kill(t)
	}
	r.disk.restarted(t)
}

// roll may meet the power loss, too; the file that it has made may then be there or not.
func (r *crashRun) roll(t *testing.T, l *Log) bool {
	t.Helper()
	r.rolled++
	if err := l.Roll(); err != nil {
		wantError(t, err, errPower)
		r.cutShort++
		return false
	}
	return true
}

// drop takes a snapshot, and drops what it covers, unless the power goes.
func (r *crashRun) drop(t *testing.T) {
	t.Helper()
	covers := uint64(len(r.must))
	r.snapshot = max(r.snapshot, covers-min(covers, r.rng.Uint64N(10)))
	n, err := dropBefore(r.disk.dir, r.snapshot+1, r.disk.system())
	if err != nil {
		wantError(t, err, errPower)
	}
	r.dropped += n
}

func (r *crashRun) append(t *testing.T, l *Log) bool {
	t.Helper()
	payload := randomBytes(r.rng, 1+r.rng.IntN(2000))
	if r.rng.IntN(8) == 0 {
		clear(payload[r.rng.IntN(len(payload)):])
	}
	index, err := l.Append(payload)
	if err != nil {
		wantError(t, err, errPower)
		r.maybe = payload
		return false
	}
	r.must = append(r.must, payload)
	if index != uint64(len(r.must)) {
		t.Fatalf("appended as %d, want %d", index, len(r.must))
	}
	return true
}

package persistence

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"minicrm/domain"
)

// memoryLog is a log without files. A journal that is opened over it again finds what was appended.
type memoryLog struct {
	entries [][]byte
	appends int
	fail    error // what the next appends return
	closed  int
}

func (l *memoryLog) Segments() ([]segment, error) { return nil, nil }
func (l *memoryLog) LastIndex() uint64            { return uint64(len(l.entries)) }
func (l *memoryLog) DropBefore(uint64) error      { return nil }
func (l *memoryLog) Roll() error                  { return l.fail }

func (l *memoryLog) ReplayFrom(from uint64, fn func(index uint64, payload []byte) error) error {
	for i, entry := range l.entries {
		if uint64(i+1) < from {
			continue
		}
		payload := bytes.Clone(entry)
		if err := fn(uint64(i+1), payload); err != nil {
			return err
		}
		clear(payload) // valid during the call only
	}
	return nil
}

func (l *memoryLog) Append(payload []byte) (index uint64, err error) {
	l.appends++
	if l.fail != nil {
		return 0, l.fail
	}
	l.entries = append(l.entries, bytes.Clone(payload))
	return uint64(len(l.entries)), nil
}

func (l *memoryLog) Close() error {
	l.closed++
	return nil
}

// reopen is a journal over a log, and what it replayed.
func reopen(t rapid.TB, log entryLog) (j *Journal, replayed []domain.Record) {
	t.Helper()
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatalf("metrics: %v", err)
	}
	j = newJournal(log, m)
	return j, replay(t, j)
}

func replay(t rapid.TB, j *Journal) (replayed []domain.Record) {
	t.Helper()
	err := j.Replay(func(r domain.Record) error {
		replayed = append(replayed, r)
		return nil
	})
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	return replayed
}

func commit(t rapid.TB, j *Journal) {
	t.Helper()
	if err := j.Commit(); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func someRecord(n int) domain.Record {
	return domain.Record{At: domain.Time(n), Events: []domain.Event{&domain.ContactClosed{ID: domain.ContactID(n), Source: 1}}}
}

// TestReplayGivesBackWhatWasCommitted, and nothing of what was only added: random records in random groups, with
// reopenings in between.
func TestReplayGivesBackWhatWasCommitted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := &memoryLog{}
		j, _ := reopen(t, log)
		var committed, pending []domain.Record
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				r := anyRecord(t)
				size := j.Add(r)
				if want := len(protoPayload(t, uint64(len(committed)+1), append(pending, r))); size != want {
					t.Fatalf("Add says %d bytes instead of %d", size, want)
				}
				pending = append(pending, r)
			},
			"commit": func(t *rapid.T) {
				entries := len(log.entries)
				commit(t, j)
				if len(pending) > 0 {
					entries++
				}
				if len(log.entries) != entries {
					t.Fatalf("%d entries instead of %d", len(log.entries), entries)
				}
				committed, pending = append(committed, pending...), nil
			},
			"reopen": func(t *rapid.T) {
				var replayed []domain.Record
				j, replayed = reopen(t, log)
				if pending = nil; !reflect.DeepEqual(replayed, committed) {
					t.Fatalf("replay gives\n%s\ninstead of\n%s", show(replayed), show(committed))
				}
			},
		})
	})
}

// TestJournalOnDisk is the same once, with the real log.
func TestJournalOnDisk(t *testing.T) {
	dir := t.TempDir()
	var committed []domain.Record
	for start := range 4 {
		j, err := OpenJournal(dir, Options{SegmentSize: 1 << 10})
		if err != nil {
			t.Fatal(err)
		}
		if got := replay(t, j); !reflect.DeepEqual(got, committed) {
			t.Fatalf("start %d: replay gives\n%s\ninstead of\n%s", start, show(got), show(committed))
		}
		for group := range 20 {
			for i := range group {
				r := someRecord(1000*start + 100*group + i)
				j.Add(r)
				committed = append(committed, r)
			}
			commit(t, j)
		}
		j.Add(someRecord(1)) // never committed
		if err := errors.Join(j.Close(), j.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReplayRefusesGapsAndRepeats(t *testing.T) {
	first, second, third := payloadOf(1, someRecord(1), someRecord(2)), payloadOf(3, someRecord(3)), payloadOf(4, someRecord(4))
	cases := map[string]struct {
		entries [][]byte
		says    string
	}{
		"the first is missing": {[][]byte{second, third}, "entry 1: it begins with record 3 instead of 1"},
		"a gap":                {[][]byte{first, third}, "entry 2: it begins with record 4 instead of 3"},
		"a repeat":             {[][]byte{first, second, second}, "entry 3: it begins with record 3 instead of 4"},
		"garbage":              {[][]byte{first, []byte("\x01\x08\x03garbage")}, "entry 2: record 3: decode: "},
		"a newer version":      {[][]byte{first, append([]byte{7}, second[1:]...)}, "entry 2: the format version is 7"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m, _ := newMetrics(nil)
			j := newJournal(&memoryLog{entries: c.entries}, m)
			err := j.Replay(func(domain.Record) error { return nil })
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("the error is %q instead of %q", err, c.says)
			}
			if j.Add(someRecord(1)); !errors.Is(j.Commit(), err) {
				t.Error("afterwards the journal takes records")
			}
		})
	}
}

func TestReplayStopsWhereApplyFails(t *testing.T) {
	log := &memoryLog{entries: [][]byte{payloadOf(1, someRecord(1)), payloadOf(2, someRecord(2), someRecord(3), someRecord(4))}}
	m, _ := newMetrics(nil)
	j := newJournal(log, m)
	refused, applied := errors.New("does not fit"), 0
	err := j.Replay(func(r domain.Record) error {
		if applied++; r.At == 3 {
			return refused
		}
		return nil
	})
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), "entry 2: record 3: ") || applied != 3 {
		t.Errorf("after %d records the error is %q", applied, err)
	}
}

func TestCommitOfNothingDoesNothing(t *testing.T) {
	log := &memoryLog{}
	j, _ := reopen(t, log)
	commit(t, j)
	if log.appends != 0 {
		t.Errorf("%d appends", log.appends)
	}
}

// TestFirstErrorIsForGood: after a failed write nobody knows what is on the disk.
func TestFirstErrorIsForGood(t *testing.T) {
	log := &memoryLog{}
	j, _ := reopen(t, log)
	j.Add(someRecord(1))
	commit(t, j)
	disk := errors.New("input/output error")
	log.fail = disk
	j.Add(someRecord(2))
	j.Add(someRecord(3))
	err := j.Commit()
	if !errors.Is(err, disk) || !strings.Contains(err.Error(), "commit records 2 to 3: ") {
		t.Errorf("the error is %q", err)
	}
	log.fail = nil // the disk seems to be well again
	size := j.Add(someRecord(4))
	if again := j.Add(someRecord(5)); again != size {
		t.Error("a failed journal goes on to gather records")
	}
	if !errors.Is(j.Commit(), disk) || !errors.Is(j.Replay(nil), disk) || log.appends != 2 {
		t.Errorf("a failed journal goes on: %d appends", log.appends)
	}
}

func TestLifeOfAJournal(t *testing.T) {
	log := &memoryLog{}
	m, _ := newMetrics(nil)
	j := newJournal(log, m)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Add before Replay does not panic")
			}
		}()
		j.Add(someRecord(1))
	}()
	replay(t, j)
	if err := j.Replay(nil); err == nil {
		t.Error("a second Replay is no error")
	}
	if err := errors.Join(j.Close(), j.Close()); err != nil || log.closed != 1 {
		t.Errorf("closed %d times: %v", log.closed, err)
	}
	if j.Add(someRecord(1)); !errors.Is(j.Commit(), ErrClosed) {
		t.Error("a closed journal commits")
	}
}

func TestMetrics(t *testing.T) {
	registry, dir := prometheus.NewPedanticRegistry(), t.TempDir()
	j, err := OpenJournal(dir, Options{Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	replay(t, j)
	for _, records := range []int{1, 3} {
		for range records {
			j.Add(someRecord(1))
		}
		commit(t, j)
	}
	bytes := len(payloadOf(1, someRecord(1))) + len(payloadOf(2, someRecord(1), someRecord(1), someRecord(1)))
	want := map[string]float64{
		"minicrm_journal_commit_records":          4,
		"minicrm_journal_commit_duration_seconds": 2, // commits
		"minicrm_journal_records_total":           4,
		"minicrm_journal_commit_bytes_total":      float64(bytes),
		"minicrm_journal_index":                   4,
		"minicrm_journal_torn_tail_bytes":         0,
		"minicrm_journal_torn_tails_total":        0,
	}
	if got := gather(t, registry); !reflect.DeepEqual(got, want) {
		t.Errorf("the metrics are %v instead of %v", got, want)
	}
	if _, err := OpenJournal(t.TempDir(), Options{Registerer: registry}); err == nil {
		t.Error("two journals share one registerer")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenJournal(dir, Options{Registerer: registry})
	if err != nil {
		t.Fatalf("the next journal cannot register: %v", err)
	}
	_ = again.Close()
}

// gather is each metric's value: of the durations their number, of other histograms their sum.
func gather(t *testing.T, registry prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
		if strings.HasSuffix(f.GetName(), "_seconds") {
			value = float64(m.GetHistogram().GetSampleCount())
		}
		values[f.GetName()] = value
	}
	return values
}

package persistence

import (
	"context"
	"errors"
	"flag"
	"slices"
	"testing"
	"time"

	"minicrm/domain"
)

var measureLatency = flag.Bool("snapshot.latency", false, "measure commits with and without a snapshot beside them")

// TestCommitLatency prints how long a commit takes while a snapshot of -recover.contacts contacts is written, and while
// none is: groups of benchGroup records, one behind the other, on the disk of the temporary directory. Rerun with
// -snapshot.latency.
func TestCommitLatency(t *testing.T) {
	if !*measureLatency {
		t.Skip("without -snapshot.latency")
	}
	s := openEmpty(t, t.TempDir())
	c := largeCatalog(t, *millions)
	l := &large{}
	leads := max(1, *millions/10)
	l.base(leads)
	next := domain.ContactID(*millions)
	// commit is what the journal's actor does: the group, and then the catalog, whose pages are copied after a freeze.
	commit := func() time.Duration {
		start := time.Now()
		for range benchGroup {
			next++
			r := l.contact(next, leads)
			s.Add(r)
			must(t, c.Apply(r))
		}
		must(t, s.Commit())
		return time.Since(start)
	}
	for range 200 {
		commit()
	}
	var alone, beside []time.Duration
	for range 3 {
		for range 1000 {
			alone = append(alone, commit())
		}
		begun := time.Now()
		entry, err := s.Roll()
		must(t, err)
		frozen, done := c.Freeze(), make(chan SnapshotInfo)
		t.Logf("to roll and freeze took %v", time.Since(begun))
		go func() {
			info, err := s.WriteSnapshot(context.Background(), frozen, entry)
			if err != nil {
				t.Error(err)
			}
			done <- info
		}()
		for writing := true; writing; {
			select {
			case info := <-done:
				t.Logf("snapshot of %d contacts: %v, %d MB", info.Contacts, info.Duration, info.Bytes>>20)
				writing = false
			default:
				beside = append(beside, commit())
			}
		}
	}
	must(t, errors.Join(s.Close()))
	for what, all := range map[string][]time.Duration{"alone": alone, "beside a snapshot": beside} {
		slices.Sort(all)
		t.Logf("%-18s %5d commits: p50 %v, p99 %v, most %v", what, len(all), all[len(all)/2], all[len(all)*99/100], all[len(all)-1])
	}
}

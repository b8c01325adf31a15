package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minicrm/domain"
	"minicrm/persistence"
)

// The torture of the real binary: many clients that do all that clients can do, kill -9 at any moment, and after each
// restart a comparison of all that the server shows and all that its journal says with all that was acknowledged.
//
//	tormentor ──► server ──► journal files ──► keeper ──► examiner     every prefix is legal, and explained by
//	    │            │                                       ▲         what clients asked
//	    │            └──► world ◄── API, at rest ─────────── compare   the same state
//	    └──► memory ◄── verify ───────┘                                durable, wholly or not at all
//
// A command without an answer may have happened or not; register has the rule of what a field may be then.

var (
	tortureRounds = flag.Int("torture.rounds", 4, "kills of TestTorture")
	torturePlain  = flag.Bool("torture.plain", false, "TestTorture builds the binary without the race detector")
	tortureServe  = flag.String("torture.serve", "", "further options of serve for TestTorture, split at spaces")
	tortureSeed   = flag.Uint64("torture.seed", uint64(time.Now().UnixNano()), "seed of TestTorture")
	tortureDir    = flag.String("torture.dir", "", "where TestTorture keeps its data, and leaves it; otherwise it is only left after a failure")
)

const (
	tortureClients   = 24
	tortureOperators = 16
	tortureSources   = 4
)

// torture is one directory through many rounds.
type torture struct {
	data  string
	limit string // see startServer
	m     *memory
	x     *examiner
	k     *keeper
}

// Catches, with kill -9 at any moment and by its own record of what was acknowledged: an acknowledged contact, close,
// assignment, lead, operator, link or setting that is lost, goes back, or is another; a contact that moves though nobody
// moved it; an archived contact that is in no archive, or shown again; an erased lead that is back; an id that is used
// twice; a command that happens half, twice, or unasked; a seat given past max_load or to somebody inactive; two leads with
// one email; a contact that waits while somebody is eligible, after a restart or at rest; an assignment to somebody who was not next, and lags that do not sum to 0; loads, lags and lists that are not
// what the journal says; answers that show what was already overwritten; a data race.
func TestTorture(t *testing.T) {
	dir := tortureDirectory(t)
	if *torturePlain {
		buildPlain(t)
	}
	m := newMemory()
	tt := &torture{data: filepath.Join(dir, "data"), m: m, x: newExaminer(m.explains, m.asksToErase)}
	tt.k = newKeeper(t, tt.data, filepath.Join(dir, "kept"))
	tt.limit = fmt.Sprintf(`set -- "$@" --retain-closed=%s %s`, tortureRetain, *tortureServe)
	t.Logf("rerun with -torture.seed=%d (the clients do the same, the server's timing is its own)", *tortureSeed)
	for round := range *tortureRounds + 1 { // the last one only looks
		if !t.Run(fmt.Sprintf("round=%d", round), func(t *testing.T) { tt.round(t, round) }) {
			break
		}
	}
	if !t.Failed() {
		tt.audit(t, dir)
	}
	archived := tt.x.checkArchives(t, tt.data)
	t.Logf("%d contacts went to the archive, some again: %d lines; %d leads were erased", len(tt.x.archived), archived, len(tt.x.leads)-len(tt.x.emails))
	t.Logf("%d records, %d contacts, %d leads; of the posts without an answer %d had happened, %d not; the largest lag was %.3f",
		tt.x.record-1, len(m.contacts), len(m.leads), m.happened, m.never, tt.x.largestLag())
}

func tortureDirectory(t *testing.T) string {
	t.Helper()
	if *tortureDir != "" {
		return *tortureDir
	}
	dir, err := os.MkdirTemp("", "minicrm-torture")
	check(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the data is left in %s", dir)
			return
		}
		check(t, os.RemoveAll(dir))
	})
	return dir
}

// buildPlain makes the rest of the test run a binary without the race detector.
func buildPlain(t *testing.T) {
	t.Helper()
	raced, plain := program, filepath.Join(t.TempDir(), "minicrm")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", plain, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	program = plain
	t.Cleanup(func() { program = raced })
}

// round starts the server, checks everything, and kills it under load.
func (tt *torture) round(t *testing.T, round int) {
	rng := rand.New(rand.NewPCG(*tortureSeed, uint64(round)))
	s := startServer(t, tt.data, tt.limit)
	if round == 0 {
		s.furnish(tortureSources, 6, []int{1, 1, 2, 2, 3, 3, 5, 5, 7, 10, 100, 1000})
		tt.m.settled(readWorld(s))
	}
	tt.examine(t, s, "after the start")
	tt.x.floor = tt.x.latest // what this process writes from here on is later than all before
	if round == *tortureRounds {
		if code := s.terminate(); code != 0 {
			t.Errorf("exit status %d", code)
		}
		check(t, tt.k.keep()) // contacts may have gone to the archive until then
		check(t, tt.x.examine(tt.k))
		return
	}
	if round%3 == 2 {
		tt.load(t, s, rng, round, 200, 200*time.Millisecond, func() {})
		barrier(s, tortureSources)
		tt.examine(t, s, "at rest")
		tt.poke(t, tt.client(s, rng, fmt.Sprintf("%d-poke", round)))
	}
	lifetime := time.Duration(50+rng.IntN(1450)) * time.Millisecond
	before := tt.x.record
	tt.load(t, s, rng, round, []int{30, 90, 200}[rng.IntN(3)], lifetime, s.kill)
	if said := s.stderr.String(); strings.Contains(said, "DATA RACE") || strings.Contains(said, "fatal") || strings.Contains(said, "level=ERROR") {
		t.Error("the server complains")
	}
	t.Logf("killed after %v; %d records before", lifetime, before-1)
}

// load runs clients for a while, who try to keep so many contacts live, and then ends it: by letting them finish, or by
// killing the server under them.
func (tt *torture) load(t *testing.T, s *server, rng *rand.Rand, round, live int, d time.Duration, end func()) {
	t.Helper()
	stop := make(chan struct{})
	var ending atomic.Bool
	var clients, keeping sync.WaitGroup
	keeping.Go(func() {
		if err := tt.k.watch(stop); err != nil {
			t.Error(err)
		}
	})
	for i := range tortureClients {
		c := tt.client(s, rng, fmt.Sprintf("%d-%d-%d", round, rng.Uint32(), i))
		c.live = live
		clients.Go(func() {
			if err := c.run(stop); err != nil && (!errors.Is(err, errGone) || !ending.Load()) {
				t.Error(err)
			}
		})
	}
	if within(d, s.exited) {
		t.Errorf("the server ended by itself: %v", s.err)
	}
	ending.Store(true)
	end()
	close(stop)
	clients.Wait()
	keeping.Wait()
}

// barrier returns when every command, and whatever it caused, has come to rest: each decider gets commands that change
// nothing, and answers in order. A seat on its way from source to source comes one further each time.
func barrier(s *server, sources int) {
	s.t.Helper()
	for range sources + 2 {
		s.must("PATCH", "/v1/operators/1", `{}`, nil)
		for source := range sources {
			s.must("PATCH", fmt.Sprintf("/v1/sources/%d", source+1), `{}`, nil)
		}
	}
}

// client is one that starts from the next random number.
func (tt *torture) client(s *server, rng *rand.Rand, name string) *tormentor {
	return &tormentor{
		s: s, m: tt.m, rng: rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())), name: name,
		operators: tortureOperators, sources: tortureSources, returnings: 500,
	}
}

// examine checks everything while nothing is under way, and learns what became of the commands without an answer.
func (tt *torture) examine(t *testing.T, s *server, when string) {
	t.Helper()
	w := readWorld(s)
	check(t, tt.k.keep())
	if err := tt.x.examine(tt.k); err != nil {
		t.Fatalf("%s, the journal: %v", when, err)
	}
	if err := errors.Join(w.atRest(), tt.x.compare(w), tt.m.verify(w, tt.x.archived)); err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	tt.m.settled(w)
}

// audit lets the program's own auditor read the whole journal, through the program's own way of reading it.
func (tt *torture) audit(t *testing.T, dir string) {
	t.Helper()
	whole := filepath.Join(dir, "whole") // opening writes, so not where a server may want to go on
	check(t, os.RemoveAll(whole))
	check(t, os.CopyFS(whole, os.DirFS(tt.k.kept)))
	journal, err := persistence.OpenJournal(whole, persistence.Options{})
	check(t, err)
	auditor := domain.NewAuditor(domain.NewCatalog())
	check(t, journal.Replay(auditor.Record))
	check(t, journal.Close())
	check(t, auditor.Conserving())
	if got := auditor.Catalog().Index(); got != tt.x.record-1 {
		t.Errorf("the auditor read %d records, the examiner %d", got, tt.x.record-1)
	}
}

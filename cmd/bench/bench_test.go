package main

import (
	"context"
	"errors"
	"math"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"minicrm/cmd/minicrm/load"
)

// small is a load of a few contacts.
func small(target string, check load.Check) load.Options {
	w := &workplace{}
	o := w.load()
	o.Target, o.Check = target, check
	o.Connections, o.Contacts, o.Leads, o.Sources, o.Operators, o.Links = 16, 600, 200, 2, 8, 6
	o.Mix = load.Mix{Posts: 5, Closes: 4, Reads: 1}
	return o
}

func mustPass(t *testing.T, o load.Options) *load.Report {
	t.Helper()
	report, err := load.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Passed() || report.Posted != o.Contacts {
		t.Fatalf("%d contacts posted: %+v", report.Posted, report.Findings)
	}
	return report
}

// Catches: a handler that does nothing, and its answers neither.
func TestNoop(t *testing.T) {
	server := httptest.NewServer(newEdge(newNoop()))
	t.Cleanup(server.Close)
	mustPass(t, small(server.URL, load.CheckShape))
}

// Catches: a straw man. PostgreSQL has to do the whole job right, in each way of choosing, also when operators are full.
func TestPostgres(t *testing.T) {
	dir, err := os.MkdirTemp("", "bench") // t.TempDir is root's alone
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	db, err := newCluster(t.Context(), dir)
	if errors.Is(err, errNoPostgres) {
		t.Skip(err)
	}
	check(t, err)
	check(t, db.start(t.Context()))
	t.Cleanup(func() { check(t, errors.Join(db.stop(), db.remove())) })
	for _, choose := range []string{"choose_skipping", "choose_in_order", "choose_locking_all"} {
		for name, full := range map[string]bool{"roomy": false, "full": true} {
			t.Run(choose+" "+name, func(t *testing.T) {
				c := &postgresCmd{Database: db.database(), Pool: 12, Choose: choose}
				pool, err := c.open(t.Context())
				check(t, err)
				t.Cleanup(pool.Close)
				server := httptest.NewServer(newEdge(&postgresJob{pool}))
				t.Cleanup(server.Close)
				o := small(server.URL, load.CheckAnswers)
				if full {
					o.MaxLoad, o.Live = 2, 60
				}
				report := mustPass(t, o)
				if (report.Waited > 0) != full {
					t.Errorf("%d contacts found nobody", report.Waited)
				}
				audit(t, pool, o)
			})
		}
	}
}

// audit checks what is in the database at the end.
func audit(t *testing.T, pool *pgxpool.Pool, o load.Options) {
	t.Helper()
	for query, want := range map[string]int64{
		`SELECT count(*) FROM contacts`:                                                                 o.Contacts,
		`SELECT count(*) FROM operators WHERE load > max_load`:                                          0,
		`SELECT count(*) FROM contacts c WHERE NOT EXISTS (SELECT FROM leads l WHERE l.id = c.lead_id)`: 0,
		`SELECT count(*) FROM contacts WHERE operator_id IS NULL AND status = 'assigned'`:               0,
		`SELECT count(*) FROM contacts c WHERE operator_id IS NOT NULL AND NOT EXISTS (
			SELECT FROM links l WHERE l.source_id = c.source_id AND l.operator_id = c.operator_id)`: 0,
		`SELECT count(*) FROM operators o WHERE load <> (
			SELECT count(*) FROM contacts c WHERE c.operator_id = o.id AND c.status = 'assigned')`: 0,
	} {
		var got int64
		check(t, pool.QueryRow(t.Context(), query).Scan(&got))
		if got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"} {
		var got string
		check(t, pool.QueryRow(t.Context(), "SHOW "+setting, pgx.QueryExecModeSimpleProtocol).Scan(&got))
		if got != want {
			t.Errorf("%s is %s", setting, got)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Catches: turns that are not in turn, or always in the same order, and a median that is none.
func TestTurns(t *testing.T) {
	var order strings.Builder
	rates := []float64{5, 1, 100, 2, 4, 3}
	turn := func(name string) *entrant {
		n := 0
		return &entrant{name: name, turn: func(context.Context) (*load.Report, error) {
			order.WriteString(name)
			n++
			return &load.Report{Contacts: rates[n-1]}, nil
		}}
	}
	a, b := turn("a"), turn("b")
	check(t, takeTurns(t.Context(), 5, a, b))
	if order.String() != "abbaabbaab" || a.median(contacts) != 4 || a.best(contacts) != 100 {
		t.Errorf("order %s, median %f, best %f", order.String(), a.median(contacts), a.best(contacts))
	}
	check(t, takeTurns(t.Context(), 1, a))
	if a.median(contacts) != 3.5 {
		t.Errorf("the median of six is %f", a.median(contacts))
	}
	failed := errors.New("failed")
	c := &entrant{turn: func(context.Context) (*load.Report, error) { return nil, failed }}
	if err := takeTurns(t.Context(), 1, c); !errors.Is(err, failed) {
		t.Errorf("a turn that fails gives %v", err)
	}
}

// Catches: a table that is not Markdown, and a verdict that is wrong.
func TestTable(t *testing.T) {
	r := newResult("Title", "a", "latency")
	r.row("x", "1 µs")
	r.note("as of %d", 1)
	want := "## Title\n\n| a | latency |\n|---|---------|\n| x | 1 µs    |\n\n- as of 1\n"
	if got := r.markdown(); got != want {
		t.Errorf("got\n%s", got)
	}
	for want, got := range map[string]string{
		"0.55 (target ≥ 0.50: met)":    ratio(0.55, 0.5),
		"0.45 (target ≥ 0.50: missed)": ratio(0.45, 0.5),
		"1.50 (target ≤ 2.00: met)":    ratio(1.5, -2),
		"2.50 (target ≤ 2.00: missed)": ratio(2.5, -2),
		"0.45":                         ratio(0.45, 0),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Catches: benchmarks that are misread.
func TestParseBenchmarks(t *testing.T) {
	runs := parseBenchmarks(`goos: linux
BenchmarkDecision/k=8-2   	37226532	        32.5 ns/op	       0 B/op	       1 allocs/op
BenchmarkDecision/k=8-2   	37226532	        30 ns/op	       0 B/op	       3 allocs/op
BenchmarkEncode/one-event  	  1000	        7 ns/op	 12.3 MB/s	 16 B/op	       2 allocs/op
PASS
ok  	minicrm/domain	3.2s
`)
	k8, encode := runs["Decision/k=8"], runs["Encode/one-event"]
	if len(runs) != 2 || k8 == nil || encode == nil || median(k8.ns) != 31.25 || median(k8.allocs) != 2 || encode.ns[0] != 7 || encode.allocs[0] != 2 {
		t.Errorf("got %+v", runs)
	}
}

// Catches: a guard that lets a regression pass, or cries wolf.
func TestCompare(t *testing.T) {
	before := baselines{
		Micro: map[string]micro{"a": {Copies: 10, Allocs: 20}, "b": {Allocs: 0}},
		HTTP:  map[string]float64{"64": 0.6},
	}
	now := func(copies, allocs, http float64) baselines {
		return baselines{
			Micro: map[string]micro{"a": {Copies: copies, Allocs: allocs}, "b": {}, "new": {Allocs: 5}},
			HTTP:  map[string]float64{"64": http},
		}
	}
	for name, c := range map[string]struct {
		now baselines
		bad bool
	}{
		"same":        {now(10, 20, 0.6), false},
		"better":      {now(1, 2, 0.9), false},
		"noise":       {now(15, 23, 0.46), false},
		"slower":      {now(21, 20, 0.6), true},
		"more allocs": {now(10, 25, 0.6), true},
		"less HTTP":   {now(10, 20, 0.44), true},
		"gone":        {baselines{HTTP: map[string]float64{"64": 0.6}}, true},
		"no HTTP":     {baselines{Micro: before.Micro}, true},
	} {
		if err := compare(before, c.now); (err != nil) != c.bad {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Catches: a reference that the compiler took away, or that waits.
func TestReferences(t *testing.T) {
	if ns := copyTime(); ns < 20 || ns > 20_000 {
		t.Errorf("4 KiB are copied in %f ns", ns)
	}
	w := &workplace{dir: t.TempDir()}
	ms, err := w.fdatasync()
	check(t, err)
	if ms <= 0 || math.IsNaN(ms) || ms > float64(10*time.Second/time.Millisecond) {
		t.Errorf("fdatasync takes %f ms", ms)
	}
}

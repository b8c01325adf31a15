package load

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minicrm/domain"
)

func mustRun(t *testing.T, o Options) *Report {
	t.Helper()
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func mustPass(t *testing.T, o Options) *Report {
	t.Helper()
	report := mustRun(t, o)
	if !report.Passed() {
		var b strings.Builder
		_ = report.Write(&b)
		t.Fatalf("a right service is blamed:\n%s", b.String())
	}
	return report
}

// Catches: a right service that is blamed, whether its operators have room, are full, or fill up for good, and checks
// that are left out.
func TestRightService(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"room":       func(*Options) {},
		"full":       func(o *Options) { o.MaxLoad, o.Live = 2, 40 },
		"fills up":   func(o *Options) { o.MaxLoad, o.Mix = 50, Mix{Posts: 1} },
		"batches":    func(o *Options) { o.Batch, o.Keys = 50, true },
		"few busy":   func(o *Options) { o.Busy = 1 },
		"open loop":  func(o *Options) { o.Contacts, o.Rate, o.Arrivals, o.Duration = 0, 3000, Poisson, 500*time.Millisecond },
		"alone":      func(o *Options) { o.Operators, o.Links, o.Keys = 3, 1, true },
		"never full": func(o *Options) { o.Mix = Mix{Posts: 1}; o.Batch = 100; o.Contacts = 600 },
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			o := small(startFake(t, f))
			change(&o)
			report := mustPass(t, o)
			if int(report.Posted) != len(f.contacts) || o.Contacts > 0 && report.Posted != o.Contacts {
				t.Errorf("%d contacts were reported, %d came", report.Posted, len(f.contacts))
			}
			if int(report.Leads) != len(f.leads) {
				t.Errorf("%d leads were reported, there are %d", report.Leads, len(f.leads))
			}
			if report.Loads.Compared != o.Operators {
				t.Errorf("%d operators were compared", report.Loads.Compared)
			}
			roomy := name != "full" && name != "fills up"
			if judged := report.Shares.Judged; roomy != (judged == o.Sources) {
				t.Errorf("the shares of %d sources were judged: %s", judged, report.Shares.NotJudged)
			}
			if waited := report.Waited > 0; waited == roomy {
				t.Errorf("%d contacts found nobody", report.Waited)
			}
			for key, n := range f.keys {
				if n != 1 {
					t.Errorf("key %q came %d times", key, n)
				}
			}
			if o.Keys && len(f.keys) != len(f.contacts) {
				t.Errorf("%d keys came with %d contacts", len(f.keys), len(f.contacts))
			}
		})
	}
}

// assignment says whether the answer is the one to the post of contact n, or of every hundredth for n = 0.
func assignment(c *fakeContact, n int64) bool {
	return c.Status == statusAssigned && (c.ID == n || n == 0 && c.ID%100 == 0)
}

// wrongPosts is what a service can do wrong with a post, by the finding that it should lead to.
var wrongPosts = map[string]func(answer *fakeContact){
	"post: an operator that is not linked":         func(answer *fakeContact) { answer.Operator = new(int64(77)) },
	"post: not the shape":                          func(answer *fakeContact) { answer.Operator = nil },
	"post: another source or text":                 func(answer *fakeContact) { answer.Text += "!" },
	"post: another source or text than was":        func(answer *fakeContact) { answer.Source = answer.Source%3 + 1 },
	"post: another lead":                           func(answer *fakeContact) { answer.Lead += 1000 },
	"post: an id that does not grow":               func(answer *fakeContact) { answer.ID -= 90 },
	"post: not the shape of a new contact":         func(answer *fakeContact) { answer.ID = 0 },
	"post: not the shape of a new contact, either": func(answer *fakeContact) { answer.Status = statusClosed },
}

// wrongDeeds is what else it can do wrong.
var wrongDeeds = map[string]func(f *fake, c, answer *fakeContact) (status int){
	"post: status 500": func(_ *fake, c, _ *fakeContact) int {
		if assignment(c, 0) {
			return 500
		}
		return 0
	},
	"close: status 409": func(_ *fake, c, _ *fakeContact) int {
		if c.Status == statusClosed {
			return 409
		}
		return 0
	},
	"close: the contact is not closed": func(_ *fake, c, answer *fakeContact) int {
		if c.Status == statusClosed {
			answer.Status = statusAssigned
		}
		return 0
	},
	"close: another operator than was told": func(_ *fake, c, answer *fakeContact) int {
		if c.Status == statusClosed && c.ID%100 == 0 {
			answer.Operator = new(*c.Operator%9 + 1)
		}
		return 0
	},
	"at the end: another load": func(f *fake, c, _ *fakeContact) int {
		if assignment(c, 500) {
			f.operators[0].Load--
		}
		return 0
	},
	"at the end: another number of contacts received": func(f *fake, c, _ *fakeContact) int {
		if assignment(c, 500) { // one that nobody posted
			_ = f.sources[0].ledger.Replay(domain.OperatorID(1), domain.Among{Kind: domain.Alone}, domain.Automatic)
		}
		return 0
	},
	"at the end: a count that is further from its exact share": func(f *fake, _, _ *fakeContact) int {
		for _, s := range f.sources {
			s.cheat = true
		}
		return 0
	},
}

// Catches: each check that is missing or cannot fail.
func TestMisbehaviourIsFound(t *testing.T) {
	deeds := maps.Clone(wrongDeeds)
	for name, wrong := range wrongPosts {
		deeds[name] = func(_ *fake, c, answer *fakeContact) int {
			if assignment(c, 0) {
				wrong(answer)
			}
			return 0
		}
	}
	for name, deed := range deeds {
		t.Run(name, func(t *testing.T) {
			report := mustRun(t, small(startFake(t, &fake{mischief: deed})))
			want, _, _ := strings.Cut(name, ",")
			for _, f := range report.Findings {
				if strings.HasPrefix(f.What, want) && f.Count > 0 && len(f.Examples) > 0 {
					return
				}
			}
			t.Errorf("it was not found; found was %+v", report.Findings)
		})
	}
}

// Catches: a read whose answer is not looked at.
func TestWrongReadIsFound(t *testing.T) {
	f := &fake{}
	var reading atomic.Bool
	f.before = func(r *http.Request) { reading.Store(r.Method == http.MethodGet) }
	f.mischief = func(_ *fake, c, answer *fakeContact) int {
		if reading.Load() && c.Status == statusAssigned {
			answer.Lead++
		}
		return 0
	}
	o := small(startFake(t, f))
	o.Connections = 1
	report := mustRun(t, o)
	if len(report.Findings) != 1 || !strings.HasPrefix(report.Findings[0].What, "read: another contact, source or lead") {
		t.Errorf("found: %+v", report.Findings)
	}
}

// Catches: what the service did not do for a batch, and problems within one, that go unnoticed.
func TestMisbehaviourInBatchesIsFound(t *testing.T) {
	f := &fake{mischief: func(_ *fake, c, _ *fakeContact) int {
		if c.ID == 70 {
			return 422
		}
		return 0
	}}
	o := small(startFake(t, f))
	o.Batch, o.Mix, o.Contacts = 50, Mix{Posts: 1}, 200
	report := mustRun(t, o)
	if len(report.Findings) != 1 || report.Findings[0].What != "post: status 422" || report.Findings[0].Examples[0] != "mischief" {
		t.Errorf("found: %+v", report.Findings)
	}
	if report.Posted != 199 {
		t.Errorf("%d contacts are said to be posted", report.Posted)
	}
}

// Catches: coordinated omission. The service answers at once, but stands still once for 400 ms. A generator that waits
// along with it would have 8 slow answers in 450; what customers feel is that a quarter of them wait.
func TestStallShowsInOpenLoop(t *testing.T) {
	const stall = 400 * time.Millisecond
	var still atomic.Pointer[time.Time]
	start := time.Now()
	f := &fake{before: func(r *http.Request) {
		if r.URL.Path != "/v1/contacts" || time.Since(start) < 500*time.Millisecond {
			return
		}
		end := time.Now().Add(stall)
		still.CompareAndSwap(nil, &end)
		time.Sleep(time.Until(*still.Load())) //nolint:forbidigo // a service that stands still is what is tested
	}}
	o := small(startFake(t, f))
	o.Contacts, o.Mix, o.Rate, o.Duration = 0, Mix{Posts: 1}, 300, 1500*time.Millisecond
	report := mustPass(t, o)
	all := report.Latency["all"]
	if all.Count != 450 {
		t.Errorf("%d requests were timed", all.Count)
	}
	if all.P99 < 300 || all.P90 < 100 || all.P50 > 200 {
		t.Errorf("latencies %+v do not show that it stood still for %v", all, stall)
	}
	if report.Late.P99 < 250 {
		t.Errorf("the generator says that it sent in time: %+v", *report.Late)
	}
}

// Catches: a service too slow for the rate whose missing answers are left out silently.
func TestTooSlowForTheRate(t *testing.T) {
	f := &fake{before: func(r *http.Request) {
		if r.URL.Path == "/v1/contacts" {
			time.Sleep(20 * time.Millisecond) //nolint:forbidigo // a slow service is what is tested
		}
	}}
	o := small(startFake(t, f))
	o.Contacts, o.Mix, o.Rate, o.Duration, o.Timeout = 0, Mix{Posts: 1}, 4000, 500*time.Millisecond, 250*time.Millisecond
	report := mustRun(t, o)
	if report.Passed() || !strings.Contains(report.Findings[0].What, "could not keep up") {
		t.Errorf("found: %+v", report.Findings)
	}
	if slowest := report.Latency["all"].Max; slowest < 250 {
		t.Errorf("the slowest answer came after %f ms", slowest)
	}
}

// Catches: a service that is gone or hangs, which is not reported.
func TestNoAnswer(t *testing.T) {
	f := &fake{before: func(r *http.Request) {
		if r.URL.Path == "/v1/contacts" {
			time.Sleep(800 * time.Millisecond) //nolint:forbidigo // a service that hangs is what is tested
		}
	}}
	o := small(startFake(t, f))
	o.Contacts, o.Timeout = 10, 400*time.Millisecond
	report := mustRun(t, o)
	if len(report.Findings) != 1 || report.Findings[0].What != "post: no answer" || report.Findings[0].Count != 10 {
		t.Errorf("found: %+v", report.Findings)
	}
	if report.Shares.Judged != 0 || report.Loads.Compared != 0 {
		t.Error("shares and loads were judged though nobody can know them")
	}
}

// Catches: a report that does not say what it has to, in either form.
func TestReport(t *testing.T) {
	report := mustPass(t, small(startFake(t, &fake{})))
	var text strings.Builder
	if err := report.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"closed loop, 8 connections", "p99.9", "close", "generator: ", "3 sources judged", "all checks passed"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	encoded, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(encoded, &back); err != nil || back.Latency["post"].P99 <= 0 || back.Generator.User <= 0 {
		t.Errorf("%v: %s", err, encoded)
	}
}

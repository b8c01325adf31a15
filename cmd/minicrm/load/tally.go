package load

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	shortest    = time.Microsecond // latencies are counted in steps of this at the shortest
	longest     = 10 * time.Minute
	digits      = 3 // of a latency that are exact
	maxExamples = 3 // of each finding
)

// kind is what a request does.
type kind int

const (
	doPost kind = iota
	doClose
	doRead
	kinds
)

var kindNames = [kinds]string{"post", "close", "read"}

// tally is what the connections count together.
type tally struct {
	latency [kinds]histogram
	late    histogram    // open loop: how long after its time a request was sent
	answers atomic.Int64 // all of them, also of the warm-up
	posted  atomic.Int64 // contacts, also of the warm-up
	within  atomic.Int64 // contacts posted within the measured time
	open    atomic.Int64 // contacts that found nobody when they were posted
	lost    atomic.Int64 // requests without a usable answer: what they did is not known
	unsent  atomic.Int64 // open loop: requests that the service was too slow for

	mu       sync.Mutex
	findings map[string]*Finding
}

// Finding is something wrong, and how often it was.
type Finding struct {
	What     string   `json:"what"`
	Count    int64    `json:"count"`
	Examples []string `json:"examples"`
}

func newTally() *tally {
	t := &tally{findings: map[string]*Finding{}}
	for k := range t.latency {
		t.latency[k].h = newHistogram()
	}
	t.late.h = newHistogram()
	return t
}

// wrong notes a finding.
func (t *tally) wrong(what, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.findings[what]
	if f == nil {
		f = &Finding{What: what}
		t.findings[what] = f
	}
	f.Count++
	if len(f.Examples) < maxExamples {
		f.Examples = append(f.Examples, fmt.Sprintf(format, args...))
	}
}

// found lists what was wrong, the most frequent first.
func (t *tally) found() []Finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Finding, 0, len(t.findings))
	for _, f := range slices.SortedFunc(maps.Values(t.findings), func(a, b *Finding) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.What, b.What))
	}) {
		all = append(all, *f)
	}
	return all
}

// histogram counts latencies of many connections.
type histogram struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(int64(shortest), int64(longest), digits)
}

func (h *histogram) add(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.h.RecordValue(int64(min(max(d, 0), longest))) // within its range
}

// Latency is a distribution. Times are in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	const ms = float64(time.Millisecond)
	at := func(percent float64) float64 { return float64(h.ValueAtPercentile(percent)) / ms }
	return Latency{
		Count: h.TotalCount(), Mean: h.Mean() / ms,
		P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.Max()) / ms,
	}
}

package load

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what came of a load. Rates and latencies are those of the measured time; the checks are of all of it.
type Report struct {
	Target      string             `json:"target"`
	Loop        string             `json:"loop"` // closed or open
	Connections int                `json:"connections"`
	Rate        float64            `json:"rate,omitempty"` // meant, a second
	Arrivals    Arrivals           `json:"arrivals,omitempty"`
	Batch       int                `json:"batch,omitempty"`
	Seed        uint64             `json:"seed"`
	Seconds     float64            `json:"measured_s"`
	Requests    float64            `json:"requests_per_s"`
	Contacts    float64            `json:"contacts_per_s"`
	Posted      int64              `json:"contacts_posted"`       // warm-up included
	Leads       int64              `json:"leads"`                 // that were told
	Waited      int64              `json:"contacts_found_nobody"` // likewise
	Latency     map[string]Latency `json:"latency"`               // by kind, and all
	Late        *Latency           `json:"sent_late,omitempty"`   // open loop
	Generator   Generator          `json:"generator"`
	Shares      Shares             `json:"shares"`   //
	Loads       Loads              `json:"loads"`    //
	Findings    []Finding          `json:"findings"` // empty = everything was right
}

// Generator is what the load cost the process that made it.
type Generator struct {
	CPU
	Cores      float64 `json:"cores"`
	PerRequest float64 `json:"us_per_request"`
}

// Passed says whether everything was right.
func (r *Report) Passed() bool { return len(r.Findings) == 0 }

func (r *run) report() *Report {
	o := r.options
	p := &Report{
		Target: o.Target, Loop: "closed", Connections: o.Connections, Batch: o.Batch, Seed: o.Seed,
		Seconds: max(0, r.to.Sub(r.from).Seconds()), Posted: r.tally.posted.Load(), Leads: r.people.told(), Waited: r.tally.open.Load(), Latency: map[string]Latency{},
	}
	if o.Rate > 0 {
		p.Loop, p.Rate, p.Arrivals = "open", o.Rate, o.Arrivals
		late := latencyOf(r.tally.late.h)
		p.Late = &late
	}
	all := newHistogram()
	for k := range kinds {
		if h := r.tally.latency[k].h; h.TotalCount() > 0 {
			p.Latency[kindNames[k]] = latencyOf(h)
			all.Merge(h)
		}
	}
	p.Latency["all"] = latencyOf(all)
	if p.Seconds > 0 {
		p.Requests = float64(all.TotalCount()) / p.Seconds
		p.Contacts = float64(r.tally.within.Load()) / p.Seconds
	}
	p.Generator = Generator{CPU: r.cpu, Cores: r.cpu.sum() / r.watched.Seconds()}
	if n := all.TotalCount(); n > 0 {
		p.Generator.PerRequest = r.cpu.sum() / float64(n) * 1e6
	}
	return p
}

// Write prints the report for people.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s loop, %d connections", r.Loop, r.Connections)
	if r.Batch > 0 {
		fmt.Fprintf(&b, ", batches of %d contacts", r.Batch)
	}
	if r.Rate > 0 {
		fmt.Fprintf(&b, ", %.0f requests/s meant, %s", r.Rate, r.Arrivals)
	}
	fmt.Fprintf(&b, "; seed %d\n", r.Seed)
	if r.Seconds > 0 {
		r.writeMeasured(&b)
	} else {
		b.WriteString("nothing was measured: the load ended within its warm-up\n")
	}
	r.writeChecks(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) writeMeasured(b *strings.Builder) {
	fmt.Fprintf(b, "%.0f requests/s, %.0f contacts/s over %v\n\n", r.Requests, r.Contacts,
		time.Duration(r.Seconds*float64(time.Second)).Round(time.Millisecond))
	r.writeLatencies(b)
	fmt.Fprintf(b, "\ngenerator: %.2f cores, %.1f µs of CPU a request\n", r.Generator.Cores, r.Generator.PerRequest)
}

func (r *Report) writeLatencies(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, l Latency) {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", name, l.Count, l.Mean, l.P50, l.P90, l.P99, l.P999, l.Max)
	}
	_, _ = fmt.Fprintln(t, "ms\tcount\tmean\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, name := range append(kindNames[:], "all") {
		if l, ok := r.Latency[name]; ok {
			row(name, l)
		}
	}
	if r.Late != nil {
		row("sent late", *r.Late)
	}
	_ = t.Flush() // all of it goes to memory
}

func (r *Report) writeChecks(b *strings.Builder) {
	fmt.Fprintf(b, "contacts: %d posted, of %d leads; %d of them found nobody at once\n", r.Posted, r.Leads, r.Waited)
	if r.Shares.Judged > 0 {
		fmt.Fprintf(b, "shares: %d sources judged; no count is further than %.4f from its exact share, the bound is %.4f\n",
			r.Shares.Judged, r.Shares.Worst, r.Shares.Bound)
	}
	if r.Shares.NotJudged != "" {
		fmt.Fprintf(b, "shares: not all judged: %s\n", r.Shares.NotJudged)
	}
	if r.Loads.Compared > 0 {
		fmt.Fprintf(b, "loads: %d operators compared, they hold %d contacts\n", r.Loads.Compared, r.Loads.Held)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(b, "WRONG, %d times: %s\n", f.Count, f.What)
		for _, e := range f.Examples {
			fmt.Fprintf(b, "    %s\n", e)
		}
	}
	if r.Passed() {
		b.WriteString("all checks passed\n")
	}
}

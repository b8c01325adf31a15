package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

type checkCmd struct {
	common
	Baseline  string        `default:"cmd/bench/baseline.json" help:"The file of the baselines."`
	Update    bool          `help:"Write the baselines instead of comparing with them."`
	Count     int           `default:"5" help:"Runs of each micro-benchmark; the best counts."`
	Benchtime time.Duration `default:"200ms" help:"Time of each run."`
}

// guarded are the micro-benchmarks that are compared, by package. Those that wait for a disk are not among them, apart
// from the allocations of the whole way.
var guarded = map[string]string{
	"./domain":            "^Benchmark(Decision|DeskCreate|CatalogApply)$",
	"./actors":            "^BenchmarkCreateContact$",
	"./persistence":       "^Benchmark(Encode|Decode)$/^codec$",
	"./transport/httpapi": "^BenchmarkPostContact$",
	"./cmd/minicrm":       "^BenchmarkPostContact$",
}

// Bounds are generous, since machines are noisy: what is caught is what doubled, and allocations.
const (
	slower     = 2.0  // times the baseline's ratio
	moreAllocs = 1.15 // times the baseline's allocations, and one
	lessHTTP   = 0.75 // of the baseline's ratio
)

// baselines are ratios, so that they hold on other machines as far as figures can.
type baselines struct {
	// Micro has, for each benchmark, its time in copies of 4 KiB (0 = not compared) and its allocations.
	Micro map[string]micro `json:"micro"`
	// HTTP is minicrm's contacts a second to those of the handler that does nothing, by connections.
	HTTP map[string]float64 `json:"http"`
}

type micro struct {
	Copies float64 `json:"copies_of_4_KiB"`
	Allocs float64 `json:"allocs"`
}

// Run compares or updates.
func (c *checkCmd) Run(ctx context.Context) error {
	now, err := c.measure(ctx)
	if err != nil {
		return err
	}
	if c.Update {
		encoded, err := json.MarshalIndent(now, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(c.Baseline, append(encoded, '\n'), 0o644)
	}
	encoded, err := os.ReadFile(c.Baseline)
	if err != nil {
		return err
	}
	var before baselines
	if err := json.Unmarshal(encoded, &before); err != nil {
		return fmt.Errorf("%s: %w", c.Baseline, err)
	}
	return compare(before, now)
}

func (c *checkCmd) measure(ctx context.Context) (baselines, error) {
	b := baselines{Micro: map[string]micro{}, HTTP: map[string]float64{}}
	for _, pkg := range slices.Sorted(maps.Keys(guarded)) {
		if err := c.measureMicro(ctx, pkg, b.Micro); err != nil {
			return b, err
		}
	}
	return b, c.measureHTTP(ctx, b.HTTP)
}

// measureMicro runs the benchmarks of a package, and the copying before and after it. One processor will do: those that
// use all would double when somebody else uses one.
func (c *checkCmd) measureMicro(ctx context.Context, pkg string, into map[string]micro) error {
	say("benchmarks of %s", pkg)
	copying := []float64{copyTime()}
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", guarded[pkg], "-benchmem", "-cpu", "1",
		"-count", strconv.Itoa(c.Count), "-benchtime", c.Benchtime.String(), pkg).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test %s: %w: %s", pkg, err, out)
	}
	copying = append(copying, copyTime())
	runs := parseBenchmarks(string(out))
	if len(runs) == 0 {
		return fmt.Errorf("go test %s ran no benchmark: %s", pkg, out)
	}
	for name, r := range runs {
		// The best of all runs: what else runs on the machine only adds to a time.
		m := micro{Copies: round(slices.Min(r.ns) / slices.Min(copying)), Allocs: median(r.allocs)}
		if pkg == "./cmd/minicrm" {
			m.Copies = 0 // its time is mostly the disk's
		}
		into[pkg+" "+name] = m
	}
	return nil
}

// copyTime is the nanoseconds of copying 4 KiB: the best of many short tries.
func copyTime() float64 {
	const tries, times = 50, 50_000
	from, to := make([]byte, 4<<10), make([]byte, 4<<10)
	best := math.Inf(1)
	for range tries {
		begin := time.Now()
		for i := range times {
			from[i%len(from)]++
			copy(to, from)
		}
		best = min(best, float64(time.Since(begin).Nanoseconds())/times)
	}
	return best
}

type benchmarkRuns struct{ ns, allocs []float64 }

// parseBenchmarks reads what go test -bench -benchmem prints.
func parseBenchmarks(output string) map[string]*benchmarkRuns {
	runs := map[string]*benchmarkRuns{}
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if dash := strings.LastIndexByte(name, '-'); dash > 0 { // the processors, which are not named when there is one
			if _, err := strconv.Atoi(name[dash+1:]); err == nil {
				name = name[:dash]
			}
		}
		if runs[name] == nil {
			runs[name] = &benchmarkRuns{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			switch {
			case err != nil:
			case fields[i+1] == "ns/op":
				runs[name].ns = append(runs[name].ns, value)
			case fields[i+1] == "allocs/op":
				runs[name].allocs = append(runs[name].allocs, value)
			}
		}
	}
	return runs
}

func (c *checkCmd) measureHTTP(ctx context.Context, into map[string]float64) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	o := w.load()
	noop, ours := w.noop().entrant("no-op handler", o), w.minicrm().entrant("minicrm, durable", o)
	if err := takeTurns(ctx, c.Rounds, noop, ours); err != nil {
		return err
	}
	into[strconv.Itoa(o.Connections)] = round(ours.best(contacts) / noop.best(contacts))
	return nil
}

// round keeps three digits.
func round(v float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64) // it was just printed
	return rounded
}

// compare prints every figure against its baseline; the error says how many are out of bounds.
func compare(before, now baselines) error {
	bad := 0
	line := func(name string, was, is float64, unit string, ok bool) {
		verdict := "ok"
		if !ok {
			verdict = "OUT OF BOUNDS"
			bad++
		}
		fmt.Printf("%-44s %10.4g -> %10.4g %-16s %s\n", name, was, is, unit, verdict)
	}
	for _, name := range slices.Sorted(maps.Keys(before.Micro)) {
		was := before.Micro[name]
		is, there := now.Micro[name]
		if was.Copies > 0 {
			line(name, was.Copies, is.Copies, "copies of 4 KiB", there && is.Copies <= was.Copies*slower)
		}
		line(name, was.Allocs, is.Allocs, "allocations", there && is.Allocs <= was.Allocs*moreAllocs+1)
	}
	for _, connections := range slices.Sorted(maps.Keys(before.HTTP)) {
		was, is := before.HTTP[connections], now.HTTP[connections]
		line("POST and close, "+connections+" connections", was, is, "of the no-op", is >= was*lessHTTP)
	}
	if bad > 0 {
		return fmt.Errorf("%d figures are out of bounds; if that is meant, update the baselines (bench check --update)", bad)
	}
	return nil
}

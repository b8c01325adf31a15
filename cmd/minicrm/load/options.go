package load

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"time"
)

// Limits of the service that a load must respect, and of the load itself.
const (
	maxBatch       = 10_000
	maxLinks       = 1_000
	maxMaxLoad     = 1_000
	maxWeight      = 1_000_000
	maxConnections = 10_000
	maxLeads       = 20_000_000
)

// Arrivals is the law by which requests arrive in open loop.
type Arrivals string

// The laws. A day squeezes 24 hours, with a quiet night and two peaks, into the measured time.
const (
	Steady  Arrivals = "steady"
	Poisson Arrivals = "poisson"
	Day     Arrivals = "day"
)

// Check says what the target's answers are held against.
type Check string

// CheckAll is for Mini-CRM. The others are for what it is compared with: CheckAnswers for a service that does the job
// with other shares, CheckShape for one that only answers in the right form.
const (
	CheckAll     Check = "all"
	CheckAnswers Check = "answers"
	CheckShape   Check = "shape"
)

// Mix is how many of the requests are of each kind, as shares of their sum.
type Mix struct {
	Posts  int
	Closes int
	Reads  int
}

// Options says what a load is. Nothing has a default here: the command line has them.
type Options struct {
	Target string // URL of the service
	Key    string // sent as a bearer token; "" = none

	Connections int
	Rate        float64 // requests a second over all connections; 0 = closed loop
	Arrivals    Arrivals
	Warmup      time.Duration // load that is not measured
	Duration    time.Duration // 0 = until Contacts
	Contacts    int64         // stop when so many were posted, warm-up included; 0 = after Duration only
	Timeout     time.Duration // of one request

	Mix   Mix
	Batch int  // contacts a post; 0 = POST /v1/contacts, otherwise POST /v1/contacts/batch
	Keys  bool // each contact has an idempotency key
	Live  int  // contacts held at once: at that many, a close comes instead of a post; 0 = as many as fill nobody

	Sources   int
	Busy      int // how many of the sources get contacts; 0 = all
	Operators int
	Links     int     // operators a source; 0 = all
	Weights   []int64 // of the operators, in turn
	MaxLoad   int

	Leads int
	Zipf  float64 // how much oftener the first leads return: the exponent, over 1
	Seed  uint64  // of all that is random

	Check    Check
	Progress func(Progress) // called now and then while the load runs; nil = nobody looks
}

// Progress is how far a run has come.
type Progress struct {
	Done    float64 // from 0 to 1
	Answers int64
}

// filled is o with what its zeros stand for.
func (o Options) filled() Options {
	if o.Busy == 0 {
		o.Busy = o.Sources
	}
	if o.Links == 0 {
		o.Links = o.Operators
	}
	if o.Live == 0 {
		o.Live = o.roomyLive()
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}

// roomyLive is how many contacts may be held for the operator with the largest share to be half full.
func (o Options) roomyLive() int {
	shares := make([]float64, o.Operators)
	for source := range o.Busy {
		var sum int64
		for op := range o.linked(source) {
			sum += o.weight(op)
		}
		for op := range o.linked(source) {
			shares[op] += float64(o.weight(op)) / float64(sum) / float64(o.Busy)
		}
	}
	return max(1, int(float64(o.MaxLoad)/2/slices.Max(shares)))
}

func (o Options) weight(operator int) int64 { return o.Weights[operator%len(o.Weights)] }

// linked lists the operators of a source: Links in a row, and each source begins a step further on the ring of all.
func (o Options) linked(source int) func(yield func(int) bool) {
	step := max(1, o.Operators/o.Sources)
	return func(yield func(int) bool) {
		for i := range o.Links {
			if !yield((source*step + i) % o.Operators) {
				return
			}
		}
	}
}

// validate says what is wrong with the options, all of it.
func (o Options) validate() error {
	var bad []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf(format, args...))
		}
	}
	between := func(what string, v, low, high int) {
		must(v >= low && v <= high, "%s must be from %d to %d, is %d", what, low, high, v)
	}
	target, err := url.Parse(o.Target)
	must(err == nil && (target.Scheme == "http" || target.Scheme == "https") && target.Host != "",
		"the target must be a URL like http://127.0.0.1:8080, is %q", o.Target)
	between("connections", o.Connections, 1, maxConnections)
	between("sources", o.Sources, 1, 1_000_000)
	between("busy", o.Busy, 0, o.Sources)
	between("operators", o.Operators, 1, 1_000_000)
	between("links", o.Links, 0, min(maxLinks, o.Operators))
	must(o.Links > 0 || o.Operators <= maxLinks, "a source can have %d operators at most: give links", maxLinks)
	between("max-load", o.MaxLoad, 1, maxMaxLoad)
	between("leads", o.Leads, 1, maxLeads)
	between("batch", o.Batch, 0, maxBatch)
	must(o.Live >= 0, "live must not be negative")
	must(len(o.Weights) > 0, "weights must not be empty")
	for _, w := range o.Weights {
		must(w >= 1 && w <= maxWeight, "a weight must be from 1 to %d, is %d", maxWeight, w)
	}
	must(o.Zipf > 1 && !math.IsInf(o.Zipf, 0), "zipf must be over 1")
	must(slices.Contains([]Check{CheckAll, CheckAnswers, CheckShape}, o.Check), "there is no check %q", o.Check)
	return errors.Join(append(bad, o.validateTimes()...)...)
}

func (o Options) validateTimes() (bad []error) {
	must := func(ok bool, text string) {
		if !ok {
			bad = append(bad, errors.New(text))
		}
	}
	m := o.Mix
	must(m.Posts > 0 && m.Closes >= 0 && m.Reads >= 0, "the mix must have posts, and no negative share")
	must(o.Rate >= 0 && !math.IsInf(o.Rate, 0), "the rate must not be negative")
	must(o.Warmup >= 0 && o.Duration >= 0 && o.Contacts >= 0, "times and counts must not be negative")
	must(o.Duration > 0 || o.Contacts > 0, "a load needs a duration or a number of contacts")
	must(o.Duration > 0 || o.Rate == 0, "an open loop needs a duration")
	must(o.Timeout > 0, "the timeout must be positive")
	must(slices.Contains([]Arrivals{Steady, Poisson, Day}, o.Arrivals), fmt.Sprintf("there are no arrivals %q", o.Arrivals))
	return bad
}

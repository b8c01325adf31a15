package load

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// Catches: customers that share an email, bodies that are not JSON, and runs that a seed does not repeat.
func TestPeople(t *testing.T) {
	p, again := newPeople(2000, 7), newPeople(2000, 7)
	emails := map[string]bool{}
	for i := range 2000 {
		var got struct{ Email, Name, Phone string }
		if err := json.Unmarshal(fmt.Appendf(nil, "{%s}", p.person(i)), &got); err != nil {
			t.Fatalf("%s: %v", p.person(i), err)
		}
		if emails[got.Email] || !strings.HasSuffix(got.Email, "@example.com") || !strings.Contains(got.Name, " ") || len(got.Phone) < 10 {
			t.Errorf("customer %d is %+v", i, got)
		}
		emails[got.Email] = true
		if string(p.person(i)) != string(again.person(i)) {
			t.Errorf("customer %d is another one with the same seed", i)
		}
	}
	for _, text := range p.texts {
		var got string
		if err := json.Unmarshal(text.quoted, &got); err != nil || got != text.plain || got == "" {
			t.Errorf("%s is not %q: %v", text.quoted, text.plain, err)
		}
	}
}

// Catches: customers of whom none returns, or one always does.
func TestReturningCustomers(t *testing.T) {
	const n, draws = 100_000, 200_000
	z := newPeople(n, 1).returning(rand.New(rand.NewPCG(1, 1)), 1.2)
	times := make([]int, n)
	for range draws {
		times[z.Uint64()]++
	}
	once, first := 0, 0
	for _, k := range times[:100] {
		first += k
	}
	for _, k := range times {
		if k == 1 {
			once++
		}
	}
	if times[0] > draws/50 || times[0] < draws/1000 || first < draws/10 || once < n/20 {
		t.Errorf("the first came %d times, the first hundred %d times, %d came once", times[0], first, once)
	}
}

// Catches: arrivals at another rate than asked for, all alike, or out of order.
func TestSchedule(t *testing.T) {
	for arrivals, want := range map[Arrivals]struct{ spread, night float64 }{
		Steady: {0, 1}, Poisson: {1, 1}, Day: {1.5, 0.15},
	} {
		o := Options{Rate: 5000, Arrivals: arrivals, Warmup: time.Second, Duration: 24 * time.Second, Seed: 3}
		s := newSchedule(o)
		var gaps, squares, night, n float64
		last := time.Duration(0)
		for at := s.next(); at < s.end(); at = s.next() {
			if at < last {
				t.Fatalf("%s: %v comes after %v", arrivals, at, last)
			}
			gap := (at - last).Seconds() * o.Rate
			last = at
			if at < o.Warmup {
				continue
			}
			gaps, squares, n = gaps+gap, squares+gap*gap, n+1
			if hour := int((at - o.Warmup).Seconds()); hour < 5 {
				night++
			}
		}
		if n < 0.97*24*o.Rate || n > 1.03*24*o.Rate {
			t.Errorf("%s: %.0f requests", arrivals, n)
		}
		spread := math.Sqrt(squares/n-gaps/n*gaps/n) / (gaps / n)
		if math.Abs(spread-want.spread) > 0.1+want.spread/2 || spread < want.spread-0.1 {
			t.Errorf("%s: the gaps' deviation is %.2f of their mean", arrivals, spread)
		}
		if share := night / (5 * o.Rate); math.Abs(share-want.night) > 0.05 {
			t.Errorf("%s: the night has %.2f of the mean", arrivals, share)
		}
	}
}

// Catches: a load that fills the operators though it was not asked to.
func TestRoomyLive(t *testing.T) {
	o := small("http://127.0.0.1:1").filled()
	// Operators 3 (weight 5), 6 and 9 are linked to two sources each of three: 5/16 of each.
	if got, want := o.Live, int(1000/2/(2.0/3*5/16)); got != want {
		t.Errorf("%d contacts may be held, want %d", got, want)
	}
	if o.Busy != 3 || o.Links != 6 {
		t.Errorf("busy %d, links %d", o.Busy, o.Links)
	}
}

// Catches: nonsense that is tried.
func TestValidate(t *testing.T) {
	good := small("http://127.0.0.1:1")
	if err := good.validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Options){
		"target":       func(o *Options) { o.Target = "localhost:80" },
		"connections":  func(o *Options) { o.Connections = 0 },
		"busy":         func(o *Options) { o.Busy = 4 },
		"links":        func(o *Options) { o.Links = 10 },
		"give links":   func(o *Options) { o.Links, o.Operators = 0, 1001 },
		"max-load":     func(o *Options) { o.MaxLoad = 1001 },
		"batch":        func(o *Options) { o.Batch = 10_001 },
		"weight":       func(o *Options) { o.Weights = []int64{1, 0} },
		"zipf":         func(o *Options) { o.Zipf = 1 },
		"mix":          func(o *Options) { o.Mix = Mix{Closes: 1} },
		"a duration":   func(o *Options) { o.Contacts = 0 },
		"open loop":    func(o *Options) { o.Rate = 1 },
		"arrivals":     func(o *Options) { o.Arrivals = "never" },
		"no check":     func(o *Options) { o.Check = "" },
		"the timeout":  func(o *Options) { o.Timeout = 0 },
		"must not be ": func(o *Options) { o.Rate = math.Inf(1) },
	} {
		o := good
		change(&o)
		if err := o.validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// Catches: contacts that the queue loses or mixes up when it grows or wraps.
func TestQueue(t *testing.T) {
	var q queue
	next, first := int64(0), int64(0)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		if q.len() == 0 || rng.IntN(100) < 52 {
			q.push(held{id: next})
			next++
		} else if got := q.pop(); got.id != first {
			t.Fatalf("got %d, want %d", got.id, first)
		} else {
			first++
		}
		if q.len() != int(next-first) {
			t.Fatalf("%d are in it, want %d", q.len(), next-first)
		}
	}
	if q.at(q.len()-1).id != next-1 {
		t.Errorf("the last is %d, want %d", q.at(q.len()-1).id, next-1)
	}
}

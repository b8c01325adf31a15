package load

import (
	"math/rand/v2"
	"time"
)

// hours is how busy each hour of a day is; the mean is 1.
var hours = [24]float64{
	0.25, 0.15, 0.10, 0.10, 0.15, 0.30, 0.60, 1.00, 1.50, 1.90, 2.00, 1.85,
	1.50, 1.45, 1.60, 1.70, 1.60, 1.40, 1.25, 1.15, 1.00, 0.75, 0.45, 0.25,
}

// schedule says when each request is meant to be sent, counted from the start.
type schedule struct {
	rate             float64 // a second
	arrivals         Arrivals
	warmup, duration time.Duration
	rng              *rand.Rand
	at               float64 // seconds
	sent             float64
}

func newSchedule(o Options) *schedule {
	return &schedule{rate: o.Rate, arrivals: o.Arrivals, warmup: o.Warmup, duration: o.Duration, rng: rand.New(rand.NewPCG(o.Seed, 0))}
}

// next is the time of the next request.
func (s *schedule) next() time.Duration {
	at := s.now()
	switch s.arrivals {
	case Poisson:
		s.at += s.rng.ExpFloat64() / s.rate
	case Day:
		s.at += s.rng.ExpFloat64() / (s.rate * hours[s.hour()])
	default:
		s.sent++
		s.at = s.sent / s.rate // no sum: its rounding would add up
	}
	return at
}

func (s *schedule) now() time.Duration { return time.Duration(s.at * float64(time.Second)) }

// hour is the hour of the day that the measured time stands for; the warm-up belongs to the first.
func (s *schedule) hour() int {
	hour := int(24 * float64(s.now()-s.warmup) / float64(s.duration))
	return min(max(hour, 0), 23)
}

// end is when the last request is meant to have been sent.
func (s *schedule) end() time.Duration { return s.warmup + s.duration }

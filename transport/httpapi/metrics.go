package httpapi

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"minicrm/domain"
)

// other is the label of what a client made up: labels must be few.
const other = "other"

// metrics is what the edge tells Prometheus.
type metrics struct {
	duration *prometheus.HistogramVec
	refused  map[domain.Code]prometheus.Counter

	// What was looked up once need not be again: a reader takes the map as it is, a writer makes another.
	series atomic.Pointer[map[seriesKey]*series]
	adding sync.Mutex
}

// seriesKey names the series of a call: one of a few methods, a route's template and a status.
type seriesKey struct {
	method, route string
	status        int
}

// limits are the words for the limits that refuse, by the codes with which they do.
var limits = map[domain.Code]string{
	codeOverloaded:         "in_flight",
	codeRateLimited:        "rate",
	codeDiskLow:            "disk",
	codeTooLarge:           "body",
	domain.CodeBacklogFull: "backlog",
}

func newMetrics(r prometheus.Registerer, inFlight, longBodies func() float64) *metrics {
	factory := promauto.With(r)
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "minicrm_http_in_flight_requests",
		Help: "Commands that hold one of the in-flight places now.",
	}, inFlight)
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "minicrm_http_long_bodies_bytes",
		Help: "Bytes of long bodies that are held now; past 256 MiB they are refused with in_flight.",
	}, longBodies)
	m := &metrics{
		duration: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "minicrm_http_request_duration_seconds",
			Help: "Time from the routed request to its answer, by route template and status (499: the client went away).",
			// An in-memory read takes tens of microseconds, a command an fsync, a stuck disk seconds.
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},

			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"method", "route", "status"}),
		refused: map[domain.Code]prometheus.Counter{},
	}
	m.series.Store(&map[seriesKey]*series{})
	refused := factory.NewCounterVec(prometheus.CounterOpts{
		Name: "minicrm_http_refused_total",
		Help: "Requests refused by a limit: in_flight (503), rate (429), disk (507), body (413) or backlog (503: the source lets no more wait).",
	}, []string{"limit"})
	for code, limit := range limits {
		m.refused[code] = refused.WithLabelValues(limit)
	}
	return m
}

// refuse counts a refusal, if it is one of a limit.
func (m *metrics) refuse(code domain.Code) {
	if c := m.refused[code]; c != nil {
		c.Inc()
	}
}

// observe times a call.
func (m *metrics) observe(k seriesKey, request string, start time.Time, took time.Duration) {
	s := (*m.series.Load())[k]
	if s == nil {
		s = m.add(k)
	}
	s.observe(request, start, took)
}

func (m *metrics) add(k seriesKey) *series {
	m.adding.Lock()
	defer m.adding.Unlock()
	all := maps.Clone(*m.series.Load())
	if all[k] == nil {
		o := m.duration.WithLabelValues(k.method, k.route, strconv.Itoa(k.status))
		all[k] = &series{Observer: o, exemplars: o.(prometheus.ExemplarObserver)}
		m.series.Store(&all)
	}
	return all[k]
}

const (
	// exemplarEvery is how often an observation also says which request it was, since that costs allocations.
	exemplarEvery = time.Second
	// slow is from when on a request is looked for among others that are slow: they must not go under among the fast.
	slow = 50 * time.Millisecond
)

// series is one series of the calls' histogram.
type series struct {
	prometheus.Observer
	exemplars prometheus.ExemplarObserver
	due       [2]atomic.Int64 // of the next exemplar, of the fast and of the slow, in nanoseconds since 1970
}

func (s *series) observe(request string, start time.Time, took time.Duration) {
	due := &s.due[0]
	if took >= slow {
		due = &s.due[1]
	}
	now, when := start.UnixNano(), due.Load()
	if now < when || !due.CompareAndSwap(when, now+int64(exemplarEvery)) {
		s.Observe(took.Seconds())
		return
	}
	s.exemplars.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"request_id": request})
}

func routeLabel(template string) string {
	if template == "" {
		return other
	}
	return template
}

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return method
	}
	return other
}

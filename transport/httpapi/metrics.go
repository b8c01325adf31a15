package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"minicrm/domain"
)

// other is the label of what a client made up: labels must be few.
const other = "other"

// metrics is what the edge tells Prometheus.
type metrics struct {
	duration *prometheus.HistogramVec
	refused  prometheus.Counter
}

func newMetrics(r prometheus.Registerer, inFlight func() float64) *metrics {
	factory := promauto.With(r)
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "minicrm_http_in_flight_requests",
		Help: "Commands that hold one of the in-flight places now.",
	}, inFlight)
	return &metrics{
		duration: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "minicrm_http_request_duration_seconds",
			Help: "Time from the routed request to its answer, by route template and status (499: the client went away).",
			// An in-memory read takes tens of microseconds, a command an fsync, a stuck disk seconds.
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method", "route", "status"}),
		refused: factory.NewCounter(prometheus.CounterOpts{
			Name: "minicrm_http_refused_total",
			Help: "Commands refused with 503 because all in-flight places were taken.",
		}),
	}
}

// observe is the one middleware: it gives every call its id, keeps out who may not call, times it, turns a panic into a
// 500, and logs it.
func (a *api) observe(c *gin.Context) {
	start := time.Now()
	b := begin(c)
	defer func() {
		if p := recover(); p != nil {
			a.rescue(c, p)
		}
		took := time.Since(start)
		a.metrics.duration.
			WithLabelValues(methodLabel(c.Request.Method), routeLabel(c.FullPath()), strconv.Itoa(c.Writer.Status())).
			Observe(took.Seconds())
		a.logCall(c, b, took)
	}()
	if a.admit(c, b) {
		c.Next()
	}
}

// admit lets a call through, or answers it.
func (a *api) admit(c *gin.Context, b *call) bool {
	secure(c)
	if a.cors(c) {
		c.Abort()
		return false
	}
	err := a.authorize(c, b)
	if a.rates != nil && needs(c.Request.Method, c.FullPath()) != anybody {
		// Also of what was refused: who guesses at keys is counted by address.
		if slow := a.rates.take(c, b.key, time.Now()); slow != nil {
			err = slow
		}
	}
	if err != nil {
		a.refuse(c, err)
		c.Abort()
	}
	return err == nil
}

// rescue answers for a handler that panicked.
func (a *api) rescue(c *gin.Context, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // not a bug: net/http's way to cut a connection
	}
	a.logFailure(c, "panic in a handler", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	if c.Writer.Written() {
		panic(http.ErrAbortHandler) // part of an answer is out: cut the connection, so that it cannot pass for a whole one
	}
	a.sendProblem(c, domain.Refuse(codeInternal, internalDetail))
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

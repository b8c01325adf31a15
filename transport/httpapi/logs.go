package httpapi

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// maxLinesPerSecond is how many lines of one level the edge logs in a second: a flood of refusals must not become a
// flood of lines.
const maxLinesPerSecond = 20

// sampler lets the first lines of each second through and counts the rest.
type sampler struct {
	mu      sync.Mutex
	second  int64
	lines   int
	dropped int
}

// take says whether a line may be written, and how many were left out since the last one.
func (s *sampler) take(now time.Time) (dropped int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if second := now.Unix(); second != s.second {
		s.second, s.lines = second, 0
	}
	if s.lines == maxLinesPerSecond {
		s.dropped++
		return 0, false
	}
	s.lines++
	dropped, s.dropped = s.dropped, 0
	return dropped, true
}

// logCall writes the line of a request: at debug when all went as it should, also when a client was told what it did
// wrong; at warn, sampled, when somebody was kept out or the service could not take the call. A 500 was logged with its
// cause already, so its line is at debug.
//
// No line has anything that people wrote: no path, no query, no body, but the route's template.
func (a *api) logCall(c *gin.Context, b *call, took time.Duration) {
	level := levelOf(c)
	if !a.log.Enabled(b, level) {
		return
	}
	attrs := append(describeCall(c, b), slog.Int("status", c.Writer.Status()), slog.Duration("took", took))
	if level == slog.LevelWarn {
		dropped, ok := a.warnings.take(time.Now())
		if !ok {
			return
		}
		attrs = append(attrs, slog.String("client", c.Request.RemoteAddr), slog.Int("unlogged", dropped))
	}
	a.log.LogAttrs(b, level, "request", attrs...)
}

func levelOf(c *gin.Context) slog.Level {
	if needs(c.Request.Method, c.FullPath()) == anybody {
		return slog.LevelDebug // a probe that asks every second whether we are ready yet
	}
	switch c.Writer.Status() {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInsufficientStorage:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// logFailure says why a call was answered with a 500, sampled.
func (a *api) logFailure(c *gin.Context, message string, why ...slog.Attr) {
	dropped, ok := a.failures.take(time.Now())
	if !ok {
		return
	}
	attrs := append(describeCall(c, callOf(c.Request.Context())), why...)
	a.log.LogAttrs(c.Request.Context(), slog.LevelError, message, append(attrs, slog.Int("unlogged", dropped))...)
}

func describeCall(c *gin.Context, b *call) []slog.Attr {
	attrs := make([]slog.Attr, 0, 10)
	if b != nil {
		attrs = append(attrs, slog.String("request", b.id[0]))
		if b.key != nil {
			attrs = append(attrs, slog.String("caller", b.key.Name))
		}
	}
	return append(attrs, slog.String("method", methodLabel(c.Request.Method)), slog.String("route", routeLabel(c.FullPath())))
}

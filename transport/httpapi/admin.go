package httpapi

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/gin-gonic/gin"

	"minicrm/domain"
)

// NewAdmin is the handler of the admin listener: probes and metrics, which are open there, and the log level and profiles,
// which need a key where keys are in use.
func NewAdmin(o Options) http.Handler {
	o.Registerer, o.Guard.RatePerSecond, o.Guard.CORSOrigins = nil, 0, nil
	o.Guard.NoProbes = false
	a := newAPI(o)
	a.open = "/metrics"
	e := a.engine()
	a.probes(e, o.Metrics)
	if o.LogLevel != nil {
		get(e, "/log-level", func(c *gin.Context) { c.String(http.StatusOK, levelName(o.LogLevel.Level())) })
		e.PUT("/log-level", func(c *gin.Context) { a.setLogLevel(c, o.LogLevel) })
	}
	profiles := gin.WrapH(newProfiles())
	e.GET("/debug/pprof/*profile", profiles)
	e.POST("/debug/pprof/*profile", profiles) // go tool pprof looks symbols up by it
	return e
}

// setLogLevel takes the level as plain text: debug, info, warn or error.
func (a *api) setLogLevel(c *gin.Context, level *slog.LevelVar) {
	const longest = 16
	text, err := io.ReadAll(io.LimitReader(c.Request.Body, longest))
	var wanted slog.Level
	if err != nil || wanted.UnmarshalText([]byte(strings.TrimSpace(string(text)))) != nil {
		a.refuse(c, domain.Refuse(codeMalformed, "the body must be debug, info, warn or error"))
		return
	}
	level.Set(wanted)
	attrs := append(describeCall(c, callOf(c.Request.Context())), slog.String("level", levelName(wanted)))
	a.log.LogAttrs(c.Request.Context(), slog.LevelWarn, "the log level was changed", attrs...)
	c.Status(http.StatusNoContent)
}

func levelName(l slog.Level) string { return strings.ToLower(l.String()) }

// newProfiles is net/http/pprof without the default mux, which this program serves nowhere.
func newProfiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

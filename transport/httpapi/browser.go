package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// What browsers are told. The values are shared by all answers and never changed.
var (
	noSniff    = []string{"nosniff"}
	noStore    = []string{"no-store"}
	noReferrer = []string{"no-referrer"}
	noFrames   = []string{"DENY"}
	ownOnly    = []string{"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"}
	httpsOnly  = []string{"max-age=31536000"}
	byOrigin   = []string{"Origin"}
)

// Headers of CORS for the origins that may call.
const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	corsHeaders = "Authorization, Content-Type, Idempotency-Key, Traceparent, X-Request-Id"
	corsExposed = "Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
	corsMaxAge  = "600" // seconds
)

// secure sets the headers that keep browsers from harm. The API's answers are data: nothing may keep or guess at them.
// Everything else counts as a page; a page that needs more than its own origin sets a policy of its own.
func secure(c *gin.Context) {
	h := c.Writer.Header()
	h["X-Content-Type-Options"] = noSniff
	if c.Request.TLS != nil {
		h["Strict-Transport-Security"] = httpsOnly
	}
	if strings.HasPrefix(c.FullPath(), "/v1/") {
		h["Cache-Control"] = noStore
		return
	}
	h["Content-Security-Policy"] = ownOnly
	h["Referrer-Policy"] = noReferrer
	h["X-Frame-Options"] = noFrames
}

// strangersPage says whether a browser sends this for a page of another origin that was not named, to change something.
// Without CORS a page cannot read answers, but a browser sends what looks like a form all the same, and a body without a
// type, or none, looks like one. Where keys are in use this needs no check: no browser adds a key by itself.
func (a *api) strangersPage(r *http.Request) bool {
	return a.crossOrigin.Check(r) != nil && !slices.Contains(a.origins, r.Header.Get("Origin"))
}

// cors lets pages of the named origins read answers; without any it does nothing, and browsers keep all pages out. It
// says whether the request was only a browser's question beforehand, which has been answered then.
func (a *api) cors(c *gin.Context) (answered bool) {
	if len(a.origins) == 0 {
		return false
	}
	h := c.Writer.Header()
	h["Vary"] = byOrigin
	origin := c.Request.Header.Get("Origin")
	if !slices.Contains(a.origins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if c.Request.Method != http.MethodOptions || c.Request.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", corsExposed)
		return false
	}
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	c.Status(http.StatusNoContent)
	return true
}

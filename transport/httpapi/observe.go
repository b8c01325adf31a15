package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"minicrm/domain"
)

// observe is the one middleware: it gives every call its id, keeps out who may not call, times it, traces it,
// turns a panic into a 500, and logs it.
func (a *api) observe(c *gin.Context) {
	start := time.Now()
	b := a.begin(c)
	defer func() {
		if p := recover(); p != nil {
			a.rescue(c, p)
		}
		took := time.Since(start)
		a.metrics.observe(seriesKey{methodLabel(c.Request.Method), routeLabel(c.FullPath()), c.Writer.Status()}, b.id[0], start, took)
		a.logCall(c, b, took)
		endSpan(c, b)
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

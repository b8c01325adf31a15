package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"minicrm/domain"
)

// Codes of the edge itself, beside the domain's.
const (
	codeMalformed        domain.Code = "malformed"              // not JSON, or not the members that the call knows
	codeNotFound         domain.Code = "not_found"              // no such route
	codeMethodNotAllowed domain.Code = "method_not_allowed"     // no such method on this route
	codeTooLarge         domain.Code = "too_large"              // the body is over maxBody
	codeUnsupportedMedia domain.Code = "unsupported_media_type" // the body is not said to be JSON
	codeOverloaded       domain.Code = "overloaded"             // all in-flight places are taken
	codeUnauthorized     domain.Code = "unauthorized"           // no key, or none that is known
	codeForbidden        domain.Code = "forbidden"              // the key is not for this
	codeRateLimited      domain.Code = "rate_limited"           // the client's requests of this second are used up
	codeDiskLow          domain.Code = "disk_low"               // too little room to take commands
	codeInternal         domain.Code = "internal"               // our fault
)

const (
	problemsPage   = "/docs/problems#"
	internalDetail = "the server failed; its log says why"
	retryAfter     = "1" // seconds
	// statusClientGone is nginx's status for a client that left before its answer: nobody reads it but the metrics.
	statusClientGone = 499
)

// refuse answers with what went wrong. What is no refusal is logged here, once, and not shown.
func (a *api) refuse(c *gin.Context, err error) {
	refusal, expected := refusalIn(err)
	switch {
	case expected:
		a.sendProblem(c, refusal)
	case errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil:
		c.Status(statusClientGone)
	default:
		a.logFailure(c, "a call failed", slog.Any("error", err))
		a.sendProblem(c, domain.Refuse(codeInternal, internalDetail))
	}
}

// refusalIn finds the refusal in an error; false = the error is none, or has a code that nobody knows.
func refusalIn(err error) (*domain.Error, bool) {
	refusal, ok := errors.AsType[*domain.Error](err)
	if ok {
		_, ok = kinds[refusal.Code]
	}
	return refusal, ok
}

func (a *api) sendProblem(c *gin.Context, e *domain.Error) {
	a.metrics.refuse(e.Code)
	p := problemOf(e)
	switch p.Status {
	case http.StatusServiceUnavailable:
		c.Header("Retry-After", retryAfter)
	case http.StatusUnauthorized:
		c.Header("WWW-Authenticate", challenge)
	}
	a.write(c, p.Status, contentProblem, p)
}

func problemOf(e *domain.Error) *Problem {
	k := kinds[e.Code]
	p := &Problem{
		Type:    problemsPage + string(e.Code),
		Title:   k.title,
		Status:  k.status,
		Code:    e.Code,
		Detail:  e.Message,
		LeadID:  ID(e.Lead),
		Archive: e.Archive,
	}
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, FieldError(f))
	}
	return p
}

// shown cuts a client's own text to what an answer may repeat.
func shown(text string) string {
	count := 0
	for i := range text {
		if count == maxShown {
			return text[:i] + "…"
		}
		count++
	}
	return text
}

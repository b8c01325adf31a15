package httpapi

import (
	"bytes"
	"net/http"
	"sync"

	"github.com/gin-gonic/gin"

	"minicrm/domain"
)

// NewStarting is the handler while the state is being recovered: the process is alive, it is not ready, and everything
// else is to be tried again later. ready says how far the recovery has come.
func NewStarting(ready func() error, metrics http.Handler) http.Handler {
	a := &api{ready: ready, buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	e := newEngine()
	a.probes(e, metrics)
	e.NoRoute(func(c *gin.Context) {
		a.refuse(c, domain.Refuse(domain.CodeUnavailable, "starting: %v", ready()))
	})
	return e
}

package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"minicrm/domain"
)

// NewStarting is the handler while the state is being recovered: the process is alive, it is not ready, and everything
// else is to be tried again later, by those who have a key. Options.Ready says how far the recovery has come, and
// Options.Dispatcher is not needed.
func NewStarting(o Options) http.Handler {
	o.Registerer = nil // the ready handler's metrics have the same names
	a := newAPI(o)
	e := newEngine()
	e.Use(a.observe)
	a.probes(e, o.Metrics)
	a.docs(e)
	e.NoRoute(func(c *gin.Context) {
		a.refuse(c, domain.Refuse(domain.CodeUnavailable, "starting: %v", a.ready()))
	})
	return e
}

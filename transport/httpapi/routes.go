package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"minicrm/domain"
)

// routes is the whole HTTP surface. Who may call what is in roles.go.
func (a *api) routes(metrics http.Handler) http.Handler {
	e := a.engine()
	a.probes(e, metrics)
	a.docs(e)

	v1 := e.Group("/v1")
	v1.POST("/operators", a.command(a.createOperator))
	get(v1, "/operators", a.read(a.listOperators))
	get(v1, "/operators/:id", a.read(a.getOperator))
	v1.PATCH("/operators/:id", a.command(a.changeOperator))
	v1.DELETE("/operators/:id", a.command(a.deleteOperator))
	v1.POST("/operators/:id/release-all", a.command(a.releaseAll))

	v1.POST("/sources", a.command(a.createSource))
	get(v1, "/sources", a.read(a.listSources))
	get(v1, "/sources/:id", a.read(a.getSource))
	v1.PATCH("/sources/:id", a.command(a.changeSource))
	v1.DELETE("/sources/:id", a.command(a.deleteSource))
	get(v1, "/sources/:id/shares", a.read(a.shares))
	v1.POST("/sources/:id/preview", a.question(a.preview))

	get(v1, "/sources/:id/operators", a.read(a.listLinks))
	v1.PUT("/sources/:id/operators/:operator_id", a.command(a.setLink))
	v1.DELETE("/sources/:id/operators/:operator_id", a.command(a.removeLink))

	v1.POST("/leads", a.command(a.createLead))
	get(v1, "/leads", a.read(a.listLeads))
	get(v1, "/leads/:id", a.read(a.getLead))
	v1.PATCH("/leads/:id", a.command(a.changeLead))
	v1.DELETE("/leads/:id", a.command(a.eraseLead))
	get(v1, "/leads/:id/contacts", a.read(a.leadContacts))

	v1.POST("/contacts", a.command(a.createContact))
	v1.POST("/contacts/batch", a.createContacts)
	get(v1, "/contacts", a.read(a.listContacts))
	get(v1, "/contacts/:id", a.read(a.getContact))
	v1.PATCH("/contacts/:id", a.command(a.changeContact))
	get(v1, "/contacts/:id/history", a.read(a.history))
	get(v1, "/contacts/:id/decision", a.read(a.decision))
	v1.POST("/contacts/:id/assign", a.command(a.assignContact))
	v1.POST("/contacts/:id/release", a.command(a.releaseContact))
	v1.POST("/contacts/:id/close", a.command(a.closeContact))
	v1.POST("/contacts/:id/reopen", a.command(a.reopenContact))

	v1.POST("/snapshots", a.command(a.takeSnapshot))

	if a.rocketChat != nil { // GET only: to ask decides
		e.GET("/integrations/rocketchat/next", a.command(a.nextForRocketChat))
	}
	return e
}

// engine refuses everything, until routes are added.
func (a *api) engine() *gin.Engine {
	e := newEngine()
	e.HandleMethodNotAllowed = true
	e.Use(a.observe)
	e.NoRoute(a.always(codeNotFound, "there is no such path; the API is under /v1"))
	e.NoMethod(a.always(codeMethodNotAllowed, "the path does not know this method; the Allow header has those that it knows"))
	return e
}

func newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode) // a global of Gin's; before New, which prints in its debug mode
	e := gin.New()
	e.RedirectTrailingSlash = false // a client's typo is a 404, not a second request
	return e
}

// probes are for whoever watches the process. They can be on the admin listener instead.
func (a *api) probes(e *gin.Engine, metrics http.Handler) {
	if a.noProbes {
		return
	}
	get(e, "/healthz", healthz)
	get(e, "/readyz", a.readyz)
	if metrics != nil {
		get(e, "/metrics", gin.WrapH(metrics))
	}
}

// get serves GET and HEAD, which RFC 9110 wants together; net/http leaves the body out.
func get(r gin.IRoutes, path string, h gin.HandlerFunc) {
	r.GET(path, h)
	r.HEAD(path, h)
}

func (a *api) always(code domain.Code, detail string) gin.HandlerFunc {
	return func(c *gin.Context) { a.refuse(c, domain.Refuse(code, "%s", detail)) }
}

func healthz(c *gin.Context) { c.String(http.StatusOK, "ok") }

func (a *api) readyz(c *gin.Context) {
	if err := a.ready(); err != nil {
		a.refuse(c, domain.Refuse(domain.CodeUnavailable, "not ready: %v", err))
		return
	}
	c.String(http.StatusOK, "ok")
}

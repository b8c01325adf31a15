package httpapi

import (
	"net/http"
	"strings"
)

// Role is what a key may do: the set of routes that it opens.
type Role uint8

// The roles. Every route takes admin, so that the table below need not say it.
const (
	RoleGateway Role = 1 << iota // posts contacts of its sources, reads and closes them
	RoleViewer                   // reads everything
	RoleAdmin                    // everything

	anybody Role = 0x80 // no key is asked for
)

// Routes of one kind.
const (
	views    = RoleViewer
	gateways = RoleGateway
	both     = RoleGateway | RoleViewer
	admins   = RoleAdmin
)

// route is a method and a path template as the engine knows it. HEAD is GET's.
type route struct{ method, path string }

// access says who else than admin may call a route. One that is not here is for admins only; a test wants every route to
// be here all the same, so that somebody thought of it.
var access = map[route]Role{
	{"GET", "/healthz"}: anybody,
	{"GET", "/readyz"}:  anybody,
	{"GET", "/metrics"}: views,

	{"GET", "/openapi.yaml"}:   anybody,
	{"GET", "/openapi.json"}:   anybody,
	{"GET", "/docs"}:           anybody,
	{"GET", "/docs/problems"}:  anybody,
	{"GET", "/docs/style.css"}: anybody,

	{"POST", "/v1/operators"}:                 admins,
	{"GET", "/v1/operators"}:                  views,
	{"GET", "/v1/operators/:id"}:              views,
	{"PATCH", "/v1/operators/:id"}:            admins,
	{"DELETE", "/v1/operators/:id"}:           admins,
	{"POST", "/v1/operators/:id/release-all"}: admins,

	{"POST", "/v1/sources"}:             admins,
	{"GET", "/v1/sources"}:              views,
	{"GET", "/v1/sources/:id"}:          views,
	{"PATCH", "/v1/sources/:id"}:        admins,
	{"DELETE", "/v1/sources/:id"}:       admins,
	{"GET", "/v1/sources/:id/shares"}:   views,
	{"POST", "/v1/sources/:id/preview"}: views,

	{"GET", "/v1/sources/:id/operators"}:                 views,
	{"PUT", "/v1/sources/:id/operators/:operator_id"}:    admins,
	{"DELETE", "/v1/sources/:id/operators/:operator_id"}: admins,

	{"POST", "/v1/leads"}:             admins,
	{"GET", "/v1/leads"}:              views,
	{"GET", "/v1/leads/:id"}:          views,
	{"PATCH", "/v1/leads/:id"}:        admins,
	{"DELETE", "/v1/leads/:id"}:       admins,
	{"GET", "/v1/leads/:id/contacts"}: views,

	// Gateways see and change their own sources' contacts only: contacts.go.
	{"POST", "/v1/contacts"}:             gateways,
	{"GET", "/v1/contacts"}:              both,
	{"GET", "/v1/contacts/:id"}:          both,
	{"PATCH", "/v1/contacts/:id"}:        admins,
	{"POST", "/v1/contacts/batch"}:       gateways,
	{"GET", "/v1/contacts/:id/history"}:  both,
	{"GET", "/v1/contacts/:id/decision"}: both,
	{"POST", "/v1/contacts/:id/assign"}:  admins,
	{"POST", "/v1/contacts/:id/release"}: admins,
	{"POST", "/v1/contacts/:id/reopen"}:  admins,
	{"POST", "/v1/contacts/:id/close"}:   gateways,

	{"POST", "/v1/snapshots"}: admins,

	// Rocket.Chat has a secret of its own.
	{"GET", "/integrations/rocketchat/next"}: anybody,

	// On the admin listener only.
	{"GET", "/log-level"}:             views,
	{"PUT", "/log-level"}:             admins,
	{"GET", "/debug/pprof/*profile"}:  admins, // a heap has personal data in it
	{"POST", "/debug/pprof/*profile"}: admins,
}

// needs is who may call a route; every key may ask for what does not exist.
func needs(method, path string) Role {
	if path == "" {
		return RoleGateway | RoleViewer | RoleAdmin
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	who := access[route{method, path}]
	if who == anybody {
		return who
	}
	return who | RoleAdmin
}

// roleNames are what the keys file calls them.
var roleNames = map[string]Role{"gateway": RoleGateway, "viewer": RoleViewer, "admin": RoleAdmin}

// String is the role's name; of a set, all their names.
func (r Role) String() string {
	var names []string
	for _, name := range []string{"admin", "gateway", "viewer"} {
		if r&roleNames[name] != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

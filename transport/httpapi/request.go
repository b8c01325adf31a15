package httpapi

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"minicrm/domain"
)

// request is one call as a handler reads it. What is wrong with its path, body and query is gathered in bad, so that a
// client is told all of it at once; check ends the reading.
type request struct {
	c     *gin.Context
	body  []byte
	query url.Values // what no one has asked for yet
	bad   []domain.FieldError
}

// handler reads a request, has it done, and says what to answer. It never writes.
type handler func(r *request) (answer, error)

// read serves a call that changes nothing.
func (a *api) read(h handler) gin.HandlerFunc {
	return func(c *gin.Context) { a.serve(c, nil, h) }
}

// command serves a call that changes something. It takes its place only when its body is here: clients that are slow
// to send must not keep out those that are not.
func (a *api) command(h handler) gin.HandlerFunc {
	return a.withBody(func(c *gin.Context, body []byte) {
		if err := a.enter(1); err != nil {
			a.refuse(c, err)
			return
		}
		defer a.places.leave(1)
		a.serve(c, body, h)
	})
}

// enter takes the places of a command, or says why it has to stay out.
func (a *api) enter(places int64) error {
	if a.diskLow() {
		return domain.Refuse(codeDiskLow, "nothing was done; commands are taken again as soon as there is room")
	}
	if !a.places.take(places) {
		return domain.Refuse(codeOverloaded, "of the %d places for commands in flight too few are free; nothing was done, try again", a.places.limit)
	}
	return nil
}

// question serves a call that has a body and changes nothing.
func (a *api) question(h handler) gin.HandlerFunc {
	return a.withBody(func(c *gin.Context, body []byte) { a.serve(c, body, h) })
}

// withBody reads the body before anything else is done. It is not to be kept.
func (a *api) withBody(then func(c *gin.Context, body []byte)) gin.HandlerFunc {
	return func(c *gin.Context) {
		body := a.buffer()
		defer a.giveBack(body)
		var long *longBody
		if !isShort(c.Request.ContentLength) {
			long = &longBody{room: &a.bodies}
			defer long.letGo()
		}
		if err := readBody(c.Request, body, long); err != nil {
			a.refuse(c, err)
			return
		}
		then(c, body.Bytes())
	}
}

// stamp says when a command came, and from whom.
func (a *api) stamp(r *request) domain.Stamp {
	by := ""
	if key := caller(r.c.Request); key != nil {
		by = key.Name
	}
	return domain.Stamp{At: a.clock.Now(), By: by, Request: RequestID(r.c.Request.Context())}
}

func (a *api) serve(c *gin.Context, body []byte, h handler) {
	r := &request{c: c, body: body}
	if text := c.Request.URL.RawQuery; text != "" {
		query, err := url.ParseQuery(text)
		if err != nil {
			a.refuse(c, domain.Refuse(codeMalformed, "the query string is malformed"))
			return
		}
		r.query = query
	}
	ans, err := h(r)
	if err != nil {
		a.refuse(c, err)
		return
	}
	a.send(c, ans)
}

// context is what a command runs under. It does not end when the client goes away: the command is on its way by then and
// keeps its place until it is answered, or clients that give up and try again would fill the mailboxes past the limit.
func (r *request) context() context.Context { return context.WithoutCancel(r.c.Request.Context()) }

// noted says whether something is wrong with a field already.
func (r *request) noted(field string) bool {
	return slices.ContainsFunc(r.bad, func(b domain.FieldError) bool { return b.Field == field })
}

func (r *request) note(field, message string) {
	r.bad = append(r.bad, domain.FieldError{Field: field, Message: message})
}

// check is the end of reading: nil when nothing is wrong. invalid is what the domain says of the values; of a field
// that could not even be read it knows only the zero value, so there the first finding stands.
func (r *request) check(invalid error) error {
	refusal, ok := errors.AsType[*domain.Error](invalid)
	if invalid != nil && !ok {
		return invalid
	}
	if ok {
		known := len(r.bad)
		for _, f := range refusal.Fields {
			if !slices.ContainsFunc(r.bad[:known], func(b domain.FieldError) bool { return b.Field == f.Field }) {
				r.bad = append(r.bad, f)
			}
		}
	}
	r.refuseRest()
	if len(r.bad) == 0 {
		return nil
	}
	return &domain.Error{Code: domain.CodeInvalid, Message: "the request has bad values", Fields: r.bad}
}

// pathID reads an id from the path. One that cannot be an id is a bad value rather than a 404: the client has a bug,
// while a 404 would tell it that the thing is gone.
func (r *request) pathID(name string) int64 {
	id, ok := parseID(r.c.Param(name))
	if !ok {
		r.note(name, notAnID)
	}
	return id
}

// onlyID reads a call that has nothing but the id in its path.
func onlyID[ID ~int64](r *request) (ID, error) {
	if err := r.decodeNothing(); err != nil {
		return 0, err
	}
	id := ID(r.pathID("id"))
	return id, r.check(nil)
}

const notAnID = "must be an integer from 1"

// parseID reads an id in the one way in which we write it: no sign, no leading zero.
func parseID(text string) (int64, bool) {
	if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "0") {
		return 0, false
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, false
	}
	return id, true
}

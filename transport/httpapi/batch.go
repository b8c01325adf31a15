package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"minicrm/domain"
)

// Many contacts in one request. Each is a command of its own with a result of its own, in order; only what makes the
// request unreadable, or too large, refuses them all. batch_read.go takes the request apart, contact_read.go one contact.

// createContacts reads the contacts as they come, so that a batch that is too large is refused before it is all here.
// It takes its places behind that, and gives them back before the answer, which may be long and its reader slow.
func (a *api) createContacts(c *gin.Context) {
	b := a.batches.Get().(*batch)
	defer a.putBack(b)
	if err := b.read(c.Request, &a.bodies); err != nil {
		a.refuse(c, err)
		return
	}
	a.serve(c, nil, func(r *request) (answer, error) {
		if _, given := c.Request.Header[headerKey]; given {
			r.note(headerKey, "is for one contact; in a batch each has an idempotency_key of its own")
		}
		if len(b.refusals) == 0 {
			r.note("body", "must have a contact")
		}
		if err := r.check(nil); err != nil {
			return answer{}, err
		}
		r.traceBatch(len(b.refusals))
		b.refuse(r.allow)
		results, err := a.createBatch(r.context(), b, a.stamp(r))
		if err != nil {
			return answer{}, err
		}
		return answer{status: http.StatusOK, body: a.batchAnswer(c, b, results)}, nil
	})
}

// createBatch dispatches the contacts that can be read.
func (a *api) createBatch(ctx context.Context, b *batch, by domain.Stamp) ([]domain.CreatedContact, error) {
	if len(b.contacts) == 0 {
		return nil, nil
	}
	places := a.places.batch(len(b.contacts))
	if err := a.enter(places); err != nil {
		return nil, err
	}
	defer a.places.leave(places)
	return a.dispatcher.CreateContacts(ctx, b.contacts, by)
}

// refuse takes the contacts out whose source the caller's key is not for.
func (b *batch) refuse(allow func(domain.SourceID) error) {
	kept := b.contacts[:0]
	next := 0
	for i, refusal := range b.refusals {
		if refusal != nil {
			continue
		}
		n := b.contacts[next]
		next++
		if b.refusals[i] = allow(n.Source); b.refusals[i] == nil {
			kept = append(kept, n)
		}
	}
	b.contacts = kept
}

func (a *api) putBack(b *batch) {
	b.forget()
	a.batches.Put(b)
}

// batchAnswer shows the results in the order of the items: those that were read badly, and between them the others.
func (a *api) batchAnswer(c *gin.Context, b *batch, results []domain.CreatedContact) stream {
	item, result := -1, 0
	return func(buf []byte) ([]byte, bool) {
		item++
		switch {
		case item == len(b.refusals):
			return append(buf, `]}`...), false
		case item == 0:
			buf = append(buf, `{"items":[`...)
		default:
			buf = append(buf, ',')
		}
		if err := b.refusals[item]; err != nil {
			return a.appendProblem(c, buf, err), true
		}
		result++
		return a.appendResult(c, buf, &results[result-1]), true
	}
}

func (a *api) appendResult(c *gin.Context, buf []byte, r *domain.CreatedContact) []byte {
	switch {
	case r.Err != nil:
		return a.appendProblem(c, buf, r.Err)
	case r.Replayed:
		buf = append(buf, `{"status":200,"replayed":true,"contact":`...)
	default:
		buf = append(buf, `{"status":201,"contact":`...)
	}
	view := viewContact(r.Contact)
	return append(view.append(buf), '}')
}

// appendProblem shows what refuse would, for one of many.
func (a *api) appendProblem(c *gin.Context, buf []byte, err error) []byte {
	refusal, expected := refusalIn(err)
	if !expected {
		a.logFailure(c, "a contact of a batch failed", slog.Any("error", err))
		refusal = domain.Refuse(codeInternal, internalDetail)
	}
	p := problemOf(refusal)
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // it is ours and always encodes
	}
	buf = append(buf, `{"status":`...)
	buf = strconv.AppendInt(buf, int64(p.Status), 10)
	buf = append(buf, `,"problem":`...)
	return append(append(buf, text...), '}')
}

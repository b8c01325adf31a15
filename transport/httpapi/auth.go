package httpapi

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"minicrm/domain"
)

// maxToken is the longest text that is looked at as a key, in bytes.
const maxToken = 256

// challenge goes with every 401.
const challenge = `Bearer realm="minicrm"`

// authorize finds out who calls, and whether they may call this route. Without a keyring everybody may do everything, but
// for pages of others in a browser that happens to be where we can be reached.
func (a *api) authorize(c *gin.Context, b *call) error {
	need := needs(c.Request.Method, c.FullPath())
	switch {
	case need == anybody || a.open != "" && a.open == c.FullPath():
		return nil
	case a.keys == nil && a.strangersPage(c.Request):
		return domain.Refuse(codeForbidden, "without keys, a page may change something only if its origin is one of --cors-origin")
	case a.keys == nil:
		return nil
	}
	key, err := a.keys.authenticate(c.Request.Header, time.Now())
	if err != nil {
		return err
	}
	b.key = key
	if key.Role&need == 0 {
		return domain.Refuse(codeForbidden, "this call is for keys with the role %s; yours has %s", need, key.Role)
	}
	return nil
}

// authenticate finds the key that a request shows.
func (r *Keyring) authenticate(h http.Header, now time.Time) (*Key, error) {
	given := h["Authorization"]
	if len(given) == 0 {
		return nil, domain.Refuse(codeUnauthorized, "send your key in the header Authorization: Bearer KEY")
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if len(given) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return nil, domain.Refuse(codeUnauthorized, "the header Authorization must be given once and be: Bearer KEY")
	}
	var room [maxToken]byte
	key := r.now.Load().find(sha256.Sum256(append(room[:0], token...)))
	switch {
	case key == nil:
		return nil, domain.Refuse(codeUnauthorized, "the key is not known here")
	case !key.Expires.IsZero() && !now.Before(key.Expires):
		return nil, domain.Refuse(codeUnauthorized, "the key has expired")
	}
	return key, nil
}

// allow refuses a command on a source that the caller's key is not for.
func (r *request) allow(source domain.SourceID) error {
	if caller(r.c.Request).serves(source) {
		return nil
	}
	return domain.Refuse(codeForbidden, "your key is not for source %d", source)
}

// allowFilter refuses a list over other sources than those that the caller's key is for.
func (r *request) allowFilter(source domain.SourceID) error {
	if source == 0 && caller(r.c.Request).restricted() {
		return domain.Refuse(codeForbidden, "your key is for some sources only; name one with source_id")
	}
	return r.allow(source)
}

// visible is the contact with this id as the caller may see it. For a key with sources, what is not in one of them does
// not exist; that goes for archived contacts too, whose source is not in memory.
func (a *api) visible(r *request, id domain.ContactID) (contact domain.Contact, err error) {
	key := caller(r.c.Request)
	a.dispatcher.View(func(c *domain.Catalog) {
		contact, err = c.FindContact(id)
		if key.restricted() && (err != nil || !key.serves(contact.Source)) {
			err = domain.NoContact(id)
		}
	})
	return contact, err
}

package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"minicrm/domain"
)

// readBody reads a command's body, empty or JSON by its header, into buf. One that counts is read through long; nil = it does not.
func readBody(req *http.Request, buf *bytes.Buffer, long *longBody) error {
	if media, err := mediaType(req); err != nil || media != mediaJSON {
		return domain.Refuse(codeUnsupportedMedia, "Content-Type must be application/json or absent")
	}
	if req.ContentLength > maxBody {
		return tooLarge()
	}
	body := io.Reader(req.Body)
	if req.ContentLength < 0 { // unknown
		body = io.LimitReader(body, maxBody+1)
	}
	if long != nil {
		long.from = body
		body = long
	}
	_, err := buf.ReadFrom(body)
	switch {
	case err != nil:
		return brokenOff(err)
	case buf.Len() > maxBody:
		return tooLarge()
	}
	return nil
}

const mediaJSON = "application/json"

// mediaType is what a body is said to be: JSON when nothing is said.
func mediaType(req *http.Request) (string, error) {
	given := req.Header.Get("Content-Type")
	if given == "" || given == mediaJSON {
		return mediaJSON, nil
	}
	media, _, err := mime.ParseMediaType(given)
	return media, err
}

func tooLarge() error {
	return domain.Refuse(codeTooLarge, "the body must have at most %d bytes", maxBody)
}

// decode reads the body into a struct of members. An error says that the body is not JSON, or not of the call's shape;
// values of a wrong type are found later, by required, optional and patched.
func (r *request) decode(into any) error {
	if err := checkDepth(r.body); err != nil {
		return err
	}
	if kind := jsontext.Value(r.body).Kind(); kind != jsontext.KindBeginObject && jsontext.Value(r.body).IsValid() {
		r.note("body", "must be an object, not "+kindName(kind))
		return r.check(nil)
	}
	if err := json.Unmarshal(r.body, into, json.RejectUnknownMembers(true)); err != nil {
		return malformed(err)
	}
	return nil
}

// decodeIfGiven is decode for calls that can do without a body.
func (r *request) decodeIfGiven(into any) error {
	if len(bytes.TrimSpace(r.body)) == 0 {
		return nil
	}
	return r.decode(into)
}

// decodeNothing is for calls that need no body: none or an empty object will do.
func (r *request) decodeNothing() error { return r.decodeIfGiven(&Nothing{}) }

func malformed(err error) error {
	if e, ok := errors.AsType[*json.SemanticError](err); ok && errors.Is(err, json.ErrUnknownName) {
		return domain.Refuse(codeMalformed, "the call has no field %q", shown(e.JSONPointer.LastToken()))
	}
	e, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return domain.Refuse(codeMalformed, "the body is not JSON")
	case errors.Is(e.Err, jsontext.ErrDuplicateName):
		return domain.Refuse(codeMalformed, "the field %q is there more than once", shown(dotted(e.JSONPointer)))
	}
	return domain.Refuse(codeMalformed, "the body is not one JSON value: byte %d: %s", e.ByteOffset, shown(e.Err.Error()))
}

// dotted is a place in a body as people write it.
func dotted(p jsontext.Pointer) string { return strings.Join(slices.Collect(p.Tokens()), ".") }

// scalar is what members of requests are.
type scalar interface{ string | int | int64 | bool }

// member is one member of a body's object. A value of a wrong type does not end the decoding, it is noted; null is one,
// since no field of a request can be null.
type member[T scalar] struct {
	value T
	given bool
	wrong *string // what is wrong with the value's type; nil = nothing
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (m *member[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	m.given = true
	want := jsontext.KindString
	switch any(m.value).(type) {
	case int, int64:
		want = jsontext.KindNumber
	case bool:
		want = jsontext.KindTrue
	}
	if got := d.PeekKind(); got != want && (want != jsontext.KindTrue || got != jsontext.KindFalse) {
		m.wrong = new("must be " + kindName(want) + ", not " + kindName(got))
		return d.SkipValue()
	}
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	switch v := any(&m.value).(type) {
	case *string:
		*v = token.String()
	case *bool:
		*v = token.Bool()
	case *int:
		var value int64
		value, m.wrong = parseInteger(token.String(), strconv.IntSize)
		*v = int(value)
	case *int64:
		*v, m.wrong = parseInteger(token.String(), 64)
	}
	return nil
}

func parseInteger(number string, bits int) (value int64, wrong *string) {
	value, err := strconv.ParseInt(number, 10, bits)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, new("is out of range")
	case err != nil:
		return 0, new("must be an integer")
	}
	return value, nil
}

func kindName(k jsontext.Kind) string {
	switch k {
	case jsontext.KindString:
		return "a string"
	case jsontext.KindNumber:
		return "a number"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "a boolean"
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "an array"
	default:
		return k.String()
	}
}

// required is the value of a member that must be there.
func required[T scalar](r *request, field string, m member[T]) T {
	if !m.given {
		r.note(field, "is required")
	}
	return optional(r, field, m, m.value)
}

// optional is the value of a member, or what it is when the member is not there.
func optional[T scalar](r *request, field string, m member[T], otherwise T) T {
	switch {
	case m.wrong != nil:
		r.note(field, *m.wrong)
	case !m.given:
		return otherwise
	}
	return m.value
}

// patched is the value of a member, nil when the member is not there.
func patched[T scalar](r *request, field string, m member[T]) *T {
	if !m.given {
		return nil
	}
	value := optional(r, field, m, m.value)
	return &value
}

// requiredID is required for an id.
func requiredID(r *request, field string, m member[int64]) int64 {
	id := required(r, field, m)
	if m.given && m.wrong == nil && id < 1 {
		r.note(field, notAnID)
	}
	return id
}

// requiredEmail is required for an email, and normalises it.
func requiredEmail(r *request, field string, m member[string]) string {
	raw := required(r, field, m)
	if !m.given || m.wrong != nil {
		return ""
	}
	email, wrong := normalizeEmail(raw)
	if wrong != "" {
		r.note(field, wrong)
	}
	return email
}

package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"minicrm/domain"
)

// answer is what a handler has to say when nothing went wrong.
type answer struct {
	status   int
	location string // of what was created; "" = nothing
	replayed bool   // an earlier request had done it
	body     any    // a pointer to a type of the contract, or a stream; nil = no body
}

func ok[V any](view V) (answer, error) { return answer{status: http.StatusOK, body: &view}, nil }

func created[I ~int64, V any](path string, id I, view V) (answer, error) {
	return answer{status: http.StatusCreated, location: path + strconv.FormatInt(int64(id), 10), body: &view}, nil
}

func (a *api) send(c *gin.Context, ans answer) {
	if ans.location != "" {
		c.Header("Location", ans.location)
	}
	if ans.replayed {
		c.Header(headerReplayed, "true")
	}
	if ans.body == nil {
		c.Status(ans.status)
		return
	}
	if s, streamed := ans.body.(stream); streamed {
		a.writeStream(c, ans.status, s)
		return
	}
	a.write(c, ans.status, contentJSON, ans.body)
}

// Values of the header Content-Type. They are shared by all answers and never changed.
var (
	contentJSON    = []string{mediaJSON}
	contentProblem = []string{"application/problem+json"}
)

// selfMeasured is the size up to which net/http finds the length of an answer by itself, and says it.
const selfMeasured = 2048

// write encodes a body whole before the first byte leaves, so that a failure can still become a 500.
func (a *api) write(c *gin.Context, status int, contentType []string, body any) {
	buf := a.buffer()
	defer a.giveBack(buf)
	// A problem may repeat what a client sent, so invalid UTF-8 is replaced rather than refused.
	if c, byHand := body.(*Contact); byHand {
		buf.Write(c.append(buf.AvailableBuffer()))
	} else if err := json.MarshalWrite(buf, body, jsontext.AllowInvalidUTF8(true)); err != nil {
		panic(fmt.Errorf("encode %T: %w", body, err)) // views are ours and always encode
	}
	header := c.Writer.Header()
	header["Content-Type"] = contentType
	if buf.Len() > selfMeasured || c.Request.Method == http.MethodHead {
		header.Set("Content-Length", strconv.Itoa(buf.Len()))
	}
	c.Writer.WriteHeader(status)
	_, _ = c.Writer.Write(buf.Bytes()) // it fails when the client is gone: there is nobody to tell
}

// stream is a body that may be too long to be encoded whole: it appends its next piece, and is false behind its end.
type stream func(b []byte) ([]byte, bool)

// writeStream writes a body as it is encoded. A client that gets half of it can tell: the last chunk is missing.
func (a *api) writeStream(c *gin.Context, status int, next stream) {
	buf := a.buffer()
	defer a.giveBack(buf)
	buf.Grow(maxPooled)
	c.Writer.Header()["Content-Type"] = contentJSON
	c.Writer.WriteHeader(status)
	for b, more := next(buf.AvailableBuffer()); ; b, more = next(b) {
		if more && len(b) < streamPiece {
			continue
		}
		if _, err := c.Writer.Write(b); err != nil || !more { // it fails when the client is gone: there is nobody to tell
			return
		}
		b = b[:0]
	}
}

func (a *api) buffer() *bytes.Buffer { return a.buffers.Get().(*bytes.Buffer) }

func (a *api) giveBack(buf *bytes.Buffer) {
	if buf.Cap() > maxPooled {
		return
	}
	buf.Reset()
	a.buffers.Put(buf)
}

// each shows all items of a list; one without any is [], never null.
func each[E, V any](items []E, view func(E) V) []V {
	views := make([]V, len(items))
	for i := range items {
		views[i] = view(items[i])
	}
	return views
}

// cursor is the domain's, as the API shows it; 0 = no more yet.
func cursor(next uint64) nullable[Next] {
	if next == 0 {
		return nullable[Next]{}
	}
	return nullable[Next]{strconv.FormatUint(next, 10), true}
}

// moment is a time as the API shows it: RFC 3339 in UTC, with as many digits as it has, microseconds at most.
type moment domain.Time

// AppendText implements encoding.TextAppender.
func (m moment) AppendText(b []byte) ([]byte, error) {
	return time.UnixMicro(int64(m)).UTC().AppendFormat(b, time.RFC3339Nano), nil
}

// nullable is a member of an answer that can be null. It is no pointer: a contact has five, and they shall cost no memory.
type nullable[T any] struct {
	value T
	known bool // false = null
}

// MarshalJSONTo implements json.MarshalerTo.
func (n *nullable[T]) MarshalJSONTo(e *jsontext.Encoder) error {
	if !n.known {
		return e.WriteToken(jsontext.Null)
	}
	return json.MarshalEncode(e, &n.value)
}

// orNull makes a zero a null.
func orNull[T comparable](v T) nullable[T] {
	var zero T
	return nullable[T]{v, v != zero}
}

package httpapi

import (
	"io"

	"minicrm/domain"
)

// longBody reads a body and counts what has come of it among the bytes of all long bodies, which are bounded: else a few
// hundred clients that send a body each, but for its last byte, hold all memory. What is only announced does not count, or
// clients that send nothing could keep out the others; nor do short bodies, so ordinary contacts get in beside a flood.
type longBody struct {
	from io.Reader
	room *places // in bytes
	held int64
}

// isShort says whether a body that announces so many bytes does not count; one that announces nothing (-1) does.
func isShort(announced int64) bool { return announced >= 0 && announced <= shortBody }

// Read implements io.Reader. Its error is a refusal when there is no room.
func (l *longBody) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	if !l.room.take(int64(n)) {
		return 0, domain.Refuse(codeOverloaded, "the long bodies that others send take all room; nothing was done, try again")
	}
	l.held += int64(n)
	return n, err
}

// letGo is for when the body is not needed any more.
func (l *longBody) letGo() {
	if l.held > 0 {
		l.room.leave(l.held)
	}
	*l = longBody{}
}

// brokenOff is what to say of an error of reading a body.
func brokenOff(err error) error {
	if refusal, ok := refusalIn(err); ok {
		return refusal
	}
	return domain.Refuse(codeMalformed, "the body ends before it is whole")
}

package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"minicrm/domain"
)

// batch is a request with many contacts, as it is read. It is used again for later ones, so that reading needs no memory
// but for the texts of the contacts.
type batch struct {
	refusals []error             // one for each item: what is wrong with it, nil = it is the next of contacts
	contacts []domain.NewContact // those that can be dispatched

	held  longBody
	body  limited
	array *jsontext.Decoder
	lines *bufio.Reader
	long  []byte // a line that does not fit into the reader
	item  contactReader
}

const lineBuffer = 16 << 10 // longer than nearly all contacts

func newBatch() *batch {
	return &batch{array: new(jsontext.Decoder), lines: bufio.NewReaderSize(nil, lineBuffer)}
}

// forget lets go of what clients sent.
func (b *batch) forget() {
	clear(b.refusals)
	clear(b.contacts)
	b.refusals, b.contacts = b.refusals[:0], b.contacts[:0]
	b.held.letGo()
	b.body = limited{}
	b.lines.Reset(nil)
	if cap(b.long) > maxPooled {
		b.long = nil
	}
	b.item.forget()
}

// read reads the items; the body counts in room until they are forgotten. An error refuses them all.
func (b *batch) read(req *http.Request, room *places) error {
	if req.ContentLength > maxBatchBody {
		return batchTooLarge()
	}
	b.held = longBody{from: req.Body, room: room}
	b.body = limited{from: &b.held, left: maxBatchBody}
	switch media, err := mediaType(req); {
	case err == nil && media == mediaJSON:
		return b.readArray()
	case err == nil && media == "application/x-ndjson":
		return b.readLines()
	}
	return domain.Refuse(codeUnsupportedMedia, "Content-Type must be application/json, application/x-ndjson or absent")
}

func batchTooLarge() error {
	return domain.Refuse(codeTooLarge, "a batch must have at most %d contacts and %d bytes", maxBatch, maxBatchBody)
}

// readArray reads an array. What is no JSON refuses them all: nobody knows where the next item begins.
func (b *batch) readArray() error {
	// Bad UTF-8 and a name that is there twice are for the item to be refused for.
	b.array.Reset(&b.body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	kind := b.array.PeekKind()
	if _, err := b.array.ReadToken(); err != nil {
		return b.unreadable(err)
	}
	if kind != jsontext.KindBeginArray {
		return (&request{bad: []domain.FieldError{{Field: "body", Message: "must be an array, not " + kindName(kind)}}}).check(nil)
	}
	for b.array.PeekKind() != jsontext.KindEndArray {
		value, err := b.array.ReadValue()
		if err != nil {
			return b.unreadable(err)
		}
		if err := b.add(value); err != nil {
			return err
		}
	}
	if _, err := b.array.ReadToken(); err != nil {
		return b.unreadable(err)
	}
	if _, err := b.array.ReadToken(); !errors.Is(err, io.EOF) {
		return b.unreadable(err)
	}
	return nil
}

// unreadable says why no more items can be read.
func (b *batch) unreadable(err error) error {
	switch {
	case b.body.err != nil:
		return b.body.err
	case err == nil:
		return domain.Refuse(codeMalformed, "the body is not one JSON value: something follows the array")
	}
	return malformed(err)
}

// readLines reads one item a line.
func (b *batch) readLines() error {
	b.lines.Reset(&b.body)
	for {
		line, tooLong, err := b.line()
		if b.body.err != nil {
			return b.body.err
		}
		if tooLong {
			line = nil
		}
		if tooLong || len(bytes.TrimSpace(line)) > 0 {
			if err := b.addLine(line, tooLong); err != nil {
				return err
			}
		}
		if err != nil { // the end
			return nil
		}
	}
}

// line reads a line, without keeping one that cannot be a contact. An error says that it is the last.
func (b *batch) line() (line []byte, tooLong bool, err error) {
	line, err = b.lines.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, false, err
	}
	b.long = append(b.long[:0], line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = b.lines.ReadSlice('\n')
		if tooLong = tooLong || len(b.long)+len(line) > maxBody; !tooLong {
			b.long = append(b.long, line...)
		}
	}
	return b.long, tooLong, err
}

func (b *batch) addLine(line []byte, tooLong bool) error {
	if tooLong {
		return b.place(nil, tooLarge())
	}
	return b.add(line)
}

// add reads an item.
func (b *batch) add(value []byte) error {
	if len(value) > maxBody {
		return b.place(nil, tooLarge())
	}
	n, err := b.item.readItem(value)
	return b.place(n, err)
}

// place keeps an item.
func (b *batch) place(n *domain.NewContact, err error) error {
	if len(b.refusals) == maxBatch {
		return batchTooLarge()
	}
	b.refusals = append(b.refusals, err)
	if err == nil {
		b.contacts = append(b.contacts, *n)
	}
	return nil
}

// limited reads so many bytes and no more, and keeps what went wrong: whoever reads from it wraps that.
type limited struct {
	from io.Reader
	left int
	err  error // a refusal; nil = nothing went wrong
}

func (l *limited) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.from.Read(p[:min(len(p), l.left+1)])
	if l.left -= n; l.left < 0 {
		l.err = batchTooLarge()
		return 0, l.err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = brokenOff(err)
		err = l.err
	}
	return n, err
}

package httpapi

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"minicrm/domain"
)

// contactReader reads new contacts. They are most of what comes in, up to 10,000 in a batch, so there are two ways: a
// quick one for what is as it should be, and for everything else the way of all bodies, which says what is wrong.
type contactReader struct {
	contact domain.NewContact
	text    []byte // a string without its escapes
}

func (i *contactReader) forget() {
	i.contact = domain.NewContact{}
	if cap(i.text) > maxPooled {
		i.text = nil
	}
}

// readSingle reads the contact of a call of its own.
func (r *request) readSingle() (n domain.NewContact, err error) {
	var reader contactReader
	if reader.quick(r.body, singleMembers) {
		reader.contact.Key = r.key()
		return reader.contact, r.check(nil)
	}
	var body NewContact
	if err := r.decode(&body); err != nil {
		return n, err
	}
	n = r.newContact(&body)
	n.Key = r.key()
	return n, r.check(n.Validate())
}

// newContact reads the members of a new contact.
func (r *request) newContact(body *NewContact) domain.NewContact {
	return domain.NewContact{
		Source:   domain.SourceID(requiredID(r, "source_id", body.SourceID)),
		Email:    requiredEmail(r, "email", body.Email),
		Name:     optional(r, "name", body.Name, ""),
		Phone:    optional(r, "phone", body.Phone, ""),
		Text:     optional(r, "text", body.Text, ""),
		Priority: optional(r, "priority", body.Priority, 0),
	}
}

// readItem reads a contact of a batch; it is good until the next one is read.
func (i *contactReader) readItem(value []byte) (*domain.NewContact, error) {
	if i.quick(value, itemMembers) {
		return &i.contact, nil
	}
	n, err := carefulItem(value)
	if err != nil {
		return nil, err
	}
	i.contact = n
	return &i.contact, nil
}

func carefulItem(value []byte) (domain.NewContact, error) {
	r := &request{body: value}
	var body NewBatchContact
	if err := r.decode(&body); err != nil {
		return domain.NewContact{}, err
	}
	n := r.newContact(&NewContact{
		SourceID: body.SourceID, Email: body.Email, Name: body.Name, Phone: body.Phone, Text: body.Text, Priority: body.Priority,
	})
	if key := optional(r, "idempotency_key", body.IdempotencyKey, ""); body.IdempotencyKey.given && body.IdempotencyKey.wrong == nil {
		n.Key = r.checkedKey("idempotency_key", key)
	}
	return n, r.check(n.Validate())
}

// The members of a contact.
const (
	gotSource = 1 << iota
	gotEmail
	gotName
	gotPhone
	gotText
	gotPriority
	gotKey // of an item; a single contact has its key in a header

	singleMembers = gotKey - 1
	itemMembers   = singleMembers | gotKey
)

// quick reads an object of these members, each there once at most and of its type, with good values. It is false for
// everything else, and then says nothing: what it accepts, the careful way reads the same.
func (i *contactReader) quick(value []byte, members int) bool {
	i.contact = domain.NewContact{}
	if !utf8.Valid(value) {
		return false
	}
	s := scanner{rest: value}
	if !s.skip('{') {
		return false
	}
	got := 0
	for {
		name, plain := s.name()
		if !plain || !i.member(&s, name, &got) {
			return false
		}
		if s.skip(',') {
			continue
		}
		if !s.skip('}') || !s.end() {
			return false
		}
		break
	}
	n := &i.contact
	if got&^members != 0 || got&gotSource == 0 || got&gotEmail == 0 || n.Source < 1 || got&gotKey != 0 && n.Key == "" {
		return false
	}
	email, wrong := normalizeEmail(n.Email)
	n.Email = email
	return wrong == "" && n.Validate() == nil
}

// member reads a member's value; false when it has another type, or was there before.
func (i *contactReader) member(s *scanner, name []byte, got *int) (ok bool) {
	n, bit, number := &i.contact, 0, int64(0)
	switch string(name) {
	case "source_id":
		bit = gotSource
		number, ok = s.integer()
		n.Source = domain.SourceID(number)
	case "email":
		bit = gotEmail
		n.Email, ok = i.string(s)
	case "name":
		bit = gotName
		n.Name, ok = i.string(s)
	case "phone":
		bit = gotPhone
		n.Phone, ok = i.string(s)
	case "text":
		bit = gotText
		n.Text, ok = i.string(s)
	case "priority":
		bit = gotPriority
		number, ok = s.integer()
		n.Priority = int(number)
	case "idempotency_key":
		bit = gotKey
		n.Key, ok = i.string(s)
	}
	ok = ok && *got&bit == 0
	*got |= bit
	return ok
}

// string reads a string.
func (i *contactReader) string(s *scanner) (string, bool) {
	quoted, plain, ok := s.quoted()
	if !ok {
		return "", false
	}
	if plain {
		return string(quoted[1 : len(quoted)-1]), true
	}
	var err error
	i.text, err = jsontext.AppendUnquote(i.text[:0], quoted)
	return string(i.text), err == nil
}

// scanner takes tokens from the front of a JSON text. It may take what is no JSON for none, never the other way round.
type scanner struct{ rest []byte }

func (s *scanner) space() {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\t' || s.rest[0] == '\n' || s.rest[0] == '\r') {
		s.rest = s.rest[1:]
	}
}

// skip takes one character, if it is next.
func (s *scanner) skip(c byte) bool {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) end() bool {
	s.space()
	return len(s.rest) == 0
}

// name takes a member's name and the colon; false when it has escapes.
func (s *scanner) name() (name []byte, ok bool) {
	quoted, plain, ok := s.quoted()
	if !ok || !plain || !s.skip(':') {
		return nil, false
	}
	return quoted[1 : len(quoted)-1], true
}

// quoted takes a string; plain when it has no escapes.
func (s *scanner) quoted() (quoted []byte, plain, ok bool) {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != '"' {
		return nil, false, false
	}
	plain = true
	for end := 1; end < len(s.rest); end++ {
		switch c := s.rest[end]; {
		case c == '"':
			quoted, s.rest = s.rest[:end+1], s.rest[end+1:]
			return quoted, plain, true
		case c == '\\':
			plain = false
			end++
		case c < ' ':
			return nil, false, false
		}
	}
	return nil, false, false
}

const maxDigits = 18 // more may not fit into an int64

// integer takes a number without sign, fraction and exponent.
func (s *scanner) integer() (n int64, ok bool) {
	s.space()
	digits := 0
	for digits < len(s.rest) && s.rest[digits]-'0' <= 9 {
		n = n*10 + int64(s.rest[digits]-'0')
		if digits++; digits > maxDigits {
			return 0, false
		}
	}
	if digits == 0 || digits > 1 && s.rest[0] == '0' {
		return 0, false
	}
	s.rest = s.rest[digits:]
	return n, len(s.rest) > 0 && bytes.IndexByte([]byte(".eE"), s.rest[0]) < 0
}

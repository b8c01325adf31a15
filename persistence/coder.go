package persistence

import (
	"encoding/binary"
	"fmt"
	"reflect"

	"google.golang.org/protobuf/encoding/protowire"
)

// coder walks through the fields of a message, writing or reading. The walk is the same for both, so a message is
// described once, in codec.go, and what is written is what is read:
//
//	func linkRemoved(c *coder, e *domain.LinkRemoved) {
//		integer(c, 1, &e.Source)
//		integer(c, 2, &e.Operator)
//	}
//
// Writing gives the bytes that protobuf's generated code gives; a test compares them. Reading takes them back, and is
// stricter than protobuf: a walk meets its fields in the order of their numbers, so what is left over at its end is
// unknown, a repeat or out of order. That is refused, since a reader that skips what it does not know rebuilds a wrong
// state. And since no start could read it, writing what reading refuses is a bug, and panics.
type coder struct {
	buf     []byte // writing: what was written so far; reading: what is read
	reading bool
	at, end int   // reading: where the next field is, and where the message ends
	err     error // reading: the first thing that was wrong; after it, nothing more is read
}

// integer is a number; zero is not written.
func integer[T ~int | ~int64 | ~uint32 | ~uint64](c *coder, field protowire.Number, v *T) {
	if !c.reading {
		c.writeVarint(field, uint64(*v))
		return
	}
	x := c.readVarint(field)
	if *v = T(x); uint64(*v) != x {
		c.fail(field, "%d is out of range", x)
	}
}

// zigzag is a number that is often negative and small; zero is not written.
func zigzag(c *coder, field protowire.Number, v *int64) {
	if !c.reading {
		c.writeVarint(field, protowire.EncodeZigZag(*v))
		return
	}
	*v = protowire.DecodeZigZag(c.readVarint(field))
}

// enum is a small number from 0 to last; zero is not written.
func enum[T ~uint8](c *coder, field protowire.Number, v *T, last T) {
	if !c.reading {
		if *v > last {
			panic(fmt.Sprintf("the journal has no %T %d", *v, *v))
		}
		c.writeVarint(field, uint64(*v))
		return
	}
	if x := c.readVarint(field); x <= uint64(last) {
		*v = T(x)
	} else {
		c.fail(field, "there is no %T %d", *v, x)
	}
}

// boolean is a truth value; false is not written.
func boolean(c *coder, field protowire.Number, v *bool) {
	if !c.reading {
		c.writeVarint(field, protowire.EncodeBool(*v))
		return
	}
	*v = c.readVarint(field) != 0
}

// text is a string; "" is not written.
func text(c *coder, field protowire.Number, v *string) {
	if !c.reading {
		if *v != "" {
			c.writeText(field, *v)
		}
		return
	}
	if b, present := c.readBytes(field); present {
		*v = string(b)
	}
}

// optional is a string that may be absent; "" is written.
func optional(c *coder, field protowire.Number, v **string) {
	if !c.reading {
		if *v != nil {
			c.writeText(field, **v)
		}
		return
	}
	if b, present := c.readBytes(field); present {
		s := string(b)
		*v = &s
	}
}

// digest is 16 bytes; nothing but zeros is not written.
func digest(c *coder, field protowire.Number, v *[16]byte) {
	if !c.reading {
		if *v != [16]byte{} {
			c.writeTag(field, protowire.BytesType)
			c.buf = protowire.AppendBytes(c.buf, v[:])
		}
		return
	}
	switch b, present := c.readBytes(field); {
	case !present:
	case len(b) != len(v) || [16]byte(b) == [16]byte{}:
		c.fail(field, "%x is no digest", b)
	default:
		copy(v[:], b)
	}
}

// fixed is a number of 8 bytes, whatever it is; zero is not written.
func fixed(c *coder, field protowire.Number, v *uint64) {
	if !c.reading {
		if *v != 0 {
			c.writeTag(field, protowire.Fixed64Type)
			c.buf = protowire.AppendFixed64(c.buf, *v)
		}
		return
	}
	if !c.enter(field, protowire.Fixed64Type) {
		return
	}
	x, n := protowire.ConsumeFixed64(c.buf[c.at:c.end])
	if n < 0 {
		c.fail(field, "%w", protowire.ParseError(n))
		return
	}
	*v = x
	c.at += n
}

// words is a packed list of fixed64; an empty one is not written.
func words[T ~[]uint64](c *coder, field protowire.Number, v *T) {
	if !c.reading {
		if len(*v) == 0 {
			return
		}
		c.writeTag(field, protowire.BytesType)
		c.buf = protowire.AppendVarint(c.buf, uint64(8*len(*v)))
		for _, word := range *v {
			c.buf = protowire.AppendFixed64(c.buf, word)
		}
		return
	}
	b, _ := c.readBytes(field)
	if len(b)%8 != 0 {
		c.fail(field, "%d bytes are no words of 8", len(b))
		return
	}
	for ; len(b) > 0; b = b[8:] {
		*v = append(*v, binary.LittleEndian.Uint64(b))
	}
}

// integers is a packed list of numbers; an empty one is not written.
func integers[T ~int64](c *coder, field protowire.Number, v *[]T) {
	if !c.reading {
		if len(*v) == 0 {
			return
		}
		c.writeTag(field, protowire.BytesType)
		c.buf = append(c.buf, 0) // its length: one byte for now
		start := len(c.buf)
		for _, n := range *v {
			c.buf = protowire.AppendVarint(c.buf, uint64(n))
		}
		c.writeLength(start)
		return
	}
	b, _ := c.readBytes(field)
	for len(b) > 0 {
		n, size := protowire.ConsumeVarint(b)
		if size < 0 {
			c.fail(field, "%w", protowire.ParseError(size))
			return
		}
		*v = append(*v, T(n))
		b = b[size:]
	}
}

// message is a message within the message; walk is the walk through it.
func message[M any](c *coder, field protowire.Number, v *M, walk func(*coder, *M)) {
	if !c.reading {
		c.writeTag(field, protowire.BytesType)
		c.buf = append(c.buf, 0) // its length: one byte for now
		start := len(c.buf)
		walk(c, v)
		c.writeLength(start)
		return
	}
	inner, present := c.readBytes(field)
	if !present {
		return
	}
	after, end := c.at, c.end
	c.at, c.end = after-len(inner), after
	walk(c, v)
	c.finish()
	c.at, c.end = after, end
	if c.err != nil {
		c.err = fmt.Errorf("%v: %w", reflect.TypeFor[M](), c.err)
	}
}

// repeated is a list of messages.
func repeated[M any](c *coder, field protowire.Number, list *[]M, walk func(*coder, *M)) {
	if !c.reading {
		for i := range *list {
			message(c, field, &(*list)[i], walk)
		}
		return
	}
	for c.peek() == field {
		var empty M
		*list = append(*list, empty)
		message(c, field, &(*list)[len(*list)-1], walk)
	}
}

func (c *coder) writeTag(field protowire.Number, typ protowire.Type) {
	c.buf = protowire.AppendTag(c.buf, field, typ)
}

func (c *coder) writeVarint(field protowire.Number, v uint64) {
	if v != 0 {
		c.writeTag(field, protowire.VarintType)
		c.buf = protowire.AppendVarint(c.buf, v)
	}
}

func (c *coder) writeText(field protowire.Number, v string) {
	c.writeTag(field, protowire.BytesType)
	c.buf = protowire.AppendString(c.buf, v)
}

// writeLength puts the length of what was written since start into the byte before it. A length of 128 or more needs
// further bytes, and moves it: cheaper than measuring each message before it is written.
func (c *coder) writeLength(start int) {
	n := uint64(len(c.buf) - start)
	if more := protowire.SizeVarint(n) - 1; more > 0 {
		c.buf = append(c.buf, make([]byte, more)...)
		copy(c.buf[start+more:], c.buf[start:])
	}
	binary.PutUvarint(c.buf[start-1:], n)
}

// peek is the number of the next field; 0 when nothing is left of the message, or something was wrong.
func (c *coder) peek() protowire.Number {
	field, _, _ := c.tag()
	return field
}

// tag reads the next field's tag, and says after how many bytes the field begins. It does not move on.
func (c *coder) tag() (field protowire.Number, typ protowire.Type, size int) {
	if c.at == c.end || c.err != nil {
		return 0, 0, 0
	}
	field, typ, size = protowire.ConsumeTag(c.buf[c.at:c.end])
	if size < 0 {
		c.fail(0, "%w", protowire.ParseError(size))
		return 0, 0, 0
	}
	return field, typ, size
}

// enter moves on to the value of the next field, if that is the field of this number.
func (c *coder) enter(want protowire.Number, wantType protowire.Type) bool {
	field, typ, size := c.tag()
	if field != want {
		return false
	}
	if typ != wantType {
		c.fail(field, "its wire type is %d instead of %d", typ, wantType)
		return false
	}
	c.at += size
	return true
}

func (c *coder) readVarint(field protowire.Number) uint64 {
	if !c.enter(field, protowire.VarintType) {
		return 0
	}
	v, n := protowire.ConsumeVarint(c.buf[c.at:c.end])
	if n < 0 {
		c.fail(field, "%w", protowire.ParseError(n))
		return 0
	}
	c.at += n
	return v
}

func (c *coder) readBytes(field protowire.Number) (b []byte, present bool) {
	if !c.enter(field, protowire.BytesType) {
		return nil, false
	}
	b, n := protowire.ConsumeBytes(c.buf[c.at:c.end])
	if n < 0 {
		c.fail(field, "%w", protowire.ParseError(n))
		return nil, false
	}
	c.at += n
	return b, true
}

// finish ends the reading of a message: nothing may be left of it.
func (c *coder) finish() {
	if field := c.peek(); field != 0 {
		c.fail(field, "it is unknown here (from a newer program?), a repeat or out of order")
	}
}

func (c *coder) fail(field protowire.Number, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("field %d: "+format, append([]any{field}, args...)...)
	}
}

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"minicrm/domain"
	"minicrm/persistence"
	"minicrm/persistence/wal"
)

type walDumpCmd struct {
	Dir  string `arg:"" help:"The data directory, as serve has it in --data."`
	From uint64 `help:"Begin with the record of this index; 0 = the oldest that is there."`
	JSON bool   `name:"json" help:"One JSON object a line."`
}

// Help is the long part of --help.
func (*walDumpCmd) Help() string {
	return `Prints the events of the journal in their order, one a line: the record's index, its time, what happened, who commanded it.
Events with the same index happened together. The journal reaches back to the older of two snapshots; what came before it is gone. Read-only,
and fine beside a server: it ends with what is there.

    minicrm wal dump ./data --json | jq 'select(.event == "ContactAssigned" and .operator_id == 7)'

The output has personal data in it, all there is: emails, names, phone numbers and texts. Treat it as the data directory
itself.

Exit status: 0 when all was printed, also if the last record is torn; 1 when the journal is damaged.`
}

// Run prints until the end of the journal.
func (c *walDumpCmd) Run() error {
	d := &dump{w: bufio.NewWriterSize(os.Stdout, 64<<10), from: c.From, json: c.JSON}
	err := persistence.Inspect(c.Dir, d.group)
	if flushErr := d.w.Flush(); flushErr != nil {
		return errors.Join(err, flushErr)
	}
	if d.first > max(c.From, 1) && c.From > 0 {
		fmt.Fprintf(os.Stderr, "the journal begins with record %d: snapshots have what came before it\n", d.first)
	}
	switch bad, isBad := errors.AsType[*wal.CorruptError](err); {
	case isBad && bad.Torn:
		fmt.Fprintf(os.Stderr, "warning: %v\n", bad)
		return nil
	case errors.Is(err, wal.ErrDropped):
		return fmt.Errorf("%w after record %d: %w", errMoved, d.next-1, err)
	}
	return err
}

// dump prints events.
type dump struct {
	w     *bufio.Writer
	from  uint64
	json  bool
	first uint64 // that was seen
	next  uint64 // one behind the last that was seen
	line  []byte
}

func (d *dump) group(g persistence.Group) error {
	if d.first == 0 {
		d.first = g.First
	}
	for i, r := range g.Records {
		index := g.First + uint64(i)
		d.next = index + 1
		if index < d.from {
			continue
		}
		for _, e := range r.Events {
			if err := d.event(index, r, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *dump) event(index uint64, r domain.Record, e domain.Event) error {
	name, fields := describe(e)
	fields = appendWord(fields, "by", r.By)
	moment := time.UnixMicro(int64(r.At)).UTC().Format(time.RFC3339Nano)
	d.line = d.line[:0]
	if d.json {
		head := []field{{"index", index}, {"at", moment}, {"event", name}}
		d.object(append(head, fields...))
	} else {
		d.line = fmt.Appendf(d.line, "%d %s %s", index, moment, name)
		for _, f := range fields {
			d.line = append(append(append(d.line, ' '), f.name...), '=')
			d.line = appendValue(d.line, f.value, strconv.AppendQuote)
		}
	}
	_, err := d.w.Write(append(d.line, '\n'))
	return err
}

func (d *dump) object(fields []field) {
	separator := byte('{')
	for _, f := range fields {
		d.line = append(append(d.line, separator), strconv.Quote(f.name)...)
		d.line = appendValue(append(d.line, ':'), f.value, quoteJSON)
		separator = ','
	}
	d.line = append(d.line, '}')
}

// field is one value of an event, under the name that the HTTP API has for it.
type field struct {
	name  string
	value any // of the types that appendValue knows
}

// quoteJSON is strconv.AppendQuote for JSON: that one is for people, and leaves no character that steers a terminal.
func quoteJSON(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD")) // it fails for invalid UTF-8 only
	return b
}

func appendValue(b []byte, value any, quote func([]byte, string) []byte) []byte {
	switch v := value.(type) {
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	case []int:
		b = append(b, '[')
		for i, n := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(n), 10)
		}
		return append(b, ']')
	case string:
		return quote(b, v)
	}
	panic(fmt.Sprintf("a field of type %T", value))
}

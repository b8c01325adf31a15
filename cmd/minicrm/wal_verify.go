package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"minicrm/domain"
)

// walCmd are the tools that look inside a data directory.
type walCmd struct {
	Verify walVerifyCmd `cmd:"" help:"Check a data directory."`
	Dump   walDumpCmd   `cmd:"" help:"Print the events of a journal."`
	Repair walRepairCmd `cmd:"" help:"Cut a torn record off the end of a journal."`
}

type walVerifyCmd struct {
	Dir string `arg:"" help:"The data directory, as serve has it in --data."`
}

// Help is the long part of --help.
func (*walVerifyCmd) Help() string {
	return `Checks every frame and record of the journal, every snapshot, the rules of dispatching after every record, and that
the journal leads to the same state as each snapshot. It changes nothing and takes no lock, so it may run beside a
server.

A record that is torn at the end of the journal is a warning: the server is writing it, or the next start cuts it.

Exit status: 0 when all is well, also with warnings; 1 on any error. What it says of a record may hold personal data.`
}

// Run prints what was found and a summary.
func (c *walVerifyCmd) Run() error {
	v, err := verifyDir(c.Dir)
	if err != nil {
		return err
	}
	if err := v.print(os.Stdout); err != nil {
		return err
	}
	return v.failure()
}

// print says it for people, a line a finding.
func (v *verification) print(to io.Writer) error {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, f := range v.findings {
		say("%s: %s", f.level, oneLine(f.text))
	}
	if v.records > 0 {
		say("records %d to %d: %d in %d entries and %d segments", v.last-v.records+1, v.last, v.records, v.entries, v.segments)
	} else {
		say("no records in the journal")
	}
	say("good snapshots: %d", v.snapshots)
	if v.auditor != nil {
		say("state: %s", stateLine(v.auditor.Catalog()))
	}
	_, err := fmt.Fprintln(to, strings.Join(lines, "\n"))
	return err
}

// stateLine says how much there is of what was not deleted.
func stateLine(c *domain.Catalog) string {
	state := c.Freeze()
	operators, _ := c.Operators(0, len(state.Operators)+1)
	sources, _ := c.Sources(0, len(state.Sources)+1)
	return fmt.Sprintf("%d contacts, %d leads, %d operators, %d sources, %d idempotency keys",
		state.ContactCount(), state.LeadCount, len(operators), len(sources), state.KeyCount())
}

// failure is an error if there was any.
func (v *verification) failure() error {
	errs := 0
	for _, f := range v.findings {
		if f.level == levelError {
			errs++
		}
	}
	if errs == 0 {
		return nil
	}
	return fmt.Errorf("%s is not good: %d errors", v.dir, errs)
}

// maxLine is how long a finding gets: it may quote a record with all its text.
const maxLine = 800

// oneLine makes a text fit for a terminal: one line, not too long, and without the control characters that a customer
// may have put into a record.
func oneLine(s string) string {
	line := []rune(s)
	if len(line) > maxLine {
		const half = maxLine / 2
		line = append(append(line[:half:half], []rune(" ... ")...), line[len(line)-half:]...)
	}
	for i, r := range line {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			line[i] = ' '
		}
	}
	return string(line)
}

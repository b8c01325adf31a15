package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"minicrm/persistence/journalpb"
)

// What TestTorture knows of leads that are erased and of contacts that go to the archive by themselves.

// tortureRetain is how long the server keeps closed contacts: about one round.
const tortureRetain = 2 * time.Second

// erase erases the lead of some contact, often one with contacts that live.
func (c *tormentor) erase() error {
	c.m.mu.Lock()
	k := c.m.contacts[1+c.rng.Int64N(int64(len(c.m.contacts)+1))]
	if k == nil {
		c.m.mu.Unlock()
		return nil
	}
	from := c.m.tick()
	w := c.m.erased(k.lead).begin(true, from)
	c.m.mu.Unlock()
	code, err := c.s.ask("DELETE", fmt.Sprintf("/v1/leads/%d", k.lead), "", nil)
	if err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if code == "" {
		w.end = c.m.tick()
		return nil
	}
	c.m.erased(k.lead).refuse(w)
	switch now := c.m.tick(); {
	case code == "lead_has_live_contacts" && c.m.hasLive(k.lead, from, now):
		return nil
	case code == "lead_erased" && c.m.erased(k.lead).may(true, from, now):
		return nil
	}
	return unexpected(fmt.Sprintf("erasure of lead %d", k.lead), code, nil)
}

// hasLive says whether a contact of a lead may have been open or assigned: one that is known, or one that was asked for
// and of which nobody knows yet what lead it has.
func (m *memory) hasLive(lead, from, now int64) bool {
	live := func(k *memo) bool { return k.lead == lead && k.closed.may(false, from, now) }
	if len(m.posts) > 0 || slices.ContainsFunc(m.recent, func(id int64) bool { return live(m.contacts[id]) }) {
		return true
	}
	for _, k := range m.contacts { // it may have been closed since
		if live(k) {
			return true
		}
	}
	return false
}

// erased is whether a lead is.
func (m *memory) erased(lead int64) *register[bool] {
	if m.gone[lead] == nil {
		r := known(false)
		m.gone[lead] = &r
	}
	return m.gone[lead]
}

// ofEmail checks that an email has this lead, and learns it. A lead that was erased has none, and the next one is younger.
func (m *memory) ofEmail(email string, lead, from, now int64) error {
	told, isTold := m.leads[email]
	if isTold && told < lead && !m.erased(told).may(true, from, now) {
		return fmt.Errorf("%s has lead %d, who was not erased", email, told)
	}
	if !m.erased(lead).may(false, from, now) {
		return fmt.Errorf("%s is answered with lead %d, who was erased", email, lead)
	}
	m.leads[email] = max(told, lead)
	return nil
}

// shows checks the text of a contact: it is there until its lead is erased.
func (m *memory) shows(text string, k *memo, from, now int64) bool {
	if text != k.token && text != "" {
		return false
	}
	gone := m.erased(k.lead)
	if !gone.may(text == "", from, now) {
		return false
	}
	gone.observe(text == "", from, now)
	return true
}

// wasArchived checks an answer that says that a contact is in the archive, and learns it.
func (m *memory) wasArchived(id, from int64) error {
	if err := m.wasClosed(id, from); err != nil {
		return err
	}
	if k := m.contacts[id]; k.archived == 0 {
		k.archived = m.tick()
	}
	return nil
}

// asksToErase says whether somebody asked for what the journal says.
func (m *memory) asksToErase(lead int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.erased(lead).may(true, m.now, m.now) {
		return fmt.Errorf("nobody asked to erase lead %d", lead)
	}
	return nil
}

// The examiner's part.

func (x *examiner) leadErased(lead int64) error {
	email := x.leads[lead]
	if email == "" {
		return errors.New("there is no such lead, or no longer")
	}
	for _, id := range x.ofLead[lead] {
		c := x.contacts[id]
		if !c.closed {
			return fmt.Errorf("contact %d of the lead is %+v", id, c)
		}
		c.text = ""
		x.contacts[id] = c
	}
	delete(x.emails, email)
	x.leads[lead] = ""
	return x.explainErasure(lead)
}

func (x *examiner) contactsArchived(e *journalpb.ContactsArchived) error {
	for _, id := range e.Ids {
		c, there := x.contacts[id]
		if _, before := x.archived[id]; !there || !c.closed || before {
			return fmt.Errorf("contact %d goes to the archive, again: %t; it is %+v", id, before, c)
		}
		x.archived[id], x.fresh[id] = e.Day, true
	}
	return nil
}

// archivedLine is a line of an archive.
type archivedLine struct {
	ID       int64     `json:"id"`
	Source   int64     `json:"source_id"`
	Lead     int64     `json:"lead_id"`
	Operator int64     `json:"operator_id"`
	Text     string    `json:"text"`
	ClosedAt time.Time `json:"closed_at"`
	Email    string    `json:"lead_email"`
}

// checkArchives holds the archives against the journal: whatever was forgotten must be there, in the file of its day.
func (x *examiner) checkArchives(t *testing.T, data string) (lines int) {
	t.Helper()
	found := map[int64]bool{}
	paths, err := filepath.Glob(filepath.Join(data, "archive", "contacts-*.ndjson.zst"))
	check(t, err)
	for _, path := range paths {
		file, err := os.Open(path)
		check(t, err)
		reader, err := zstd.NewReader(file)
		check(t, err)
		all := bufio.NewScanner(reader)
		for ; all.Scan(); lines++ {
			var l archivedLine
			check(t, json.Unmarshal(all.Bytes(), &l))
			if err := x.checkLine(filepath.Base(path), l); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			found[l.ID] = true
		}
		check(t, all.Err())
		reader.Close()
		check(t, file.Close())
	}
	for id := range x.archived {
		if !found[id] {
			t.Errorf("durable: contact %d was forgotten and is in no archive", id)
		}
	}
	return lines
}

func (x *examiner) checkLine(file string, l archivedLine) error {
	c := x.contacts[l.ID]
	day := l.ClosedAt.UTC().Format(time.DateOnly)
	switch {
	case !c.closed || c.source != l.Source || c.lead != l.Lead || c.operator != l.Operator:
		return fmt.Errorf("contact %+v is in the journal %+v", l, c)
	case !strings.Contains(file, day):
		return fmt.Errorf("contact %+v is in the file of another day", l)
	case x.tokens[l.Text] != l.ID && (l.Text != "" || x.leads[l.Lead] != ""):
		return fmt.Errorf("contact %+v has a text of another", l)
	case l.Email != "" && l.Email != x.leads[l.Lead] && x.leads[l.Lead] != "":
		return fmt.Errorf("contact %+v has the email of another", l)
	}
	return nil
}

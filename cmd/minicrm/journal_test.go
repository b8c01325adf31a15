package main

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"google.golang.org/protobuf/proto"

	"minicrm/persistence/journalpb"
)

// journalView is what a journal says.
type journalView struct {
	contacts map[int64]told
	assigned []*journalpb.ContactAssigned // in order
}

// told is what a journal says about one contact.
type told struct {
	lead, operator int64
	closed         bool
}

// readJournal decodes the files of a journal by the formats that persistence/wal and journal.proto describe, sharing no
// code with the program but the generated messages: an independent look at what is on the disk.
func readJournal(t *testing.T, data string) *journalView {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(data, "journal", "[0-9]*"))
	check(t, err)
	sort.Strings(segments)
	view := &journalView{contacts: map[int64]told{}}
	entry, record := uint64(1), uint64(1)
	for i, name := range segments {
		b, err := os.ReadFile(name)
		check(t, err)
		if i == len(segments)-1 {
			b = withoutRoom(b)
		}
		for len(b) > 0 {
			size, n := binary.Uvarint(b)
			frame := b[n : n+int(size)]
			b = b[n+int(size):]
			checkFrame(t, frame, entry)
			entry++
			var group journalpb.Group
			check(t, proto.Unmarshal(frame[18:len(frame)-1], &group)) // 17 bytes of header, 1 of format version
			if group.First != record {
				t.Fatalf("%s: a group begins with record %d instead of %d", name, group.First, record)
			}
			record += uint64(len(group.Records))
			for _, r := range group.Records {
				for _, e := range r.Events {
					view.note(e)
				}
			}
		}
	}
	return view
}

func checkFrame(t *testing.T, frame []byte, entry uint64) {
	t.Helper()
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(crc32.Checksum(frame[:13], table), table, frame[17:len(frame)-1])
	if index := binary.LittleEndian.Uint64(frame[5:]); index != entry {
		t.Fatalf("entry %d instead of %d", index, entry)
	}
	if want := binary.LittleEndian.Uint32(frame[13:]); sum != want {
		t.Fatalf("entry %d has checksum %x instead of %x", entry, want, sum)
	}
}

func (v *journalView) note(event *journalpb.Event) {
	switch e := event.Event.(type) {
	case *journalpb.Event_ContactCreated:
		v.contacts[e.ContactCreated.Id] = told{lead: e.ContactCreated.Lead}
	case *journalpb.Event_ContactAssigned:
		c := v.contacts[e.ContactAssigned.Id]
		c.operator = e.ContactAssigned.Operator
		v.contacts[e.ContactAssigned.Id] = c
		v.assigned = append(v.assigned, e.ContactAssigned)
	case *journalpb.Event_ContactClosed:
		c := v.contacts[e.ContactClosed.Id]
		c.closed = true
		v.contacts[e.ContactClosed.Id] = c
	}
}

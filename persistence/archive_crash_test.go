package persistence

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minicrm/domain"
)

// TestArchiveCrashes appends to archives and erases from them on a machine that fails and crashes at random points. After
// each crash, what was acknowledged must be there, and whoever was erased must not.
func TestArchiveCrashes(t *testing.T) {
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	base := memoryDir(t)
	var sum archiveTally
	start := time.Now()
	for ; sum.crashes < *crashPoints; seed++ {
		dir, err := mkdirTemp(base)
		must(t, err)
		m := newArchivist(seed, dir)
		if err := m.run(crashesPerRun); err != nil {
			t.Fatalf("seed %d: %v\nrerun: go test ./persistence -run TestArchiveCrashes -crash.points=1 -crash.seed=%d", seed, err, seed)
		}
		sum.add(m.tally)
		must(t, os.RemoveAll(dir))
	}
	t.Logf("%s a crash; %+v", time.Since(start)/time.Duration(sum.crashes), sum)
	if *crashPoints >= 500 && (sum.failed == 0 || sum.erased == 0 || sum.notErased == 0 || sum.kept == 0 || sum.again == 0) {
		t.Error("something that it should try did not happen")
	}
}

type archiveTally struct {
	crashes, appended, failed, again int // again: contacts that are there more than once
	erased, notErased, kept          int // kept: that were not acknowledged and are there
}

func (a *archiveTally) add(o archiveTally) {
	a.crashes += o.crashes
	a.appended += o.appended
	a.failed += o.failed
	a.again += o.again
	a.erased += o.erased
	a.notErased += o.notErased
	a.kept += o.kept
}

// archivist is who archives on a machine, and what it knows.
type archivist struct {
	machine *machine
	rng     *rand.Rand
	tally   archiveTally
	archive *Archive
	next    domain.ContactID
	waiting map[domain.Day][]domain.Archived // failed to be archived: to be tried again
	leads   []domain.LeadID                  // who can still be erased
	wanted  map[domain.LeadID]bool           // to be erased: what is there of them may be or not
	erased  map[domain.LeadID]bool           // and was
	written map[domain.ContactID]bool        // true: acknowledged
}

func newArchivist(seed uint64, dir string) *archivist {
	a := &archivist{
		machine: newMachine(seed, dir), waiting: map[domain.Day][]domain.Archived{}, wanted: map[domain.LeadID]bool{},
		erased: map[domain.LeadID]bool{}, written: map[domain.ContactID]bool{},
	}
	a.rng = a.machine.rng
	a.machine.files = newCrashFiles(a.machine, filepath.Join(dir, archiveDir))
	return a
}

func (a *archivist) run(crashes int) error {
	for range crashes {
		if err := a.boot(); err != nil {
			return err
		}
		for a.machine.calls = a.rng.IntN(300); !a.machine.off; {
			if a.rng.IntN(4) > 0 || len(a.leads) == 0 {
				a.append()
			} else if err := a.erase(); err != nil {
				return err
			}
		}
		a.tally.crashes++
		if a.rng.IntN(2) == 0 {
			if err := a.machine.files.powerLoss(a.rng); err != nil {
				return err
			}
		}
	}
	return a.boot()
}

func (a *archivist) boot() (err error) {
	a.machine.off, a.machine.calls = false, -1
	if a.archive, err = openArchive(a.machine.dir, nil, a.machine.files); err != nil {
		return err
	}
	return a.check()
}

// append archives some contacts, or tries those again that could not be.
func (a *archivist) append() {
	day := domain.Day(a.rng.IntN(3))
	batch := a.waiting[day]
	if len(batch) == 0 {
		batch = a.closed()
	}
	if err := a.archive.Append(day, batch); err != nil {
		a.tally.failed++
		a.waiting[day] = batch
		return
	}
	a.tally.appended++
	delete(a.waiting, day)
	for _, c := range batch {
		a.written[c.Contact.ID] = true
	}
}

// closed are contacts of leads that nobody wants erased, some new.
func (a *archivist) closed() (batch []domain.Archived) {
	for range 1 + a.rng.IntN(6) {
		if len(a.leads) == 0 || a.rng.IntN(4) == 0 {
			a.leads = append(a.leads, domain.LeadID(a.next+1))
		}
		lead := a.leads[a.rng.IntN(len(a.leads))]
		a.next++
		c := archivedContact(a.next, lead, emailOf(lead))
		c.Contact.Text = strings.Repeat(fmt.Sprint(a.rng.Uint64()), a.rng.IntN(60))
		a.written[a.next] = false
		batch = append(batch, c)
	}
	return batch
}

func emailOf(lead domain.LeadID) string { return fmt.Sprintf("lead-%d@example.com", lead) }

// erase erases a lead, by its id or its email. The catalog has forgotten it by then, also for what waits. Nothing may be
// left of an append that did not finish: nobody could say who is in it.
func (a *archivist) erase() error {
	i := a.rng.IntN(len(a.leads))
	lead := a.leads[i]
	a.wanted[lead] = true
	for _, batch := range a.waiting {
		for j := range batch {
			if batch[j].Contact.Lead == lead {
				batch[j].Contact.Text, batch[j].Lead = "", domain.Lead{ID: lead}
			}
		}
	}
	byID, byEmail := lead, ""
	if a.rng.IntN(2) == 0 {
		byID, byEmail = 0, emailOf(lead)
	}
	if _, err := a.archive.Erase(byID, byEmail); err != nil {
		a.tally.notErased++
		return nil // another try may come
	}
	a.tally.erased++
	a.erased[lead] = true
	a.leads = append(a.leads[:i], a.leads[i+1:]...)
	paths, err := filepath.Glob(filepath.Join(a.archive.dir, archivePattern))
	for _, path := range paths {
		end, size, bad := a.read(path, func(*archivedJSON) error { return nil })
		if err = errors.Join(err, bad); end < size {
			err = errors.Join(err, fmt.Errorf("after an erasure %s has %d bytes of %d behind its end", path, size-end, size))
		}
	}
	return err
}

// check reads all files as they are after a start.
func (a *archivist) check() error {
	paths, err := filepath.Glob(filepath.Join(a.archive.dir, archivePattern))
	if err != nil {
		return err
	}
	found := map[domain.ContactID]int{}
	for _, path := range paths {
		_, _, bad := a.read(path, func(c *archivedJSON) error {
			found[c.ID]++
			return a.checkLine(c)
		})
		err = errors.Join(err, bad)
	}
	for id, acknowledged := range a.written {
		n := found[id]
		switch {
		case acknowledged && n == 0:
			err = errors.Join(err, fmt.Errorf("contact %d is lost", id))
		case !acknowledged && n > 0:
			a.tally.kept++
		}
		if n > 1 {
			a.tally.again++
		}
	}
	return err
}

func (a *archivist) checkLine(c *archivedJSON) error {
	_, known := a.written[c.ID]
	shown := c.LeadEmail + c.LeadName + c.LeadPhone + c.Text
	switch {
	case !known:
		return fmt.Errorf("contact %d was never archived", c.ID)
	case a.erased[c.LeadID] && shown != "":
		return fmt.Errorf("lead %d was erased, and contact %d shows %q", c.LeadID, c.ID, shown)
	case !a.wanted[c.LeadID] && (c.LeadEmail != emailOf(c.LeadID) || c.LeadName != "Ann"):
		return fmt.Errorf("contact %d of lead %d shows %q", c.ID, c.LeadID, shown)
	}
	return nil
}

// read reads a file, and returns where its frames end and what size it has.
func (a *archivist) read(path string, each func(*archivedJSON) error) (end, size int64, err error) {
	file, size, err := realFiles{}.edit(path)
	if err != nil {
		return 0, 0, err
	}
	end, err = archiveFrames(file, size, func(_, lines []byte) error {
		for line := range strings.Lines(string(lines)) {
			var c archivedJSON
			if err := json.Unmarshal([]byte(line), &c); err != nil {
				return err
			}
			if err := each(&c); err != nil {
				return err
			}
		}
		return nil
	})
	return end, size, errors.Join(err, file.Close())
}

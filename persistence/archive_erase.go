package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"minicrm/domain"
)

// Erase takes the personal data of a lead, by its id or by its email as the archive has it, out of all files: the email,
// the name, the phone and the texts. Ids and times stay. It returns how many contacts it found. When it returns without an
// error, nothing of them comes back; after one, another try is needed.
func (a *Archive) Erase(lead domain.LeadID, email string) (contacts int, err error) {
	paths, err := filepath.Glob(filepath.Join(a.dir, archivePattern))
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		n := 0
		err := a.locked(func() (err error) {
			n, err = a.eraseFrom(path, func(c *archivedJSON) bool {
				return lead != 0 && c.LeadID == lead || email != "" && c.LeadEmail == email
			})
			return err
		})
		contacts += n
		if err != nil {
			return contacts, fmt.Errorf("erase from %s: %w", path, err)
		}
	}
	// Also when nothing was found: an earlier try may have put a file in its place and failed here.
	if err := a.disk.syncDir(a.dir); err != nil {
		return contacts, fmt.Errorf("erase from the archive: %w", err)
	}
	return contacts, nil
}

// eraseFrom writes a file anew beside itself and puts it in its place, when it has anything to erase, or something
// torn, in which nobody can be found.
func (a *Archive) eraseFrom(path string, match func(*archivedJSON) bool) (contacts int, err error) {
	temporary := path + temporarySuffix
	if err := a.disk.remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err // left by an erasure that did not end
	}
	old, size, err := a.disk.edit(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	fresh, err := a.disk.create(temporary)
	if err != nil {
		return 0, err
	}
	found, torn, err := a.rewrite(old, size, fresh, match)
	changed := found > 0 || torn
	switch {
	case err != nil:
	case changed:
		err = fresh.Sync()
	default:
		err = old.Sync() // what a failed append has cut off must not come back
	}
	if err = errors.Join(err, fresh.Close()); err != nil || !changed {
		return 0, errors.Join(err, a.disk.remove(temporary))
	}
	delete(a.sizes, path)
	if err := a.disk.rename(temporary, path); err != nil {
		return 0, errors.Join(err, a.disk.remove(temporary))
	}
	return found, nil
}

// rewrite copies the frames of a file, without what is personal in the lines that match, and without what is torn.
func (a *Archive) rewrite(old editable, size int64, fresh output, match func(*archivedJSON) bool) (contacts int, torn bool, err error) {
	end, err := archiveFrames(old, size, func(frame, lines []byte) error {
		erased, n, err := eraseLines(lines, match)
		if n > 0 {
			contacts += n
			frame = a.encoder.EncodeAll(erased, nil)
		}
		if err == nil {
			_, err = fresh.Write(frame)
		}
		return err
	})
	return contacts, end < size, err
}

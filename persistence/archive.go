package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"
	"github.com/klauspost/compress/zstd"

	"minicrm/domain"
)

// The archive is what is left of closed contacts that the catalog has forgotten: a file for the UTC day on which they were
// closed, archive/contacts-YYYY-MM-DD.ndjson.zst. It is of the day of closing, and not of archiving, so that a contact
// that is archived twice, since a crash came between the archive and the journal, is twice in the same file: readers keep
// one line an id. Each append is one zstd frame of its own, of one JSON object a line, fsynced before the journal hears
// of it:
//
//	zstdcat archive/contacts-2026-01-31.ndjson.zst | jq -c 'select(.lead_id == 7)'
//
// A crash can leave the last frame torn. What it had was not forgotten, so the next append cuts it off. Damage before the
// last frame is never touched: such a file is refused, and its contacts stay in memory until somebody moves it away.
//
// The file LOCK is locked (flock) while a file is changed: by an append of the server, and by `minicrm archive erase`,
// which may therefore run beside it. It locks for one file at a time, and the server waits for that long.

const (
	archiveDir     = "archive"
	archiveLock    = "LOCK"
	archivePattern = "contacts-*.ndjson.zst"
)

// Archive is the archive of a data directory.
type Archive struct {
	dir     string
	disk    files
	lock    *flock.Flock
	mu      sync.Mutex // flock is one a process
	encoder *zstd.Encoder
	sizes   map[string]int64 // of the files that are known to be whole
}

// OpenArchive opens the archive of a data directory, and makes its directory if needed.
func OpenArchive(data string) (*Archive, error) {
	dir := filepath.Join(data, archiveDir)
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	if err := (realFiles{}).syncDir(data); err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	return &Archive{
		dir: dir, disk: realFiles{}, encoder: encoder, sizes: map[string]int64{},
		lock: flock.New(filepath.Join(dir, archiveLock), flock.SetPermissions(fileMode)),
	}, nil
}

// locked runs change while nobody else changes a file of the archive.
func (a *Archive) locked(change func() error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.lock.Lock(); err != nil {
		return fmt.Errorf("lock the archive: %w", err)
	}
	return errors.Join(change(), a.lock.Unlock())
}

// Append makes contacts that were closed on a day durable. After an error the first of them may be there, and all can be
// appended again.
func (a *Archive) Append(day domain.Day, contacts []domain.Archived) error {
	path := filepath.Join(a.dir, day.Archive())
	for len(contacts) > 0 {
		lines, rest, err := archiveLines(contacts)
		if err == nil {
			err = a.locked(func() error { return a.append(path, a.encoder.EncodeAll(lines, nil)) })
		}
		if err != nil {
			return fmt.Errorf("archive to %s: %w", path, err)
		}
		contacts = rest
	}
	return nil
}

func (a *Archive) append(path string, frame []byte) (err error) {
	_, err = os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	end, err := a.whole(path, file)
	if err != nil {
		return err
	}
	delete(a.sizes, path) // until this one is durable
	if _, err := file.WriteAt(frame, end); err != nil {
		return errors.Join(err, file.Truncate(end))
	}
	if err := file.Sync(); err != nil {
		return err // nobody knows what is there: the next append looks
	}
	if fresh {
		if err := a.disk.syncDir(a.dir); err != nil {
			return err
		}
	}
	a.sizes[path] = end + int64(len(frame))
	return nil
}

// whole is where a file's frames end. A torn last frame is cut off. A file is read once; after that its size is known,
// unless an erasure has rewritten it meanwhile.
func (a *Archive) whole(path string, file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if size, known := a.sizes[path]; known && size == info.Size() || info.Size() == 0 {
		return info.Size(), nil
	}
	end, err := archiveFrames(file, func([]byte, []byte) error { return nil })
	if err != nil {
		return 0, err
	}
	if end < info.Size() {
		err = file.Truncate(end)
	}
	return end, err
}

// Erase takes the personal data of a lead, by its id or by its email, out of all files: the email, the name, the phone,
// the texts and the reasons. Ids and times stay. It returns how many contacts it found.
func (a *Archive) Erase(lead domain.LeadID, email string) (contacts int, err error) {
	paths, err := filepath.Glob(filepath.Join(a.dir, archivePattern))
	if err != nil {
		return 0, err
	}
	email = strings.TrimSpace(email)
	for _, path := range paths {
		n := 0
		err := a.locked(func() (err error) {
			n, err = a.eraseFrom(path, func(c *archivedJSON) bool {
				return lead != 0 && c.LeadID == lead || email != "" && strings.EqualFold(c.LeadEmail, email)
			})
			return err
		})
		if err != nil {
			return contacts, fmt.Errorf("erase from %s: %w", path, err)
		}
		contacts += n
	}
	return contacts, nil
}

// eraseFrom writes a file anew beside itself and puts it in its place, when it has anything to erase.
func (a *Archive) eraseFrom(path string, match func(*archivedJSON) bool) (contacts int, err error) {
	temporary := path + temporarySuffix
	if err := a.disk.remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err // left by an erasure that did not end
	}
	old, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	fresh, err := a.disk.create(temporary)
	if err != nil {
		return 0, err
	}
	_, err = archiveFrames(old, func(frame, lines []byte) error {
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
	if err == nil && contacts > 0 {
		err = fresh.Sync()
	}
	if err = errors.Join(err, fresh.Close()); err != nil || contacts == 0 {
		return 0, errors.Join(err, a.disk.remove(temporary))
	}
	if err := a.disk.rename(temporary, path); err != nil {
		return 0, err
	}
	delete(a.sizes, path)
	return contacts, a.disk.syncDir(a.dir)
}

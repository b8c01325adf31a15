package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"

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
// DESIGN.md says what a crash can leave and what is done about it. Damage is never cut: such a file is refused, and its
// contacts stay in memory until somebody moves it away.
//
// The file LOCK is locked (flock) while a file is changed: by an append of the server, and by `minicrm archive erase`,
// which may therefore run beside it. It locks for one file at a time, and the server waits for that long.

const (
	archiveDir     = "archive"
	archiveLock    = "LOCK"
	archivePattern = "contacts-*.ndjson.zst"
)

// Archive is the archive of a data directory. It may be shared.
type Archive struct {
	dir     string
	disk    files
	metrics *archiveMetrics
	lock    *flock.Flock
	mu      sync.Mutex // flock is one a process
	encoder *zstd.Encoder
	sizes   map[string]int64 // of the files that are known to be whole and durable
}

// OpenArchive opens the archive of a data directory, and makes its directory if needed. A nil registerer is fine.
func OpenArchive(data string, r prometheus.Registerer) (*Archive, error) {
	return openArchive(data, r, realFiles{})
}

func openArchive(data string, r prometheus.Registerer, disk files) (*Archive, error) {
	dir := filepath.Join(data, archiveDir)
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	if err := disk.syncDir(data); err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	m, err := newArchiveMetrics(r)
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	return &Archive{
		dir: dir, disk: disk, metrics: m, encoder: encoder, sizes: map[string]int64{},
		lock: flock.New(filepath.Join(dir, archiveLock), flock.SetPermissions(fileMode)),
	}, nil
}

// Close makes room for the metrics of who is opened next. No file is open between two calls.
func (a *Archive) Close() { a.metrics.unregister() }

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
	start := time.Now()
	path := filepath.Join(a.dir, day.Archive())
	bytes, err := a.appendTo(path, contacts)
	if err != nil {
		a.metrics.failures.Inc()
		return fmt.Errorf("archive to %s: %w", path, err)
	}
	a.metrics.appended(len(contacts), bytes, time.Since(start))
	return nil
}

func (a *Archive) appendTo(path string, contacts []domain.Archived) (size int, err error) {
	for len(contacts) > 0 {
		lines, rest, err := archiveLines(contacts)
		if err != nil {
			return size, err
		}
		err = a.locked(func() error {
			frame := a.encoder.EncodeAll(lines, nil)
			size += len(frame)
			return a.append(path, frame)
		})
		if err != nil {
			return size, err
		}
		contacts = rest
	}
	return size, nil
}

// append writes a frame behind the last. If that fails, what is there of it takes room on a disk that may be full, so it is
// cut off again; the next append looks at the file anew, whether or not that worked.
func (a *Archive) append(path string, frame []byte) (err error) {
	file, size, err := a.disk.edit(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	end, known := a.sizes[path]
	if !known || end != size { // the first time, or an erasure has rewritten it
		if end, err = settleArchive(file, size); err != nil {
			return err
		}
	}
	delete(a.sizes, path) // until this frame is durable
	_, err = file.WriteAt(frame, end)
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return errors.Join(err, file.Truncate(end))
	}
	// Each time: an erasure, maybe of another process that died of it, may just have put this file in the place of another.
	if err := a.disk.syncDir(a.dir); err != nil {
		return err
	}
	a.sizes[path] = end + int64(len(frame))
	return nil
}

// settleArchive finds where a file's frames end, and cuts a torn one off. The last one that is whole may be in memory only:
// its writer may have died of an fsync that failed, after which the system may take its pages for clean, so that no later
// fsync writes them. Hence it is written again. All of that is durable before anything comes behind it.
func settleArchive(file editable, size int64) (end int64, err error) {
	var last []byte
	end, err = archiveFrames(file, size, func(frame, _ []byte) error {
		last = frame
		return nil
	})
	if err == nil && end < size {
		err = file.Truncate(end)
	}
	if err == nil && last != nil {
		_, err = file.WriteAt(last, end-int64(len(last)))
	}
	if err == nil && size > 0 {
		err = file.Sync()
	}
	return end, err
}

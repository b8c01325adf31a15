package wal

import (
	"errors"
	"fmt"
	"os"

	tidwall "github.com/tidwall/wal"
)

const (
	dirMode  os.FileMode = 0o750
	fileMode os.FileMode = 0o640
)

// backend is all that a Log asks of the library. Tests put faults behind it.
type backend interface {
	Write(index uint64, data []byte) error
	Sync() error
	Close() error
}

// system is what a Log asks of the world, so that tests can take its place.
type system struct {
	// openBackend opens the segments for appending. first and last are the entries that our own scan found.
	openBackend func(dir string, segmentSize int, first, last uint64) (backend, error)
	syncFile    func(*os.File) error
	zero        func(f *os.File, from, to int64) (n int64, err error) // as much of it as there is space for
	syncDir     func(dir string) error
	create      func(path string) error // an empty file that was not there
	remove      func(path string) error
}

func realSystem() system {
	return system{
		openBackend: openLibrary, syncFile: (*os.File).Sync, zero: writeZeros, syncDir: syncDir, create: createEmpty, remove: os.Remove,
	}
}

// openLibrary opens the segments with the library, and makes sure that it sees the log that we saw.
func openLibrary(dir string, segmentSize int, first, last uint64) (backend, error) {
	log, err := tidwall.Open(dir, &tidwall.Options{
		NoSync:           true, // we call Sync
		SegmentSize:      segmentSize,
		SegmentCacheSize: 1, // its least: we never read through it
		AllowEmpty:       true,
		DirPerms:         dirMode,
		FilePerms:        fileMode,
	})
	if err != nil {
		return nil, err
	}
	if err := agree(log, first, last); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return log, nil
}

func agree(log *tidwall.Log, first, last uint64) error {
	libFirst, err := log.FirstIndex()
	if err != nil {
		return fmt.Errorf("ask the library for its first index: %w", err)
	}
	libLast, err := log.LastIndex()
	if err != nil {
		return fmt.Errorf("ask the library for its last index: %w", err)
	}
	if libFirst != first || libLast != last {
		return fmt.Errorf("the library found entries %d to %d, our scan %d to %d", libFirst, libLast, first, last)
	}
	return nil
}

// guarded calls into the library and turns a panic of it into an error, so that it fails the log and not its owner.
func guarded(what string, call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s: panic in the library: %v", what, v)
		}
	}()
	if err := call(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

package persistence

import (
	"os"
	"testing"
)

// memoryDir is a directory for one test that is in memory, where the machine has such: most tests fsync a lot, and it is
// not the disk that they look at.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "minicrm-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// mkdirTemp is a new directory below another.
func mkdirTemp(base string) (string, error) { return os.MkdirTemp(base, "") }

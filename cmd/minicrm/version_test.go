package main

import (
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// Catches: a binary that does not say what it was built from.
func TestVersion(t *testing.T) {
	got := buildText(&debug.BuildInfo{
		GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{
			{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}, {Key: "vcs.revision", Value: "c0ffee"},
			{Key: "vcs.time", Value: "2026-10-01T12:00:00Z"}, {Key: "vcs.modified", Value: "true"},
		},
	})
	if want := "v1.2.3 (revision c0ffee of 2026-10-01T12:00:00Z, changed since) go1.26.8 linux/arm64"; got != want {
		t.Errorf("%q\nnot\n%q", got, want)
	}
	out, err := exec.CommandContext(t.Context(), program, "version").Output()
	check(t, err)
	for _, want := range []string{"minicrm ", "(revision ", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
}

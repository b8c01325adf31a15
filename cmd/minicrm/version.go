package main

import (
	"errors"
	"fmt"
	"runtime/debug"
)

var errNoBuildInfo = errors.New("the binary carries no build information")

type versionCmd struct{}

// Run prints what the toolchain noted when it built the binary.
func (versionCmd) Run() error {
	version, err := versionText()
	if err == nil {
		fmt.Println("minicrm " + version)
	}
	return err
}

// versionText is the version, the revision that it was built from, and for what.
func versionText() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", errNoBuildInfo
	}
	return buildText(info), nil
}

// buildText tells a build from all others. The version is the tag, or made from the revision by the toolchain.
func buildText(info *debug.BuildInfo) string {
	noted := map[string]string{"vcs.revision": "unknown"}
	for _, s := range info.Settings {
		noted[s.Key] = s.Value
	}
	revision := noted["vcs.revision"]
	if at := noted["vcs.time"]; at != "" {
		revision += " of " + at
	}
	if noted["vcs.modified"] == "true" {
		revision += ", changed since"
	}
	return fmt.Sprintf("%s (revision %s) %s %s/%s", info.Main.Version, revision, info.GoVersion, noted["GOOS"], noted["GOARCH"])
}

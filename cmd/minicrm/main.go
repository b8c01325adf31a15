// Command minicrm is the contact dispatcher: one binary, no other server needed.
//
//	minicrm serve --listen 127.0.0.1:8080 --data ./data
//
// This package only wires: it reads the command line (here), opens the parts and joins them (service.go) and runs them
// until a signal ends the process (serve.go).
package main

import (
	"fmt"
	"runtime/debug"
	"strconv"

	"github.com/alecthomas/kong"

	"minicrm/transport/httpapi"
)

type commandLine struct {
	Serve   serveCmd   `cmd:"" help:"Run the dispatcher."`
	Wal     walCmd     `cmd:"" help:"Look into the journal, check it, repair its end."`
	Load    loadCmd    `cmd:"" help:"Put load on a running service, time it and check it."`
	Backup  backupCmd  `cmd:"" help:"Copy a data directory, also while a server runs on it."`
	Archive archiveCmd `cmd:"" help:"Look after the archive of closed contacts."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	var line commandLine
	ctx := kong.Parse(&line,
		kong.Name("minicrm"),
		kong.Description("Hands customer contacts to operators, by exact weighted share. Every flag has an environment variable."),
		kong.UsageOnError(),
		kong.DefaultEnvars("MINICRM"),
		kong.Vars{"max_in_flight": strconv.Itoa(httpapi.DefaultMaxInFlight)},
	)
	ctx.FatalIfErrorf(ctx.Run())
}

type versionCmd struct{}

// Run prints what the toolchain noted when it built the binary.
func (versionCmd) Run() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fmt.Errorf("the binary carries no build information")
	}
	fmt.Printf("minicrm %s %s\n", info.Main.Version, info.GoVersion)
	return nil
}

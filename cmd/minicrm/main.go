// Command minicrm is the contact dispatcher: one binary, no other server needed.
//
//	minicrm serve --listen 127.0.0.1:8080 --data ./data
//
// This package only wires: it reads the command line (here), opens the parts and joins them (service.go) and runs them
// until a signal ends the process (serve.go).
package main

import (
	"os"
	"strconv"

	"github.com/alecthomas/kong"

	"minicrm/domain"
	"minicrm/transport/httpapi"
)

type commandLine struct {
	Serve   serveCmd   `cmd:"" help:"Run the dispatcher."`
	Wal     walCmd     `cmd:"" help:"Look into the journal, check it, repair its end."`
	Load    loadCmd    `cmd:"" help:"Put load on a running service, time it and check it."`
	Backup  backupCmd  `cmd:"" help:"Copy a data directory, also while a server runs on it."`
	Archive archiveCmd `cmd:"" help:"Look after the archive of closed contacts."`
	Key     keyCmd     `cmd:"" help:"Make keys for those who may call."`

	Healthcheck healthcheckCmd `cmd:"" help:"Ask a server whether it is ready."`
	Completion  completionCmd  `cmd:"" help:"Print the completion script of a shell."`
	Man         manCmd         `cmd:"" help:"Print the manual page."`
	Version     versionCmd     `cmd:"" help:"Print the version, and the revision that it was built from."`
	Candidates  candidatesCmd  `cmd:"" hidden:"" help:"What can come next on a command line, for the completion scripts."`
}

func main() {
	parser, line, err := newParser()
	if err != nil {
		panic(err) // a tag in commandLine is wrong
	}
	ctx, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	ctx.FatalIfErrorf(ctx.Run(line))
}

func newParser() (*kong.Kong, *commandLine, error) {
	line := new(commandLine)
	parser, err := kong.New(line,
		kong.Name("minicrm"),
		kong.Description("Hands customer contacts to operators, by exact weighted share. Every flag has an environment variable."),
		kong.UsageOnError(),
		kong.DefaultEnvars("MINICRM"),
		kong.Configuration(readConfig),
		kong.Vars{
			"max_in_flight": strconv.Itoa(httpapi.DefaultMaxInFlight),
			"max_keys":      strconv.Itoa(domain.DefaultMaxKeys),
		},
	)
	return parser, line, err
}

// parse reads a command line, with the environment and the configuration file as they are now.
func parse(args []string) (*kong.Context, *commandLine, error) {
	parser, line, err := newParser()
	if err != nil {
		return nil, nil, err
	}
	ctx, err := parser.Parse(args)
	return ctx, line, err
}

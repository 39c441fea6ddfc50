// Command usher is the authorization service and its command line in one binary.
//
//	usher serve                                        starts the service
//	usher check user:anna can_view media:logo          and every other command asks one
//
// Exit status: 0 for success (of check: allowed), 1 if a check is denied, 3 if it
// is conditional, 2 for every error, so that a script never takes a failure for a
// denial.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit statuses.
const (
	statusOK          = 0
	statusDenied      = 1
	statusError       = 2
	statusConditional = 3
)

// program is one run of the command line: where it reads and writes, and the status
// that it ends with if nothing fails.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	status         int
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // first, so that a second signal ends the process at once
		cancel()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line, without the program's name in args, and returns the
// exit status. The end of ctx is the first signal: serve drains, watch ends.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr}
	root := p.rootCommand()
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(stderr, "usher: "+describe(err))
		return statusError
	}
	return p.status
}

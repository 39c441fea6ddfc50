// Command bench measures Usher and writes docs/performance.md: every operation in turns with
// its floor, on a generated library whose right answers are known (bench/library), against a
// server that is a process of its own (bench/drive).
//
//	bench -sizes S            a library of 100,000 tuples, about two minutes: make bench
//	bench -sizes S,M,L        the whole table, and how cost grows: make bench-full
//	bench mixed               half an hour of everything at once: make soak-mixed
//	bench report              the document again, from the results that there are
//
// Each size leaves its results in a file of its own (docs/performance/S.json), and the document
// is written from all of them. So a size can be measured again without the others.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run executes one command line, without the program's name.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	command := "sizes"
	if len(args) > 0 && args[0][0] != '-' {
		command, args = args[0], args[1:]
	}
	s := settings{stdout: stdout}
	flags := flag.NewFlagSet("bench "+command, flag.ContinueOnError)
	flags.StringVar(&s.out, "out", "docs", "write performance.md and the folder performance here")
	flags.StringVar(&s.usher, "usher", "bin/usher", "the binary to measure")
	flags.StringVar(&s.serve, "serve", "", "more flags for usher serve, such as \"--index-memory 2GiB\"")
	flags.StringVar(&s.dir, "dir", "", "put databases into a folder made here, and remove it; the system's for temporary files")
	flags.StringVar(&s.sizes, "sizes", "S", "sizes of the library, from small to large: S, M, L or a number of tuples")
	flags.DurationVar(&s.round, "round", time.Second, "length of one round of one operation")
	flags.IntVar(&s.rounds, "rounds", 5, "how many rounds each operation has, in turns")
	flags.DurationVar(&s.duration, "duration", 30*time.Minute, "of bench mixed: how long it goes on")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is one argument too many; bench -help lists the flags", flags.Arg(0))
	}
	switch command {
	case "sizes":
		return errors.Join(s.measure(ctx), s.report())
	case "mixed":
		return errors.Join(s.mixed(ctx), s.report())
	case "report":
		return s.report()
	case healthCommand:
		return serveHealth(ctx)
	}
	return fmt.Errorf("%q is not a command; use sizes, mixed or report", command)
}

// settings are the flags of a run.
type settings struct {
	stdout io.Writer

	out, usher, serve, dir, sizes string
	round, duration               time.Duration
	rounds                        int
}

// say tells how far the run is.
func (s settings) say(format string, args ...any) {
	fmt.Fprintf(s.stdout, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}

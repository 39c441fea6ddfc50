// Command bench measures Usher next to floors of the same run: Check over gRPC next
// to the health RPC, the engine alone, and durable writes next to raw bbolt. Machines
// drift, so what is compared is interleaved in short rounds, and ratios count.
//
//	make bench
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the flags of a run.
type settings struct {
	usher  string        // the binary to measure
	tuples int           // size of the library
	round  time.Duration // length of one measurement
	rounds int           // how often each is repeated
	out    string        // the report's file; "" for none
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&s.usher, "usher", "bin/usher", "the binary to measure")
	flags.IntVar(&s.tuples, "tuples", 100_000, "size of the generated library")
	flags.DurationVar(&s.round, "round", 2*time.Second, "length of one measurement")
	flags.IntVar(&s.rounds, "rounds", 5, "how often each measurement is repeated")
	flags.StringVar(&s.out, "out", "", "write the report to this file too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "usher-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	report := newReport(s)
	lib := generate(s.tuples)
	db := filepath.Join(dir, "usher.db")
	questions, err := measureEngine(ctx, s, db, lib, report)
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	runtime.GC()
	if err := measureServer(ctx, s, db, questions, report); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	if err := measureShares(ctx, s, dir, report); err != nil {
		return fmt.Errorf("shares: %w", err)
	}
	if err := measureWrites(ctx, s, dir, report); err != nil {
		return fmt.Errorf("writes: %w", err)
	}
	return report.print(stdout)
}

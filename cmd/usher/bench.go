package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/usher-authz/usher/bench/drive"
	"github.com/usher-authz/usher/bench/library"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// bench is what usher bench was told.
type bench struct {
	tuples   int
	time     time.Duration
	httpAddr string
	keep     bool
}

func (p *program) benchCommand() *cobra.Command {
	var b bench
	cmd := &cobra.Command{
		Use:     "bench",
		GroupID: groupServer,
		Short:   "Measure a running server",
		Long: `Measure a running server: fill a new store with a generated media library, ask, write,
and compare every answer with the one that is right. All operations take turns in short
rounds with the health RPC, the floor. The store is deleted at the end.

With --http-addr there is also the CPU time of the server for one request. The server should
have nothing else to do. A wrong answer ends the run with status 2.`,
		Example: `  usher bench
  usher bench --tuples 1000000 --time 2m --http-addr 127.0.0.1:8080`,
		Args: exactly(),
	}
	flags := cmd.Flags()
	flags.IntVar(&b.tuples, "tuples", library.S, "size of the library, 10000 to 10000000")
	flags.DurationVar(&b.time, "time", 30*time.Second, "how long to measure, behind filling the store")
	flags.StringVar(&b.httpAddr, "http-addr", "", "`HOST:PORT` of the server's metrics")
	flags.BoolVar(&b.keep, "keep", false, "do not delete the store")
	cmd = patient(p.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		if err := b.validate(); err != nil {
			return err
		}
		if !cmd.Flags().Changed("store") {
			c.store = "bench-" + strings.ToLower(ulid.Make().String())
		}
		return c.bench(ctx, b)
	}))
	store := cmd.Flags().Lookup("store")
	store.Usage, store.DefValue = "`NAME` of the store to make; without it one that begins with bench-", ""
	return cmd
}

func (b bench) validate() error {
	switch {
	case b.tuples < library.Smallest || b.tuples > library.L:
		return fmt.Errorf("--tuples %d is not from %d to %d", b.tuples, library.Smallest, library.L)
	case b.time <= 0:
		return fmt.Errorf("--time %s is not positive; use for example 30s", b.time)
	}
	return nil
}

// bench makes the store, measures, and deletes the store again, whatever came of it.
func (c *client) bench(ctx context.Context, b bench) (err error) {
	metrics := ""
	if b.httpAddr != "" {
		metrics = "http://" + b.httpAddr + "/metrics"
	}
	target := drive.Over(c.conn, c.store, metrics)
	if metrics != "" { // a wrong address is told before there is a store
		if _, err := target.Warm(ctx); err != nil {
			return fmt.Errorf("--http-addr: %w", err)
		}
	}
	if _, err := call(ctx, c, c.stores().CreateStore, &usherv1.CreateStoreRequest{Name: c.store}); err != nil {
		return err
	}
	if !b.keep {
		defer func() {
			ctx := context.WithoutCancel(ctx) // an interrupted run cleans up too
			if _, failure := call(ctx, c, c.stores().DeleteStore, &usherv1.DeleteStoreRequest{Store: c.store}); failure != nil {
				c.note("store %s is not deleted; do it with usher store delete %s", c.store, c.store)
				err = errors.Join(err, failure)
			}
		}()
	}
	l := library.New(1, b.tuples)
	loaded, err := target.Load(ctx, l.Tuples(), func(tuples int) { c.note("%d of about %d tuples are loaded", tuples, b.tuples) })
	if err != nil {
		return err
	}
	c.note("store %s has %d tuples: %.0f a second", c.store, loaded.Tuples, loaded.PerSecond())
	if metrics != "" {
		if err := target.AwaitWarm(ctx); err != nil {
			return err
		}
	}
	contenders := append(target.Reads(drive.Draw(l)),
		drive.Contender{Operation: target.Write(), Callers: drive.OneCaller},
		drive.Contender{Operation: target.Write(), Callers: drive.ManyCallers})
	results, err := drive.Compete(ctx, drive.Settings{
		Rounds: benchRounds, Round: b.time / time.Duration(len(contenders)*(benchRounds+1)), // one is for warming up
		Progress: func(done, of int) { c.note("%d of %d rounds", done, of) },
	}, contenders...)
	if err != nil {
		return err
	}
	return c.printResults(results)
}

// benchRounds is how many rounds each operation has. Machines drift within seconds.
const benchRounds = 3

// benchLine is one operation for programs.
type benchLine struct {
	Operation string        `json:"operation"`
	Callers   int           `json:"callers"`
	Requests  int           `json:"requests"`
	PerSecond float64       `json:"perSecond"`
	P50       time.Duration `json:"p50Nanos"`
	P99       time.Duration `json:"p99Nanos"`
	CPU       time.Duration `json:"cpuNanos,omitempty"` // of the server, for one request
}

// printResults prints a line for each operation. The first is health, the floor.
func (c *client) printResults(results []*drive.Result) error {
	floor := results[0].CPUPerRequest()
	header := table.Row{"operation", "callers", "per second", "p50", "p99"}
	if floor > 0 {
		header = append(header, "server cpu", "by health")
	}
	var rows []table.Row
	for _, r := range results {
		p50, p99, cpu := r.Quantile(0.5), r.Quantile(0.99), r.CPUPerRequest()
		if c.output == "json" {
			line := benchLine{r.Name, r.Callers, r.Requests(), r.PerSecond(), p50, p99, cpu}
			if err := json.NewEncoder(c.stdout).Encode(line); err != nil {
				return err
			}
			continue
		}
		row := table.Row{r.Name, r.Callers, fmt.Sprintf("%.0f", r.PerSecond()), p50.Round(time.Microsecond), p99.Round(time.Microsecond)}
		if floor > 0 {
			row = append(row, cpu.Round(100*time.Nanosecond), fmt.Sprintf("%.2f", float64(cpu)/float64(floor)))
		}
		rows = append(rows, row)
	}
	if c.output == "json" {
		return nil
	}
	_, err := fmt.Fprint(c.stdout, columns(header, rows))
	return err
}

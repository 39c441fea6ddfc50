package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuplefile"
)

// exportFlags are what export can be told.
type exportFlags struct {
	state
	format   string
	lossy    bool
	quiet    bool
	retryFor time.Duration
}

func (p *program) exportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:     "export [FILE]",
		GroupID: groupTuples,
		Short:   "Write all tuples of a store to a file",
		Long: `Write all tuples of a store, of one revision, to a file or to stdout, in a form that usher
import reads: jsonl (the default), csv, openfga or text, told by --format or by the
extension of FILE; usher import --help shows them.

FILE is there when it is complete: until then its name ends in .part. If the connection
breaks, export goes on where it was, at the same revision.

The tuples of openfga have no expiry and no attributes. Without them a tuple would grant
more than it does, so one that has them ends the export, or is left out with --lossy.`,
		Example: `  usher export tuples.jsonl
  usher export --at 2026-03-01 tuples.csv
  usher export --format openfga > tuples.json
  usher export | gzip > tuples.jsonl.gz`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return exactly("FILE")(cmd, args)
		},
		ValidArgsFunction: cobra.FixedCompletions([]string{"jsonl", "csv", "json", "txt"}, cobra.ShellCompDirectiveFilterFileExt),
	}
	f.state.addTo(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "`FORMAT` of the file, instead of the one its extension tells: "+strings.Join(tuplefile.Formats(), ", "))
	flags.BoolVar(&f.lossy, "lossy", false, "leave out tuples that the format cannot hold")
	addQuiet(cmd, &f.quiet)
	addRetryFor(cmd, &f.retryFor)
	complete(cmd, "format", tuplefile.Formats()...)
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name := "-"
		if len(args) > 0 {
			name = args[0]
		}
		return f.run(ctx, c, name)
	})
}

// run exports to a file and prints what it has.
func (f *exportFlags) run(ctx context.Context, c *client, name string) error {
	format, err := formatOfFile(f.format, name)
	if err != nil {
		return err
	}
	request := &usherv1.ExportRequest{Store: c.store}
	if request.Consistency, err = f.consistency(); err != nil {
		return err
	}
	ex := &exporter{client: c, request: request, lossy: f.lossy, retryFor: f.retryFor}
	summary := c.stderr // where the tuples do not go
	started := time.Now()
	if name == "-" {
		err = ex.write(ctx, format, c.stdout)
	} else {
		summary = c.stdout
		ex.progress = newProgress(c.stderr, -1, f.quiet)
		err = ex.writeFile(ctx, format, name)
		ex.progress.end()
	}
	if err != nil {
		return err
	}
	ex.report.Seconds = seconds(started)
	return c.printReport(summary, &ex.report, ex.report.text())
}

// exportReport is what became of an export.
type exportReport struct {
	Tuples   int64   `json:"tuples"`
	LeftOut  int64   `json:"leftOut,omitempty"` // that the format cannot hold
	Seconds  float64 `json:"seconds"`
	Token    string  `json:"token"`
	Revision uint64  `json:"revision,string"`
}

func (r *exportReport) text() string {
	text := fmt.Sprintf("%d %s", r.Tuples, english.PluralWord(int(r.Tuples), "tuple", ""))
	if r.LeftOut > 0 {
		text += fmt.Sprintf(", %d left out, which the format cannot hold", r.LeftOut)
	}
	return text + fmt.Sprintf("; %.1f s; revision %d, token %s\n", r.Seconds, r.Revision, r.Token)
}

// exporter receives all tuples through as many streams as it takes.
type exporter struct {
	*client
	request  *usherv1.ExportRequest
	lossy    bool
	retryFor time.Duration
	progress *progress
	out      countingWriter
	file     tuplefile.Writer
	report   exportReport
	more     bool // whether the export goes on behind the last message
}

// writeFile writes the tuples to a file that has its name when it is complete.
func (ex *exporter) writeFile(ctx context.Context, format tuplefile.Format, name string) (err error) {
	part := name + ".part"
	file, err := os.Create(part)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part))
		}
	}()
	err = ex.write(ctx, format, file)
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(part, name)
}

// write writes the tuples. A stream that breaks is followed by another one, which goes on
// behind the last tuple, until none gets on for retryFor.
func (ex *exporter) write(ctx context.Context, format tuplefile.Format, out io.Writer) error {
	ex.out = countingWriter{out: out}
	ex.file = tuplefile.NewWriter(format, &ex.out)
	again := &retry{client: ex.client, limit: ex.retryFor}
	for {
		before := ex.report.Tuples
		err := receive(ctx, ex.client, ex.tuples().Export, ex.request, ex.take)
		if err == nil {
			break
		}
		if ex.request.GetResume() == nil {
			return err // there is nothing to go on with
		}
		ex.progress.clear()
		if err := again.after(ctx, err, ex.report.Tuples > before); err != nil {
			return err
		}
	}
	if ex.more {
		return errors.New("the server ended the export before its end")
	}
	return ex.file.Close()
}

// take writes the tuples of a message, and notes where to go on behind them.
func (ex *exporter) take(message *usherv1.ExportResponse) error {
	for _, tuple := range message.GetTuples() {
		err := ex.file.Write(tuple)
		switch {
		case errors.Is(err, tuplefile.ErrUnsupported) && ex.lossy:
			ex.report.LeftOut++
			continue
		case errors.Is(err, tuplefile.ErrUnsupported):
			return fmt.Errorf("%s cannot be exported: %w; choose another --format, or leave out such tuples with --lossy", tupleText(tuple), err)
		case err != nil:
			return err
		}
		ex.report.Tuples++
	}
	if n := len(message.GetTuples()); n > 0 {
		after := wire.ToKey(message.GetTuples()[n-1]).String()
		ex.request.Consistency, ex.request.Resume = nil, &usherv1.Resume{Cursor: message.GetCursor(), After: after}
	}
	ex.more = message.GetMore()
	ex.report.Token, ex.report.Revision = message.GetToken(), message.GetRevision()
	ex.progress.show(ex.out.written, ex.report.Tuples)
	return nil
}

// countingWriter counts what is written.
type countingWriter struct {
	out     io.Writer
	written int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	w.written += int64(n)
	return n, err
}

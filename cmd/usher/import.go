package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuplefile"
)

// statusRejected is the exit status of import if some rows were rejected.
const statusRejected = 1

// importFlags are what import can be told.
type importFlags struct {
	origin
	format      string
	rejects     string
	checkpoint  int32
	stopOnError bool
	dryRun      bool
	quiet       bool
	retryFor    time.Duration
}

func (p *program) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:     "import FILE",
		GroupID: groupTuples,
		Short:   "Store the tuples of a file, however many",
		Long: `Store the tuples of a file, however many; - is stdin. A tuple takes the place of the one
of its object, relation and subject, so that importing a file again changes nothing.

  jsonl    usher.v1.Tuple in JSON, one a line, as usher export prints it (.jsonl, stdin)
  csv      columns object, relation, subject; if wanted condition, condition_context (JSON),
           expires (RFC 3339), attributes (JSON). For object also object_type, object_id;
           for subject also subject_type, subject_id, subject_relation (.csv)
  openfga  what OpenFGA's command line reads and writes: a list of {user, relation, object,
           condition}, or the tuples of a store file (.json, .yaml)
  text     media:logo#viewer@user:anna, one a line, as usher read prints it (.txt)

A row that is no tuple, or that the model forbids, is rejected and does not keep the rest
from being stored. Rejected rows are written to FILE.rejects (import.rejects for stdin),
one object of JSON a line: line, row, reason, message. If there is such a file already, a
number is put behind its name. A row of csv is one line.

Rows are stored in checkpoints; each is one revision. If the connection breaks, import goes
on behind the last checkpoint. After an import that was cut off, run the command again.

Exit status: 0 all rows are stored, 1 some were rejected and the others are stored, 2 the
import failed; the checkpoints before the failure stay.`,
		Example: `  usher import tuples.csv
  usher import library.fga.yaml --dry-run
  usher export | usher import - --store copy
  zcat tuples.jsonl.gz | usher import - --rejects bad.jsonl --actor user:anna`,
		Args:              exactly("FILE"),
		ValidArgsFunction: cobra.FixedCompletions([]string{"jsonl", "csv", "json", "yaml", "yml", "txt"}, cobra.ShellCompDirectiveFilterFileExt),
	}
	f.origin.addTo(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "`FORMAT` of the file, instead of the one its extension tells: "+strings.Join(tuplefile.Formats(), ", "))
	flags.StringVar(&f.rejects, "rejects", "", "`FILE` for rejected rows, instead of the import's name with .rejects")
	flags.Int32Var(&f.checkpoint, "checkpoint", 0, "rows in a checkpoint: 1 to 250000; 0 for 50000")
	flags.BoolVar(&f.stopOnError, "stop-on-error", false, "end with a failure at the first row that is rejected; those before it are stored")
	addDryRun(cmd, &f.dryRun)
	addQuiet(cmd, &f.quiet)
	addRetryFor(cmd, &f.retryFor)
	complete(cmd, "format", tuplefile.Formats()...)
	completeFiles(cmd, "rejects")
	return patient(p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		return f.run(ctx, c, args[0])
	}))
}

// run imports a file and prints what became of it.
func (f *importFlags) run(ctx context.Context, c *client, name string) error {
	format, err := formatOfFile(f.format, name)
	if err != nil {
		return err
	}
	if f.rejects == "-" {
		return errors.New("--rejects \"-\" names no file; stdout has the outcome of the import, so name a file, or /dev/null for none")
	}
	header := &usherv1.ImportHeader{Store: c.store, CheckpointRows: f.checkpoint, StopAtFirstFailure: f.stopOnError, DryRun: f.dryRun}
	if header.Actor, header.Metadata, err = f.parts(); err != nil {
		return err
	}
	in, size, err := c.openInput(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close()
	// A server that is not there is told at once, and waited for only later on.
	if _, err := call(ctx, c, c.stores().GetStore, &usherv1.GetStoreRequest{Store: c.store}); err != nil {
		return err
	}
	counted := &countingReader{in: in}
	im := &importer{
		client: c, header: header, retryFor: f.retryFor,
		file: tuplefile.NewReader(format, counted), bytes: counted,
		rejects:  &rejectFile{wanted: f.rejectsOf(name)},
		progress: newProgress(c.stderr, size, f.quiet),
	}
	started := time.Now()
	err = im.run(ctx)
	im.progress.end()
	im.report.Seconds = seconds(started)
	if closing := im.rejects.close(); err == nil {
		err = closing
	}
	im.report.Rejects = im.rejects.name
	return f.tell(c, im, err)
}

// tell prints the outcome of an import.
func (f *importFlags) tell(c *client, im *importer, err error) error {
	if im.rejects.name != "" {
		c.note("rejected rows are in %s, each with its line and the reason", im.rejects.name)
	}
	if err != nil {
		if im.report.line > 0 && !f.dryRun {
			c.note("all rows up to line %d are stored or rejected; when the command is run again they change nothing", im.report.line)
		}
		return err
	}
	if im.report.Rejected > 0 {
		c.status = statusRejected
	}
	return c.printReport(c.stdout, &im.report, im.report.text(f.dryRun))
}

// rejectsOf returns the name of the file for rejected rows.
func (f *importFlags) rejectsOf(name string) string {
	switch {
	case f.rejects != "":
		return f.rejects
	case name == "-":
		return "import.rejects"
	}
	return name + ".rejects"
}

// formatOfFile returns the format that a flag names, or that a file's extension tells.
// Standard input and output are JSON lines.
func formatOfFile(flag, name string) (tuplefile.Format, error) {
	if flag != "" {
		format, err := tuplefile.ParseFormat(flag)
		if err != nil {
			return "", fmt.Errorf("--format: %w", err)
		}
		return format, nil
	}
	if name == "-" {
		return tuplefile.JSONLines, nil
	}
	format, ok := tuplefile.FormatOf(name)
	if !ok {
		return "", fmt.Errorf("the extension of %s tells no format; name one by --format: %s", name, strings.Join(tuplefile.Formats(), ", "))
	}
	return format, nil
}

// openInput opens a file; "-" is stdin. size is -1 if it is not known.
func (p *program) openInput(ctx context.Context, name string) (in io.ReadCloser, size int64, err error) {
	if name == "-" {
		return interruptible(ctx, io.NopCloser(p.stdin)), -1, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return interruptible(ctx, file), -1, nil
	}
	return file, info.Size(), nil
}

// interruptible reads until ctx ends, even while nothing comes from a terminal or a pipe: a
// read of these cannot be broken off, and is left behind.
func interruptible(ctx context.Context, in io.ReadCloser) io.ReadCloser {
	out, pipe := io.Pipe()
	go func() {
		_, err := io.Copy(pipe, in)
		_ = pipe.CloseWithError(errors.Join(err, in.Close())) // nil is the end
	}()
	context.AfterFunc(ctx, func() { _ = pipe.CloseWithError(context.Cause(ctx)) })
	return out
}

// countingReader counts what is read.
type countingReader struct {
	in   io.Reader
	read int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	r.read += int64(n)
	return n, err
}

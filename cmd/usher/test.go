package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/usher-authz/usher/scenario"
)

// statusFailed is the exit status of test if an assertion does not hold.
const statusFailed = 1

// testRun is one run of the command test.
type testRun struct {
	*program
	only       string // tests whose name it matches; "" for all
	noCoverage bool
	output     string // "table" or "json"
}

func (p *program) testCommand() *cobra.Command {
	r := &testRun{program: p}
	cmd := &cobra.Command{
		Use:     "test FILE…",
		GroupID: groupAdmin,
		Short:   "Run scenario files: what must follow from a model and tuples",
		Long: `Run scenario files, in OpenFGA's store file format (*.fga.yaml), without a server.

A file names a model and tuples, and has tests: what checks and lists must answer, and
why. Each test is one line; below a test that fails stand the question, the answer, the
one that was wanted, and the reason for the answer that was got.

Then comes what no test covers: relations that nothing asks for or comes by, and
branches of the model ("viewer from parent") that no answer rested on. A branch of an
"or" never grants if no explanation goes through it; an operand of an "and", or a side
of a "but not", never refuses if it alone never kept the whole from holding. With --run
there is no coverage, for it speaks of all tests.

Beyond OpenFGA's format a file can have: at (the time to answer at), expires and
attributes of a tuple, tuple files of one tuple a line (.txt), users and objects of a
check, answers such as "conditional: size" and "user:bert (denied)", explanations,
attributes of answers as check --attributes prints them, and summaries of shares:

  tests:
    - name: a viewer may not comment
      at: 2026-12-01T09:00:00Z
      check:
        - { user: "user:joel", object: "clip:start", assertions: { can_watch: true } }
      explanations:
        - { user: "user:joel", relation: can_watch, object: "clip:start",
            granted_by: ["clip:start#viewer@user:joel"] }
        - { user: "user:joel", relation: can_comment, object: "clip:start",
            would_grant: ["clip:start#commenter", "clip:start#editor"] }
      attributes:
        - { user: "user:joel", object: "clip:start",
            assertions: { can_watch: not restricted,
              can_download: [max_video_size=1080, max_video_size=2160 watermark=true] } }
      share_summaries:
        - { objects: ["clip:start", "clip:end"], relations: [viewer, editor],
            recipients: { "user:joel": viewer, "user:iris": mixed (1 editor, 1 none) } }

Exit status: 0 all passed, 1 some failed, 2 a file cannot be read or is not valid.`,
		Example: `  usher test model.fga.yaml
  usher test examples/*/*.fga.yaml --run '^B8' --output json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("FILE… is missing; write usher test FILE…")
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE:              func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args) },
	}
	cmd.Flags().StringVar(&r.only, "run", "", "run only tests whose name matches this `REGEXP`")
	cmd.Flags().BoolVar(&r.noCoverage, "no-coverage", false, "leave out what no test covers")
	cmd.Flags().StringVarP(&r.output, "output", "o", "table", "how to print: `table|json`")
	complete(cmd, "output", "table", "json")
	return cmd
}

// testReport is what one run found; as JSON it is the output.
type testReport struct {
	Files      []fileReport  `json:"files"`
	Coverage   []modelReport `json:"coverage,omitempty"`
	Tests      int           `json:"tests"`
	Failed     int           `json:"failed"` // tests
	Assertions int           `json:"assertions"`
	Unmet      int           `json:"unmet"` // assertions
}

// fileReport is how the tests of one file went.
type fileReport struct {
	File  string            `json:"file"`
	Name  string            `json:"name,omitempty"`
	Tests []scenario.Result `json:"tests"`
}

// modelReport is what the files with one model cover of it together.
type modelReport struct {
	Files []string `json:"files"`
	scenario.Summary
}

func (r *testRun) run(ctx context.Context, paths []string) error {
	if r.output != "table" && r.output != "json" {
		return fmt.Errorf("--output %q is not known; use table or json", r.output)
	}
	files, err := r.load(paths)
	if err != nil {
		return err
	}
	report, err := r.runFiles(ctx, files)
	if err != nil {
		return err
	}
	if report.Failed > 0 {
		r.status = statusFailed
	}
	if r.output == "json" {
		return json.NewEncoder(r.stdout).Encode(report)
	}
	_, err = io.WriteString(r.stdout, reportText(report))
	return err
}

// load reads all files before any is run, and keeps the tests that --run selects.
func (r *testRun) load(paths []string) ([]*scenario.File, error) {
	only, err := regexp.Compile(r.only)
	if err != nil {
		return nil, fmt.Errorf("--run: %w", err)
	}
	var files []*scenario.File
	var faults []error
	tests := 0
	for _, path := range paths {
		file, err := scenario.Load(path)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		file.Tests = slices.DeleteFunc(file.Tests, func(t scenario.Test) bool { return !only.MatchString(t.Name) })
		tests += len(file.Tests)
		files = append(files, file)
	}
	if len(faults) == 0 && tests == 0 {
		faults = append(faults, fmt.Errorf("--run %q matches the name of no test", r.only))
	}
	return files, errors.Join(faults...)
}

func (r *testRun) runFiles(ctx context.Context, files []*scenario.File) (testReport, error) {
	var report testReport
	coverages := map[string]*scenario.Coverage{} // by the source of the model
	filesOf := map[string][]string{}
	var sources []string
	for _, f := range files {
		source := string(f.Source.Encode())
		if !r.noCoverage && r.only == "" && coverages[source] == nil {
			coverages[source] = scenario.NewCoverage(f.Model)
			sources = append(sources, source)
		}
		filesOf[source] = append(filesOf[source], f.Path)
		results, err := scenario.Run(ctx, f, coverages[source])
		if err != nil {
			return testReport{}, fmt.Errorf("%s: %w", f.Path, err)
		}
		report.add(fileReport{f.Path, f.Name, results})
	}
	for _, source := range sources {
		report.Coverage = append(report.Coverage, modelReport{filesOf[source], coverages[source].Summary()})
	}
	return report, nil
}

func (report *testReport) add(f fileReport) {
	report.Files = append(report.Files, f)
	for _, t := range f.Tests {
		report.Tests++
		report.Failed += min(1, len(t.Failures))
		report.Assertions += t.Passed + len(t.Failures)
		report.Unmet += len(t.Failures)
	}
}

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// report is a table of measurements in Markdown.
type report struct {
	settings settings
	rows     []string
}

func newReport(s settings) *report { return &report{settings: s} }

// add appends one measurement with its ratio to a floor, if it has one.
func (r *report) add(what, measured, ratio string) {
	r.rows = append(r.rows, fmt.Sprintf("| %s | %s | %s |", what, measured, ratio))
}

func perCall(total time.Duration, calls int) string {
	return fmt.Sprintf("%.1f µs", float64(total.Nanoseconds())/float64(calls)/1000)
}

// print writes the report, and the file if one was asked for.
func (r *report) print(w io.Writer) error {
	text := r.String()
	if _, err := io.WriteString(w, text); err != nil || r.settings.out == "" {
		return err
	}
	return os.WriteFile(r.settings.out, []byte(text), 0o644)
}

// String returns the report.
func (r *report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Performance

Written by `+"`make bench`"+` on %s, %s/%s with %d cores: a generated media library of
%d tuples, %d rounds of %v each, client and server on the same machine. The rows that have a
ratio were measured in turns with their floor; absolute figures drift with the machine.

| what | measured | ratio |
|---|---|---|
`, time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		r.settings.tuples, r.settings.rounds, r.settings.round)
	b.WriteString(strings.Join(r.rows, "\n") + "\n")
	return b.String()
}

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed report.md.tmpl
var reportText string

// report is what performance.md is written from. What was not measured is missing.
type report struct {
	Sizes  []*sizeResult // from small to large
	Growth *growthResult
	Mixed  *mixedResult
	Hard   []hardRow
	Notes  string // what people have found out; the program does not write them
}

// notesFile is where they are kept.
const notesFile = "notes.md"

// report writes the document and its plots from all results there are, and prints the tables.
func (s settings) report() error {
	r, err := s.results()
	if err != nil {
		return err
	}
	if len(r.Sizes) == 0 && r.Mixed == nil && r.Hard == nil {
		return nil // the first run has failed, and says why
	}
	if err := s.draw(r); err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	parsed, err := template.New("performance.md").Funcs(template.FuncMap{
		"table": table, "rows": func(r row) []row { return []row{r} }, "each": eachOf, "micros": micros, "millis": millis, "mebi": mebi, "number": func(n int) string { return number(float64(n)) },
	}).Parse(reportText)
	if err != nil {
		return err
	}
	var document strings.Builder
	if err := parsed.Execute(&document, r); err != nil {
		return err
	}
	for _, size := range r.Sizes {
		if _, err := fmt.Fprintf(s.stdout, "\n%s, %s\n\n%s", size.Size, size.Origin.Date, table(size.Table())); err != nil {
			return err
		}
	}
	if r.Growth != nil {
		if _, err := io.WriteString(s.stdout, "\n"+table([]row{r.Growth.Row()})); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(s.out, "performance.md"), []byte(document.String()), 0o644)
}

// results reads what earlier runs have kept.
func (s settings) results() (report, error) {
	var r report
	files, err := fs.Glob(os.DirFS(filepath.Join(s.out, "performance")), "*.json")
	if err != nil {
		return r, err
	}
	for _, file := range files {
		if file == growthFile || file == mixedFile {
			continue
		}
		size, err := kept[sizeResult](s, file)
		if err != nil {
			return r, err
		}
		r.Sizes = append(r.Sizes, size)
	}
	slices.SortFunc(r.Sizes, func(a, b *sizeResult) int { return a.Load.Tuples - b.Load.Tuples })
	if r.Growth, err = kept[growthResult](s, growthFile); err != nil {
		return r, err
	}
	if r.Mixed, err = kept[mixedResult](s, mixedFile); err != nil {
		return r, err
	}
	if r.Hard, err = s.hard(); err != nil {
		return r, err
	}
	notes, err := os.ReadFile(s.file(notesFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	r.Notes = string(notes)
	return r, err
}

// table draws rows in Markdown.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| operation | target | measured | ratio | p50 | p99 | met |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		b.WriteString(r.line() + "\n")
	}
	return b.String()
}

// eachOf tells what a summary costs for one of the things that it reads.
func eachOf(s shareResult) string {
	return fmt.Sprintf("%.2f µs", float64(s.CPU.Nanoseconds())/1000/float64(s.Per))
}

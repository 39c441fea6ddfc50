package scenario

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// File is a scenario file with all that it names, read and found to be valid.
type File struct {
	Path   string
	Name   string // for people
	Source model.Source
	Model  *model.Model
	Tuples []tuples.Tuple // in the order of the file, no two of one key
	Tests  []Test
}

// Test is one entry of tests.
type Test struct {
	Name   string
	Line   int
	At     time.Time      // the clock reading to answer at; the zero time if no tuple expires
	Tuples []tuples.Tuple // hold for this test alone, as contextual tuples
	// Assertions are in the order of the file, those of users and objects multiplied out.
	Assertions []Assertion
}

// Assertion is one thing that must follow.
type Assertion struct {
	Line    int
	Query   Query
	Context tuples.Context // values for parameters of conditions
	Want    string         // the answer, as [Library.Answer] gives it
	listed  []Item         // the same, of a list
}

// Fault is one thing wrong with a file: where, and what.
type Fault struct {
	File string
	Line int // from 1; 0 if it is the file as a whole
	tuples.Violation
}

// Error returns "file:line: field value: reason; remedy", without what is not known.
func (f Fault) Error() string {
	text := f.File
	if f.Line > 0 {
		text = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	text += ": " + f.Field
	if f.Value != "" {
		text = strings.TrimSuffix(text, " ") + fmt.Sprintf(" %q:", tuples.Shorten(f.Value))
	}
	text = strings.TrimSuffix(text, " ") + " " + f.Reason
	if f.Remedy != "" {
		text += "; " + f.Remedy
	}
	return text
}

// Load reads a scenario file and the files that it names, by paths relative to its
// own. It fails with an [*Error] that lists everything that is wrong with them.
func Load(path string) (*File, error) {
	r := &reader{path: path}
	file := r.load()
	if len(r.faults) > 0 {
		return nil, &Error{r.faults}
	}
	return file, nil
}

func (r *reader) load() *File {
	root, ok := r.document()
	if !ok {
		return nil
	}
	var source, sourceFile, stored, storedFile, storedFiles, tests node
	file := &File{Path: r.path}
	r.fields(root, map[string]setter{
		"name": r.text(&file.Name), "at": r.time(&r.at),
		"model": source.keep, "model_file": sourceFile.keep,
		"tuples": stored.keep, "tuple_file": storedFile.keep, "tuple_files": storedFiles.keep,
		"tests": tests.keep,
	})
	if r.readModel(root, source, sourceFile); r.model == nil {
		return nil // nothing below can be judged
	}
	r.stored = r.allTuples(stored, storedFile, storedFiles)
	file.Source, file.Model, file.Tuples = r.source, r.model, r.stored
	r.each(func(n node) { file.Tests = append(file.Tests, r.test(n)) })(tests)
	if len(file.Tests) == 0 {
		r.refuse(root, "tests", "", "is empty or missing", "write at least one test")
	}
	return file
}

// beside returns the path of a file that this one names.
func (r *reader) beside(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(r.path), filepath.FromSlash(name))
}

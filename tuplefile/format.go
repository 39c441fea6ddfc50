package tuplefile

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// Format is a form that a file of tuples can have.
type Format string

// The formats; the package comment shows them.
const (
	Text      Format = "text"
	JSONLines Format = "jsonl"
	CSV       Format = "csv"
	OpenFGA   Format = "openfga"
)

// Formats returns the names of all formats.
func Formats() []string {
	return []string{string(JSONLines), string(CSV), string(OpenFGA), string(Text)}
}

// ParseFormat reads the name of a format.
func ParseFormat(name string) (Format, error) {
	if !slices.Contains(Formats(), name) {
		return "", fmt.Errorf("format %q is not known; use one of %s", name, strings.Join(Formats(), ", "))
	}
	return Format(name), nil
}

// formatOf tells the format of a file by its extension.
var formatOf = map[string]Format{
	".jsonl": JSONLines, ".ndjson": JSONLines,
	".csv":  CSV,
	".yaml": OpenFGA, ".yml": OpenFGA, ".json": OpenFGA,
	".txt": Text,
}

// FormatOf returns the format that the extension of a file's name stands for; false if it
// stands for none.
func FormatOf(file string) (Format, bool) {
	format, ok := formatOf[strings.ToLower(filepath.Ext(file))]
	return format, ok
}

// Row is one row of a file.
type Row struct {
	// Line is the number of the line that it begins on, from 1.
	Line int64
	// Text is the row as it stands in the file, without the end of the line; of YAML it is
	// the same in JSON. Of a line that is too long it is the beginning.
	Text string
	// Tuple is what the row says; nil with Err. Of jsonl only the form is judged here.
	Tuple *usherv1.Tuple
	// Err says why the row is no tuple; a [tuples.InvalidError] or an error of its form.
	Err error
}

// Reader reads a file of tuples from beginning to end.
type Reader interface {
	// Read returns the next row. Its error is io.EOF behind the last one; any other says
	// that the file cannot be read further.
	Read() (Row, error)
}

// NewReader returns a reader of a file of this format. Nothing is read before the first row.
func NewReader(format Format, r io.Reader) Reader {
	switch format {
	case Text:
		return &lineReader{lines: newLines(r), parse: parseText, comments: true}
	case JSONLines:
		return &lineReader{lines: newLines(r), parse: parseMessage}
	case CSV:
		return newCSVReader(r)
	case OpenFGA:
		return &openFGAReader{in: bufio.NewReaderSize(r, readBytes)}
	}
	panic("tuplefile: no such format: " + string(format))
}

// Writer writes a file of tuples.
type Writer interface {
	// Write appends a tuple, which must be valid. The error is [ErrUnsupported] if the
	// format cannot hold what the tuple says; nothing of it is written then.
	Write(*usherv1.Tuple) error
	// Close writes what is left to be written. It does not close what is below.
	Close() error
}

// NewWriter returns a writer of a file of this format, which begins at once.
func NewWriter(format Format, w io.Writer) Writer {
	out := bufio.NewWriterSize(w, writeBytes)
	switch format {
	case Text:
		return &lineWriter{out: out, form: formText}
	case JSONLines:
		return &lineWriter{out: out, form: formMessage}
	case CSV:
		return newCSVWriter(out)
	case OpenFGA:
		return &openFGAWriter{out: out}
	}
	panic("tuplefile: no such format: " + string(format))
}

// The sizes of the pieces in which files are read and written.
const (
	readBytes  = 64 << 10
	writeBytes = 64 << 10
)

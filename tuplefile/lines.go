package tuplefile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

const (
	// maxLineBytes bounds a line: the longest tuple has two ids of 1 KiB, 32 KiB of context
	// and 16 attributes, which take six times as much where JSON escapes every character.
	maxLineBytes = 1 << 20
	// shownBytes is how much is kept of a line that is longer.
	shownBytes = 1 << 10
)

var (
	errTooLong = fmt.Errorf("is longer than %d bytes, which no tuple is; look for a missing end of line", maxLineBytes)
	errNotUTF8 = errors.New("is not UTF-8; save the file in that encoding")
)

// byteOrderMark is what some programs put before a text in UTF-8.
var byteOrderMark = []byte("\ufeff")

// lines reads a text line by line.
type lines struct {
	in     *bufio.Reader
	number int64 // of the last line that was read, from 1
}

func newLines(r io.Reader) *lines { return &lines{in: bufio.NewReaderSize(r, maxLineBytes)} }

// next returns the next line without its end, valid until the next call. The error is
// io.EOF behind the last line, or what went wrong below. refused says why the line cannot
// be a row.
func (l *lines) next() (line []byte, refused, err error) {
	line, err = l.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		beginning := bytes.Clone(line[:shownBytes])
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = l.in.ReadSlice('\n')
		}
		line, refused = beginning, errTooLong
	case len(line) == 0:
		return nil, nil, err
	case !utf8.Valid(line):
		refused = errNotUTF8
	}
	if errors.Is(err, io.EOF) {
		err = nil // behind this line
	}
	l.number++
	if l.number == 1 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	return bytes.TrimSpace(line), refused, err
}

// lineReader reads formats that have one tuple a line. Blank lines are skipped.
type lineReader struct {
	lines    *lines
	parse    func(line []byte) (*usherv1.Tuple, error)
	comments bool // whether lines that begin with "#" are skipped too
}

func (r *lineReader) Read() (Row, error) {
	for {
		line, refused, err := r.lines.next()
		if err != nil {
			return Row{}, err
		}
		if len(line) == 0 || r.comments && line[0] == '#' {
			continue
		}
		row := Row{Line: r.lines.number, Text: string(line), Err: refused}
		if refused == nil {
			row.Tuple, row.Err = r.parse(line)
		}
		return row, nil
	}
}

func parseText(line []byte) (*usherv1.Tuple, error) {
	t, err := tuples.ParseTuple(string(line))
	if err != nil {
		return nil, err
	}
	return wire.FromTuple(t), nil
}

func parseMessage(line []byte) (*usherv1.Tuple, error) {
	message := &usherv1.Tuple{}
	if err := protojson.Unmarshal(line, message); err != nil {
		return nil, malformed(line, "is no tuple in JSON", err,
			`write {"object": {"type": "media", "id": "logo"}, "relation": "viewer", "subject": {"type": "user", "id": "anna"}}`)
	}
	return message, nil
}

// lineWriter writes formats that have one tuple a line.
type lineWriter struct {
	out  *bufio.Writer
	form func(*usherv1.Tuple) ([]byte, error)
}

func (w *lineWriter) Write(message *usherv1.Tuple) error {
	line, err := w.form(message)
	if err != nil {
		return err
	}
	_, err = w.out.Write(append(line, '\n'))
	return err
}

func (w *lineWriter) Close() error { return w.out.Flush() }

func formText(message *usherv1.Tuple) ([]byte, error) {
	t, err := wire.ToTuple(message)
	return []byte(t.String()), err
}

// formMessage returns the JSON form without the blanks that protojson varies on purpose.
func formMessage(message *usherv1.Tuple) ([]byte, error) {
	text, err := protojson.Marshal(message)
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer
	err = json.Compact(&line, text)
	return line.Bytes(), err
}

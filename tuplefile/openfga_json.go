package tuplefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// jsonReader reads lists of tuples in JSON: a list, or an object with a list "tuples", or
// several of them, as pages come one after the other. The other keys of an object are
// skipped.
type jsonReader struct {
	decoder *json.Decoder
	lines   *lineCounter
	within  bool // the list lies within an object
	listing bool // the next value is an entry of a list
}

func newJSONReader(r io.Reader) *jsonReader {
	lines := &lineCounter{in: r, line: 1}
	return &jsonReader{decoder: json.NewDecoder(lines), lines: lines}
}

func (r *jsonReader) Read() (Row, error) {
	row, err := r.next()
	if err != nil && !errors.Is(err, io.EOF) {
		r.decoder.More() // goes to where the next value begins
		line := r.lines.at(r.decoder.InputOffset())
		return Row{}, fmt.Errorf("line %d: %w", line, readable(err))
	}
	return row, err
}

// readable makes the end of the file within a value an error of its own.
func readable(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends within a value; is it complete?")
	}
	return err
}

// next returns the next entry of this list, or of the next one.
func (r *jsonReader) next() (Row, error) {
	for !r.listing || !r.decoder.More() {
		if err := r.nextList(); err != nil {
			return Row{}, err
		}
	}
	var text json.RawMessage
	if err := r.decoder.Decode(&text); err != nil {
		return Row{}, midway(err)
	}
	row := Row{Line: r.lines.at(r.decoder.InputOffset() - int64(len(text))), Text: string(text)}
	if !utf8.Valid(text) {
		row.Err = errNotUTF8
		return row, nil
	}
	row.Tuple, row.Err = parseEntry(text)
	return row, nil
}

// nextList leaves the list that has come to its end, if there is one, and enters the next.
func (r *jsonReader) nextList() error {
	if r.listing {
		r.listing = false
		if _, err := r.decoder.Token(); err != nil { // its end
			return midway(err)
		}
		if r.within {
			r.within = false
			return r.skipRest()
		}
	}
	first, err := r.decoder.Token()
	if err != nil {
		return err // io.EOF behind the last list
	}
	switch first {
	case json.Delim('['):
		r.listing = true
		return nil
	case json.Delim('{'):
		return r.enterObject()
	}
	return fmt.Errorf("%v is no list of tuples; write [ … ], or {\"tuples\": [ … ]}", first)
}

// enterObject goes to the list of tuples of an object.
func (r *jsonReader) enterObject() error {
	for r.decoder.More() {
		key, err := r.decoder.Token()
		if err != nil {
			return midway(err)
		}
		if key == "tuples" {
			return r.enterList()
		}
		if err := r.skip(key); err != nil {
			return err
		}
	}
	return errNoTuples
}

// enterList enters the list that must be the value of the key "tuples".
func (r *jsonReader) enterList() error {
	first, err := r.decoder.Token()
	switch {
	case err != nil:
		return midway(err)
	case first != json.Delim('['):
		return errors.New(`"tuples" is no list; write [ … ]`)
	}
	r.listing, r.within = true, true
	return nil
}

var errNoTuples = errors.New(`there is no key "tuples"; import a list of tuples, or an object that has one under this key`)

// skipRest reads an object to its end.
func (r *jsonReader) skipRest() error {
	for r.decoder.More() {
		key, err := r.decoder.Token()
		if err != nil {
			return midway(err)
		}
		if key == "tuples" {
			return errors.New(`"tuples" stands twice in one object; make them one list`)
		}
		if err := r.skip(key); err != nil {
			return err
		}
	}
	_, err := r.decoder.Token()
	return midway(err)
}

// skip passes over the value of a key.
func (r *jsonReader) skip(key json.Token) error {
	if name, ok := key.(string); ok {
		if err := refuseKey(name); err != nil {
			return err
		}
	}
	var value json.RawMessage
	return midway(r.decoder.Decode(&value))
}

// refuseKey refuses the keys of a store file that name further tuples, which would be
// left out silently.
func refuseKey(name string) error {
	if name == "tuple_file" || name == "tuple_files" {
		return fmt.Errorf("%s is not followed; import the files that it names one by one", name)
	}
	return nil
}

// midway makes the end of the file an error, where it is no end.
func midway(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// lineCounter tells on which line of what it reads a byte stands.
type lineCounter struct {
	in   io.Reader
	read int64   // bytes
	ends []int64 // the offsets of the ends of lines from line on
	line int64
}

func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// at returns the line of the byte at an offset, which must not be before the last one
// that was asked for.
func (l *lineCounter) at(offset int64) int64 {
	passed := 0
	for passed < len(l.ends) && l.ends[passed] < offset {
		passed++
	}
	l.ends = l.ends[passed:]
	l.line += int64(passed)
	return l.line
}

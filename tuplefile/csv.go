package tuplefile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// record is a row of a CSV file, by columns.
type record struct {
	object, subject                        string // in text form, or in parts:
	objectType, objectID                   string
	subjectType, subjectID, subjectRel     string
	relation                               string
	condition, context, expiry, attributes string
}

// columns are the fields of a record by the names of their columns. Those that begin with
// user_, and condition_name, are what OpenFGA's command line calls them.
var columns = map[string]func(*record) *string{
	"object":            func(r *record) *string { return &r.object },
	"object_type":       func(r *record) *string { return &r.objectType },
	"object_id":         func(r *record) *string { return &r.objectID },
	"relation":          func(r *record) *string { return &r.relation },
	"subject":           func(r *record) *string { return &r.subject },
	"subject_type":      func(r *record) *string { return &r.subjectType },
	"subject_id":        func(r *record) *string { return &r.subjectID },
	"subject_relation":  func(r *record) *string { return &r.subjectRel },
	"condition":         func(r *record) *string { return &r.condition },
	"condition_context": func(r *record) *string { return &r.context },
	"expires":           func(r *record) *string { return &r.expiry },
	"attributes":        func(r *record) *string { return &r.attributes },
	"user_type":         func(r *record) *string { return &r.subjectType },
	"user_id":           func(r *record) *string { return &r.subjectID },
	"user_relation":     func(r *record) *string { return &r.subjectRel },
	"condition_name":    func(r *record) *string { return &r.condition },
}

// csvReader reads CSV (RFC 4180), with one difference: a row is one line. A quote that is
// not closed would take the rest of the file for one value otherwise.
type csvReader struct {
	lineReader
	rest   []byte // of the line that fields reads
	fields *csv.Reader
	header []func(*record) *string
}

func newCSVReader(r io.Reader) *csvReader {
	c := &csvReader{lineReader: lineReader{lines: newLines(r)}}
	c.parse = c.tuple
	c.fields = csv.NewReader((*lineSource)(c))
	c.fields.FieldsPerRecord = -1 // counted in tuple, which names the numbers
	c.fields.ReuseRecord = true
	return c
}

// lineSource gives one line to the library, and ends behind it until there is another.
type lineSource csvReader

func (s *lineSource) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// split returns the values of a line, valid until the next call.
func (c *csvReader) split(line []byte) ([]string, error) {
	c.rest = line
	values, err := c.fields.Read()
	if err != nil {
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			err = parse.Err
		}
		return nil, malformed(line, "is no row of CSV", err, "write a quote within quotes twice, and a row on one line")
	}
	return values, nil
}

func (c *csvReader) Read() (Row, error) {
	if c.header == nil {
		if err := c.readHeader(); err != nil {
			return Row{}, err
		}
	}
	return c.lineReader.Read()
}

// readHeader reads the names of the columns.
func (c *csvReader) readHeader() error {
	var line []byte
	for len(line) == 0 {
		var refused, err error
		line, refused, err = c.lines.next()
		if errors.Is(err, io.EOF) {
			return errors.New("the file is empty; begin it with a line of column names, as in object,relation,subject")
		}
		if err := errors.Join(err, refused); err != nil {
			return fmt.Errorf("the header: %w", err)
		}
	}
	names, err := c.split(line)
	if err != nil {
		return fmt.Errorf("the header: %w", err)
	}
	found := map[string]bool{}
	for _, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		field, ok := columns[name]
		switch {
		case !ok:
			return fmt.Errorf("column %q of the header is not known; separate by commas some of %s", name, strings.Join(slices.Sorted(maps.Keys(columns)), ", "))
		case found[name]:
			return fmt.Errorf("column %q stands twice in the header; leave one out", name)
		}
		found[name] = true
		c.header = append(c.header, field)
	}
	return checkColumns(found)
}

// checkColumns finds out whether each part of a tuple has a column, and only one.
func checkColumns(found map[string]bool) error {
	for openFGA, ours := range map[string]string{
		"user_type": "subject_type", "user_id": "subject_id", "user_relation": "subject_relation", "condition_name": "condition",
	} {
		if found[openFGA] && found[ours] {
			return fmt.Errorf("columns %q and %q are the same; leave one out", openFGA, ours)
		}
		found[ours] = found[ours] || found[openFGA]
	}
	for _, side := range []string{"object", "subject"} {
		parts := found[side+"_type"] && found[side+"_id"]
		anyPart := found[side+"_type"] || found[side+"_id"] || found[side+"_relation"]
		if found[side] == anyPart || anyPart && !parts {
			return fmt.Errorf("the header needs the column %s, or the columns %s_type and %s_id, and not both", side, side, side)
		}
	}
	if !found["relation"] {
		return errors.New("the header needs the column relation")
	}
	return nil
}

// tuple reads a row.
func (c *csvReader) tuple(line []byte) (*usherv1.Tuple, error) {
	values, err := c.split(line)
	if err != nil {
		return nil, err
	}
	if len(values) != len(c.header) {
		return nil, fmt.Errorf("%q has %d values, and the header %d; write one for each column", tuples.Shorten(string(line)), len(values), len(c.header))
	}
	var r record
	for i, field := range c.header {
		*field(&r) = strings.TrimSpace(values[i])
	}
	t, err := r.tuple()
	if err != nil {
		return nil, err
	}
	return wire.FromTuple(t), nil
}

// tuple returns what the record says.
func (r *record) tuple() (t tuples.Tuple, err error) {
	t.Relation = tuples.Relation(r.relation)
	if t.Object, err = r.objectOf(); err != nil {
		return t, err
	}
	if t.Subject, err = r.subjectOf(); err != nil {
		return t, err
	}
	if r.condition != "" {
		t.Condition = &tuples.Condition{Name: r.condition}
	}
	if r.context != "" {
		context, err := parseContext(r.context)
		if err != nil {
			return t, err
		}
		if t.Condition == nil && len(context) > 0 {
			return t, tuples.Invalid("condition_context", r.context, "is there without a condition", "name the condition, or leave it empty")
		}
		if t.Condition != nil {
			t.Condition.Context = context
		}
	}
	if r.expiry != "" {
		if t.Expires, err = parseExpires(r.expiry); err != nil {
			return t, err
		}
	}
	if r.attributes != "" {
		if t.Attributes, err = parseAttributes(r.attributes); err != nil {
			return t, err
		}
	}
	return t, t.Validate()
}

func (r *record) objectOf() (tuples.Object, error) {
	if r.objectType != "" || r.objectID != "" {
		return tuples.Object{Type: tuples.ObjectType(r.objectType), ID: tuples.ID(r.objectID)}, nil
	}
	return tuples.ParseObject(r.object)
}

func (r *record) subjectOf() (tuples.Subject, error) {
	if r.subjectType != "" || r.subjectID != "" {
		return tuples.Subject{Type: tuples.ObjectType(r.subjectType), ID: tuples.ID(r.subjectID), Relation: tuples.Relation(r.subjectRel)}, nil
	}
	return tuples.ParseSubject(r.subject)
}

// written are the columns of files that are written.
var written = []string{"object", "relation", "subject", "condition", "condition_context", "expires", "attributes"}

type csvWriter struct {
	out *csv.Writer
}

func newCSVWriter(out *bufio.Writer) *csvWriter {
	w := &csvWriter{csv.NewWriter(out)}
	_ = w.out.Write(written) // a failure below comes back from every later call
	return w
}

func (w *csvWriter) Write(message *usherv1.Tuple) error {
	t, err := wire.ToTuple(message)
	if err != nil {
		return err
	}
	var condition, context, expires, attributes []byte
	if t.Condition != nil {
		condition = []byte(t.Condition.Name)
		if len(t.Condition.Context) > 0 {
			if context, err = marshal(t.Condition.Context); err != nil {
				return err
			}
		}
	}
	if !t.Expires.IsZero() {
		expires = t.Expires.UTC().AppendFormat(nil, time.RFC3339Nano)
	}
	if len(t.Attributes) > 0 {
		if attributes, err = marshal(t.Attributes); err != nil {
			return err
		}
	}
	return w.out.Write([]string{
		t.Object.String(), string(t.Relation), t.Subject.String(),
		string(condition), string(context), string(expires), string(attributes),
	})
}

func (w *csvWriter) Close() error {
	w.out.Flush()
	return w.out.Error()
}

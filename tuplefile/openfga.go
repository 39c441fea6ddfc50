package tuplefile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// entry is a tuple as OpenFGA writes it, in JSON or YAML. Expires and Attributes are
// Usher's own, which scenario files have too. Read of OpenFGA puts the tuple below key.
type entry struct {
	User       string          `json:"user"`
	Relation   string          `json:"relation"`
	Object     string          `json:"object"`
	Condition  *entryCondition `json:"condition,omitempty"`
	Expires    string          `json:"expires,omitempty"`
	Attributes json.RawMessage `json:"attributes,omitempty"`

	Key       *entry `json:"key,omitempty"`
	Timestamp string `json:"timestamp,omitempty"` // of the write; Usher has its own
}

type entryCondition struct {
	Name    string          `json:"name"`
	Context json.RawMessage `json:"context,omitempty"`
}

// parseEntry reads one tuple in JSON.
func parseEntry(text []byte) (*usherv1.Tuple, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var e entry
	if err := decodeAll(decoder, &e); err != nil {
		return nil, malformed(text, "is no tuple of OpenFGA", err,
			`write {"user": "user:anna", "relation": "viewer", "object": "media:logo"}, with a condition if there is one`)
	}
	if e.Key != nil {
		e = *e.Key
	}
	t, err := e.tuple()
	if err != nil {
		return nil, err
	}
	return wire.FromTuple(t), nil
}

// tuple returns what the entry says.
func (e *entry) tuple() (t tuples.Tuple, err error) {
	for _, part := range []struct{ field, value, remedy string }{
		{"user", e.User, "write for example user:anna"},
		{"relation", e.Relation, "write for example viewer"},
		{"object", e.Object, "write for example media:logo"},
	} {
		if part.value == "" {
			return t, tuples.Invalid(part.field, "", "is missing", part.remedy)
		}
	}
	t.Relation = tuples.Relation(e.Relation)
	if t.Object, err = tuples.ParseObject(e.Object); err != nil {
		return t, err
	}
	if t.Subject, err = tuples.ParseSubject(e.User); err != nil {
		return t, err
	}
	if c := e.Condition; c != nil {
		t.Condition = &tuples.Condition{Name: c.Name}
		if c.Context != nil {
			if t.Condition.Context, err = parseContext(string(c.Context)); err != nil {
				return t, err
			}
		}
	}
	if e.Expires != "" {
		if t.Expires, err = parseExpires(e.Expires); err != nil {
			return t, err
		}
	}
	if e.Attributes != nil {
		if t.Attributes, err = parseAttributes(string(e.Attributes)); err != nil {
			return t, err
		}
	}
	return t, t.Validate()
}

// openFGAReader finds out whether a file is JSON or YAML: what begins with "[" or "{" is
// JSON.
type openFGAReader struct {
	in *bufio.Reader
	Reader
}

func (r *openFGAReader) Read() (Row, error) {
	if r.Reader == nil {
		first, err := r.firstByte()
		switch {
		case errors.Is(err, io.EOF):
			return Row{}, errors.New("the file is empty; write a list of tuples, if only []")
		case err != nil:
			return Row{}, err
		case first == '[' || first == '{':
			r.Reader = newJSONReader(r.in)
		default:
			r.Reader = newYAMLReader(r.in)
		}
	}
	return r.Reader.Read()
}

// firstByte returns the first byte that is no blank, without reading past the lines before
// it, which count.
func (r *openFGAReader) firstByte() (byte, error) {
	if mark, err := r.in.Peek(len(byteOrderMark)); err == nil && bytes.Equal(mark, byteOrderMark) {
		if _, err := r.in.Discard(len(mark)); err != nil {
			return 0, err
		}
	}
	for n := 1; ; n++ {
		ahead, err := r.in.Peek(n)
		if len(ahead) < n {
			return 0, err
		}
		if c := ahead[n-1]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, nil
		}
	}
}

// ErrUnsupported says that a format cannot hold what a tuple says.
var ErrUnsupported = errors.New("OpenFGA's tuples have no expiry and no attributes")

// openFGAWriter writes a list in JSON, which is YAML too, with an entry a line.
type openFGAWriter struct {
	out   *bufio.Writer
	begun bool
}

func (w *openFGAWriter) Write(message *usherv1.Tuple) error {
	t, err := wire.ToTuple(message)
	if err != nil {
		return err
	}
	if !t.Expires.IsZero() || len(t.Attributes) > 0 {
		return ErrUnsupported
	}
	e := entry{User: t.Subject.String(), Relation: string(t.Relation), Object: t.Object.String()}
	if t.Condition != nil {
		e.Condition = &entryCondition{Name: t.Condition.Name}
		if len(t.Condition.Context) > 0 {
			if e.Condition.Context, err = marshal(t.Condition.Context); err != nil {
				return err
			}
		}
	}
	text, err := marshal(e)
	if err != nil {
		return err
	}
	start := ",\n"
	if !w.begun {
		w.begun, start = true, "[\n"
	}
	_, _ = w.out.WriteString(start) // a failure below comes back from every later call
	_, err = w.out.Write(text)
	return err
}

func (w *openFGAWriter) Close() error {
	end := "\n]\n"
	if !w.begun {
		end = "[]\n"
	}
	_, _ = w.out.WriteString(end)
	return w.out.Flush()
}

package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// readModel reads the model that is named or that stands in the file itself.
func (r *reader) readModel(root, inline, named node) {
	var err error
	switch {
	case (inline.Node == nil) == (named.Node == nil):
		r.refuse(root, "model", "", "stands there twice or not at all", "write one of model and model_file")
		return
	case inline.Node != nil:
		r.source = model.Source{DSL: inline.Value}
	default:
		if r.source, err = model.ReadFile(r.beside(named.Value)); err != nil {
			r.refuse(named, "", named.Value, reasonOf(err), "name a .fga or .json file, or fga.mod")
			return
		}
	}
	parsed, _, err := model.Parse(r.source)
	var refused *model.Error
	if !errors.As(err, &refused) {
		r.model = parsed
		return
	}
	for _, p := range refused.Problems {
		f := Fault{r.path, inline.line(), tuples.Violation{Reason: p.Message, Remedy: p.Remedy}}
		switch {
		case inline.Node == nil:
			f.File, f.Line = r.beside(named.Value), p.Pos.Line
			if p.Pos.File != "" { // a module
				f.File = filepath.Join(filepath.Dir(f.File), filepath.FromSlash(p.Pos.File))
			}
		case inline.Style == yaml.LiteralStyle: // begins below the key
			f.Line += p.Pos.Line
		}
		r.faults = append(r.faults, f)
	}
}

// line returns the line of a node, 0 if it is not there.
func (n node) line() int {
	if n.Node == nil {
		return 0
	}
	return n.Line
}

// allTuples reads the tuples of one place: those that stand in it, and those of the
// files that it names.
func (r *reader) allTuples(inline, file, files node) []tuples.Tuple {
	l := &tupleList{reader: r, seen: map[tuples.Key]tuples.Tuple{}}
	r.each(l.entry)(inline)
	if file.Node != nil {
		l.file(file)
	}
	r.each(l.file)(files)
	return l.tuples
}

// tupleList collects tuples that the model permits, no two of one key.
type tupleList struct {
	*reader
	seen   map[tuples.Key]tuples.Tuple
	tuples []tuples.Tuple
}

// file reads a file of tuples.
func (l *tupleList) file(n node) {
	var name string
	if l.text(&name)(n); name == "" {
		return
	}
	other := &reader{path: l.beside(name), model: l.model}
	inner := &tupleList{reader: other, seen: l.seen}
	switch filepath.Ext(name) {
	case ".txt":
		inner.lines()
	case ".yaml", ".yml", ".json":
		if root, ok := other.document(); ok {
			other.each(inner.entry)(root)
		}
	default:
		l.refuse(n, "", name, "is no kind of file that tuples are read from", "use .yaml, .json, or .txt with one tuple a line")
	}
	l.tuples = append(l.tuples, inner.tuples...)
	l.faults = append(l.faults, other.faults...)
}

// lines reads tuples in their text form, one a line, between empty lines and lines
// that begin with "#".
func (l *tupleList) lines() {
	text, err := os.ReadFile(l.path)
	if err != nil {
		l.faults = append(l.faults, Fault{l.path, 0, tuples.Violation{Reason: reasonOf(err), Remedy: "name a file that can be read"}})
		return
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		at := node{&yaml.Node{Kind: yaml.ScalarNode, Line: number, Value: line}, ""}
		t, err := tuples.ParseTuple(line)
		if err != nil {
			l.invalid(at, err)
			continue
		}
		l.add(at, t)
	}
}

// entry reads one tuple as a mapping.
func (l *tupleList) entry(n node) {
	var t tuples.Tuple
	var relation string
	before := len(l.faults)
	l.fields(n, map[string]setter{
		"user":       l.subject(&t.Subject),
		"relation":   l.text(&relation),
		"object":     l.object(&t.Object),
		"condition":  l.condition(&t.Grant),
		"expires":    l.time(&t.Expires),
		"attributes": l.attributes(&t.Attributes),
	}, "user", "relation", "object")
	t.Relation = tuples.Relation(relation)
	t.Expires = t.Expires.Truncate(time.Millisecond)
	if len(l.faults) > before {
		return
	}
	if err := t.Validate(); err != nil {
		l.invalid(n, err)
		return
	}
	l.add(n, t)
}

// attributes is a setter of the attributes of a tuple.
func (r *reader) attributes(into *tuples.Attributes) setter {
	return func(n node) {
		text := r.values(n)
		if text == nil {
			return
		}
		var err error
		if *into, err = parseAttributes(text); err != nil {
			r.invalid(n, err)
		}
	}
}

// parseAttributes reads attributes from an object of JSON. Whole numbers stay whole.
func parseAttributes(text []byte) (tuples.Attributes, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	return tuples.AttributesFromJSON(values)
}

// condition is a setter of the condition that a tuple carries.
func (r *reader) condition(into *tuples.Grant) setter {
	return func(n node) {
		c := &tuples.Condition{}
		r.fields(n, map[string]setter{"name": r.text(&c.Name), "context": r.context(&c.Context)}, "name")
		into.Condition = c
	}
}

// add takes a valid tuple in. One that is there already may stand there again.
func (l *tupleList) add(n node, t tuples.Tuple) {
	if err := l.model.ValidateTuple(t); err != nil {
		l.invalid(n, err)
		return
	}
	if had, ok := l.seen[t.Key]; ok {
		if !had.Grant.Equal(t.Grant) {
			l.refuse(n, "", t.String(), "stands there already with another condition, expiry or attributes", "keep one of the two")
		}
		return
	}
	l.seen[t.Key] = t
	l.tuples = append(l.tuples, t)
}

package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Error says that a scenario file cannot be run. It holds everything that is wrong with
// it and with the files that it names.
type Error struct{ Faults []Fault }

// Error returns one line per fault.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// reader reads one file of YAML, and collects what is wrong with it.
type reader struct {
	path   string
	at     time.Time // of the file
	source model.Source
	model  *model.Model
	stored []tuples.Tuple
	faults []Fault
}

// node is a value of a file, and the path that leads to it, such as
// "tests[0].check[1].user". The zero node is one that is not there.
type node struct {
	*yaml.Node
	path string
}

// setter takes the value of one key.
type setter func(node)

// keep is a setter that keeps the value for later.
func (n *node) keep(value node) { *n = value }

// refuse notes a fault at a place.
func (r *reader) refuse(n node, field, value, reason, remedy string) {
	if field != "" && n.path != "" {
		field = n.path + "." + field
	} else if field == "" {
		field = n.path
	}
	fault := Fault{r.path, n.Line, tuples.Violation{Field: field, Value: value, Reason: reason, Remedy: remedy}}
	if !slices.Contains(r.faults, fault) { // users and objects are multiplied out
		r.faults = append(r.faults, fault)
	}
}

// invalid notes an error of the vocabulary or the model at a place.
func (r *reader) invalid(n node, err error) {
	var refused *tuples.InvalidError
	if !errors.As(err, &refused) {
		r.refuse(n, "", n.Value, err.Error(), "")
		return
	}
	for _, v := range refused.Violations {
		if n.Kind == yaml.ScalarNode {
			v.Field = "" // the place says it
		}
		r.refuse(n, v.Field, v.Value, v.Reason, v.Remedy)
	}
}

// document reads the file; false if there is nothing to go on with.
func (r *reader) document() (node, bool) {
	text, err := os.ReadFile(r.path)
	if err != nil {
		r.faults = append(r.faults, Fault{r.path, 0, tuples.Violation{Reason: reasonOf(err), Remedy: "name a file that can be read"}})
		return node{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root, second yaml.Node
	if err := decoder.Decode(&root); err != nil {
		reason := strings.TrimPrefix(err.Error(), "yaml: ")
		if errors.Is(err, io.EOF) {
			reason = "the file is empty"
		}
		r.faults = append(r.faults, Fault{r.path, 0, tuples.Violation{Reason: reason, Remedy: "write one document of YAML"}})
		return node{}, false
	}
	if !errors.Is(decoder.Decode(&second), io.EOF) {
		r.refuse(node{&second, ""}, "", "---", "begins a second document, which nobody would read", "write one document")
	}
	return node{root.Content[0], ""}, true
}

// fields gives each value of a mapping to the setter of its key, and refuses a mapping
// that lacks a required key.
func (r *reader) fields(n node, known map[string]setter, required ...string) {
	found := map[string]bool{}
	for key, value := range r.pairs(n) {
		found[key.Value] = true
		set, ok := known[key.Value]
		switch {
		case ok:
			set(value)
		case key.Value == "metadata":
			r.refuse(key, "", "", "goes with a write into the change log, and no answer depends on it",
				"leave it out; for what answers tell of a grant, write attributes of its tuple")
		default:
			r.refuse(key, "", "", "is not a key of this place", "write one of "+strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	for _, key := range required {
		if !found[key] {
			r.refuse(n, key, "", "is missing", "write it")
		}
	}
}

// pairs yields the keys of a mapping with their values, in the order of the file. A key
// that stands there twice is refused. A mapping that is not there has none.
func (r *reader) pairs(n node) iter.Seq2[node, node] {
	return func(yield func(key, value node) bool) {
		if n.Node == nil {
			return
		}
		if n.Kind != yaml.MappingNode {
			r.refuse(n, "", n.Value, "is not a mapping", "write { key: value }, or one \"key: value\" a line")
			return
		}
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			path := strings.TrimPrefix(n.path+"."+n.Content[i].Value, ".")
			key, value := node{n.Content[i], path}, resolved(n.Content[i+1], path)
			if seen[key.Value] {
				r.refuse(key, "", "", "stands there twice", "keep one of the two")
				continue
			}
			seen[key.Value] = true
			if !yield(key, value) {
				return
			}
		}
	}
}

// each is a setter that gives every entry of a list to take.
func (r *reader) each(take setter) setter {
	return func(n node) {
		if n.Node == nil {
			return
		}
		if n.Kind != yaml.SequenceNode {
			r.refuse(n, "", n.Value, "is not a list", "write [ … ], or one entry a line behind \"-\"")
			return
		}
		for i, entry := range n.Content {
			take(resolved(entry, fmt.Sprintf("%s[%d]", n.path, i)))
		}
	}
}

// resolved follows a reference of YAML (*name) to what it stands for.
func resolved(n *yaml.Node, path string) node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return node{n, path}
}

// text is a setter of a text that is not empty.
func (r *reader) text(into *string) setter {
	return func(n node) {
		if n.Kind != yaml.ScalarNode || n.Value == "" || n.Tag == "!!null" {
			r.refuse(n, "", n.Value, "is not a text", "write a text")
			return
		}
		*into = n.Value
	}
}

// time is a setter of a time in RFC 3339.
func (r *reader) time(into *time.Time) setter {
	return func(n node) {
		parsed, err := time.Parse(time.RFC3339, n.Value)
		if err != nil {
			r.refuse(n, "", n.Value, "is not a time", "write RFC 3339, as in 2026-12-31T23:59:59Z")
			return
		}
		*into = parsed.UTC()
	}
}

// values returns a mapping of names to values as JSON has it.
func (r *reader) values(n node) []byte {
	var values map[string]any
	if err := n.Decode(&values); err != nil {
		r.refuse(n, "", n.Value, "is not a mapping of names to values", "write { name: value }")
		return nil
	}
	text, err := json.Marshal(values)
	if err != nil {
		r.refuse(n, "", n.Value, err.Error(), "use what JSON has: numbers, texts, true, false, lists, objects")
		return nil
	}
	return text
}

// context is a setter of values for the parameters of conditions.
func (r *reader) context(into *tuples.Context) setter {
	return func(n node) {
		if text := r.values(n); text != nil {
			if err := json.Unmarshal(text, into); err != nil {
				r.invalid(n, err)
			}
		}
	}
}

// reasonOf returns what the operating system says, without the name of the file.
func reasonOf(err error) string {
	if of, ok := errors.AsType[*os.PathError](err); ok {
		return of.Err.Error()
	}
	return err.Error()
}

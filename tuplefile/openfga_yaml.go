package tuplefile

import (
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// yamlReader reads lists of tuples in YAML: a list, or a mapping with a list "tuples", as
// store files (*.fga.yaml) have it, in each document of the file.
type yamlReader struct {
	decoder *yaml.Decoder
	entries []*yaml.Node // of this document, that are still to be read
}

func newYAMLReader(r io.Reader) *yamlReader { return &yamlReader{decoder: yaml.NewDecoder(r)} }

func (r *yamlReader) Read() (Row, error) {
	for len(r.entries) == 0 {
		var document yaml.Node
		if err := r.decoder.Decode(&document); err != nil {
			return Row{}, err // it names the line
		}
		var err error
		if r.entries, err = listOf(document.Content[0]); err != nil {
			return Row{}, err
		}
	}
	n := r.entries[0]
	r.entries = r.entries[1:]
	row := Row{Line: int64(n.Line)}
	var value any
	if row.Err = n.Decode(&value); row.Err != nil {
		return row, nil
	}
	text, err := marshal(value)
	if row.Text = string(text); err != nil {
		row.Err = fmt.Errorf("has what JSON does not: %w; use numbers, texts, true, false, lists and mappings of names", err)
		return row, nil
	}
	row.Tuple, row.Err = parseEntry(text)
	return row, nil
}

// listOf returns the entries of a document's list of tuples.
func listOf(root *yaml.Node) ([]*yaml.Node, error) {
	switch root.Kind {
	case yaml.SequenceNode:
		return root.Content, nil
	case yaml.MappingNode:
		var list *yaml.Node
		for i := 0; i+1 < len(root.Content); i += 2 {
			key, value := root.Content[i], root.Content[i+1]
			if err := refuseKey(key.Value); err != nil {
				return nil, fmt.Errorf("line %d: %w", key.Line, err)
			}
			if key.Value == "tuples" {
				list = value
			}
		}
		switch {
		case list == nil:
			return nil, errNoTuples
		case list.Kind != yaml.SequenceNode:
			return nil, fmt.Errorf("line %d: tuples is no list; write one entry a line behind \"-\"", list.Line)
		}
		return list.Content, nil
	}
	return nil, fmt.Errorf("line %d: %q is no list of tuples; write one entry a line behind \"-\", or such a list under the key tuples",
		root.Line, root.Value)
}

package model

import (
	"encoding/json"
	"fmt"
)

// Limits of a model. The number of types is that of OpenFGA's server; a source may
// be as large as a model is there.
const (
	MaxSourceBytes     = 256 << 10
	MaxTypes           = 100
	MaxConditions      = 25
	MaxParameters      = 25  // of one condition
	MaxExpressionBytes = 512 // of one condition
	maxNesting         = 50  // parentheses within parentheses
)

// Source is a model as its author wrote it, and as the store keeps it. One of the
// three is set.
type Source struct {
	// DSL is a model in the modelling language, beginning with "model".
	DSL string `json:"dsl,omitempty"`
	// JSON is an authorization model in the JSON of OpenFGA's API.
	JSON string `json:"json,omitempty"`
	// Modules is a modular model.
	Modules *Modules `json:"modules,omitempty"`
}

// Modules is a model in several files, schema 1.2.
type Modules struct {
	// Manifest is the text of fga.mod: YAML with the keys schema and contents.
	Manifest string `json:"manifest"`
	// Files are the texts of the modules by the names that the manifest lists.
	Files map[string]string `json:"files"`
}

// Encode returns the source in the form that [DecodeSource] reads.
func (s Source) Encode() []byte {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always marshal
	}
	return data
}

// DecodeSource reads what [Source.Encode] wrote.
func DecodeSource(data []byte) (Source, error) {
	var s Source
	if err := json.Unmarshal(data, &s); err != nil {
		return Source{}, fmt.Errorf("stored model source is damaged: %w", err)
	}
	return s, nil
}

// bytes returns the size of the source.
func (s Source) bytes() int {
	size := len(s.DSL) + len(s.JSON)
	if s.Modules != nil {
		size += len(s.Modules.Manifest)
		for name, text := range s.Modules.Files {
			size += len(name) + len(text)
		}
	}
	return size
}

// Parse reads and validates a model. It refuses what OpenFGA's server refuses, with
// an [*Error] that lists every problem; the warnings are about what is legal but
// suspicious.
func Parse(source Source) (m *Model, warnings []Problem, err error) {
	var r report
	m = read(source, &r)
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	m.index()
	validate(m, &r)
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	warn(m, &r)
	sortProblems(r.warnings)
	return m, r.warnings, nil
}

// read turns the source into a syntax tree; after an error, the tree is no use.
func read(source Source, r *report) *Model {
	if size := source.bytes(); size > MaxSourceBytes {
		r.errorf(Pos{}, "split it into several stores, or share relations between types",
			"model has %d bytes, more than the %d allowed", size, MaxSourceBytes)
		return nil
	}
	set := 0
	for _, given := range []bool{source.DSL != "", source.JSON != "", source.Modules != nil} {
		if given {
			set++
		}
	}
	if set != 1 {
		r.errorf(Pos{}, "give a DSL text, a JSON text, or modules", "model has %d sources instead of one", set)
		return nil
	}
	switch {
	case source.DSL != "":
		return readDSL(source.DSL, r)
	case source.JSON != "":
		return readJSON(source.JSON, r)
	}
	return readModules(source.Modules, r)
}

package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// The JSON of OpenFGA's API, message AuthorizationModel. Where protobuf's JSON allows
// two spellings of a name, both are read. Fields that say nothing about the model
// (ids, places in files) are accepted and dropped.
type (
	jsonModel struct {
		ID         string                   `json:"id"`
		Schema     string                   `json:"schema_version"`
		Types      []jsonType               `json:"type_definitions"`
		Conditions map[string]jsonCondition `json:"conditions"`
	}
	jsonType struct {
		Type      string                 `json:"type"`
		Relations map[string]jsonUserset `json:"relations"`
		Metadata  *jsonMetadata          `json:"metadata"`
	}
	jsonMetadata struct {
		Relations map[string]jsonRelationMetadata `json:"relations"`
		Module    string                          `json:"module"`
		Source    any                             `json:"source_info"`
	}
	jsonRelationMetadata struct {
		Direct []jsonReference `json:"directly_related_user_types"`
		Module string          `json:"module"`
		Source any             `json:"source_info"`
	}
	jsonReference struct {
		Type      string    `json:"type"`
		Relation  string    `json:"relation"`
		Wildcard  *struct{} `json:"wildcard"`
		Condition string    `json:"condition"`
	}
	jsonUserset struct {
		This         *struct{}           `json:"this"`
		Computed     *jsonObjectRelation `json:"computedUserset"`
		Computed2    *jsonObjectRelation `json:"computed_userset"`
		Tupleset     *jsonTupleToUserset `json:"tupleToUserset"`
		Tupleset2    *jsonTupleToUserset `json:"tuple_to_userset"`
		Union        *jsonOperands       `json:"union"`
		Intersection *jsonOperands       `json:"intersection"`
		Difference   *jsonDifference     `json:"difference"`
	}
	jsonObjectRelation struct {
		Object   string          `json:"object"` // always empty
		Relation tuples.Relation `json:"relation"`
	}
	jsonTupleToUserset struct {
		Tupleset  jsonObjectRelation  `json:"tupleset"`
		Computed  *jsonObjectRelation `json:"computedUserset"`
		Computed2 *jsonObjectRelation `json:"computed_userset"`
	}
	jsonOperands struct {
		Child []jsonUserset `json:"child"`
	}
	jsonDifference struct {
		Base     *jsonUserset `json:"base"`
		Subtract *jsonUserset `json:"subtract"`
	}
	jsonCondition struct {
		Name       string                  `json:"name"`
		Expression string                  `json:"expression"`
		Parameters map[string]jsonTypeName `json:"parameters"`
		Metadata   *struct {
			Module string `json:"module"`
			Source any    `json:"source_info"`
		} `json:"metadata"`
	}
	jsonTypeName struct {
		Name     string         `json:"type_name"`
		Generics []jsonTypeName `json:"generic_types"`
	}
)

// readJSON reads a model in OpenFGA's JSON. Maps have no order: relations and
// conditions come out sorted by name.
func readJSON(text string, r *report) *Model {
	var source jsonModel
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&source); err != nil {
		r.errorf(jsonPlace(text, decoder.InputOffset(), err), "send the authorization model as OpenFGA's API returns it", "JSON is not a model: %v", err)
		return nil
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		r.errorf(offsetPos(text, decoder.InputOffset()), "send one JSON object", "JSON goes on after the model")
		return nil
	}
	m := &Model{Schema: source.Schema}
	for _, t := range source.Types {
		m.Types = append(m.Types, t.build(r))
	}
	for _, key := range slices.Sorted(maps.Keys(source.Conditions)) {
		m.Conditions = append(m.Conditions, source.Conditions[key].build(key, r))
	}
	return m
}

// jsonPlace returns where the decoder failed.
func jsonPlace(text string, offset int64, err error) Pos {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &mismatch):
		offset = mismatch.Offset
	case errors.Is(err, io.ErrUnexpectedEOF):
		offset = int64(len(text))
	}
	return offsetPos(text, offset)
}

// offsetPos returns the place of the last byte before an offset.
func offsetPos(text string, offset int64) Pos {
	before := text[:max(0, min(int(offset), len(text))-1)]
	line := strings.LastIndexByte(before, '\n')
	return Pos{Line: strings.Count(before, "\n") + 1, Column: len(bytes.Runes([]byte(before[line+1:]))) + 1}
}

func (t jsonType) build(r *report) *Type {
	typ := &Type{Name: tuples.ObjectType(t.Type)}
	var metadata jsonMetadata
	if t.Metadata != nil {
		metadata, typ.Module = *t.Metadata, t.Metadata.Module
	}
	for _, name := range slices.Sorted(maps.Keys(t.Relations)) {
		userset := t.Relations[name]
		relation := &Relation{Name: tuples.Relation(name), Module: metadata.Relations[name].Module}
		where := t.Type + "#" + name
		relation.Rewrite = userset.build(where, 0, r)
		for _, reference := range metadata.Relations[name].Direct {
			relation.Direct = append(relation.Direct, reference.build(where, r))
		}
		typ.Relations = append(typ.Relations, relation)
	}
	for name := range metadata.Relations {
		if _, ok := t.Relations[name]; !ok {
			r.errorf(Pos{}, "define it, or drop the metadata", "metadata of %s speaks of %q, which is not a relation", t.Type, name)
		}
	}
	return typ
}

func (j jsonReference) build(where string, r *report) Restriction {
	if j.Wildcard != nil && j.Relation != "" {
		r.errorf(Pos{}, "give one of the two", "%s takes %s with both a relation and a wildcard", where, j.Type)
	}
	return Restriction{
		Type: tuples.ObjectType(j.Type), Relation: tuples.Relation(j.Relation),
		Wildcard: j.Wildcard != nil, Condition: j.Condition,
	}
}

// build turns a userset into a rewrite; an invalid one becomes [This] and a problem.
func (u jsonUserset) build(where string, depth int, r *report) Rewrite {
	if depth > maxNesting {
		r.errorf(Pos{}, "give parts of the expression names of their own", "%s is nested more than %d deep", where, maxNesting)
		return This{}
	}
	computed := firstSet(u.Computed, u.Computed2)
	tupleset := firstSet(u.Tupleset, u.Tupleset2)
	set := 0
	for _, given := range []bool{u.This != nil, computed != nil, tupleset != nil, u.Union != nil, u.Intersection != nil, u.Difference != nil} {
		if given {
			set++
		}
	}
	if set != 1 {
		r.errorf(Pos{}, "give one of this, computedUserset, tupleToUserset, union, intersection, difference",
			"%s has a userset of %d kinds", where, set)
		return This{}
	}
	switch {
	case computed != nil:
		return ComputedUserset{Relation: computed.Relation}
	case tupleset != nil:
		return tupleset.build(where, r)
	case u.Union != nil:
		operands := u.Union.build(where, depth, r)
		if len(operands) == 1 {
			return operands[0]
		}
		return Union{Operands: operands}
	case u.Intersection != nil:
		operands := u.Intersection.build(where, depth, r)
		if len(operands) == 1 {
			return operands[0]
		}
		return Intersection{Operands: operands}
	case u.Difference != nil:
		return u.Difference.build(where, depth, r)
	}
	return This{}
}

func (t jsonTupleToUserset) build(where string, r *report) Rewrite {
	computed := firstSet(t.Computed, t.Computed2)
	if computed == nil {
		r.errorf(Pos{}, "give the relation after which it asks", "%s has a tupleToUserset without computedUserset", where)
		return This{}
	}
	return TupleToUserset{Tupleset: t.Tupleset.Relation, Computed: computed.Relation}
}

func (o jsonOperands) build(where string, depth int, r *report) []Rewrite {
	if len(o.Child) == 0 {
		r.errorf(Pos{}, "give at least one child", "%s has a union or an intersection of nothing", where)
	}
	operands := make([]Rewrite, len(o.Child))
	for i, child := range o.Child {
		operands[i] = child.build(where, depth+1, r)
	}
	return operands
}

func (d jsonDifference) build(where string, depth int, r *report) Rewrite {
	if d.Base == nil || d.Subtract == nil {
		r.errorf(Pos{}, "give both", "%s has a difference without base or subtract", where)
		return This{}
	}
	return Exclusion{Base: d.Base.build(where, depth+1, r), Subtract: d.Subtract.build(where, depth+1, r)}
}

func (c jsonCondition) build(key string, r *report) *Condition {
	if key != c.Name {
		r.errorf(Pos{}, "use one name for both", "condition %q stands under the key %q", c.Name, key)
	}
	condition := &Condition{Name: c.Name, Expression: strings.Trim(c.Expression, blanks)}
	if c.Metadata != nil {
		condition.Module = c.Metadata.Module
	}
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		condition.Parameters = append(condition.Parameters, Parameter{Name: name, Type: c.Parameters[name].text()})
	}
	return condition
}

// text returns the type as the modelling language writes it.
func (t jsonTypeName) text() string {
	name := strings.ToLower(strings.TrimPrefix(t.Name, "TYPE_NAME_"))
	if len(t.Generics) == 0 {
		return name
	}
	generics := make([]string, len(t.Generics))
	for i, g := range t.Generics {
		generics[i] = g.text()
	}
	return fmt.Sprintf("%s<%s>", name, strings.Join(generics, ", "))
}

// firstSet returns the first pointer that is not nil.
func firstSet[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

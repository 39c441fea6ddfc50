package model

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

// bare returns the model without places and modules, for comparison.
func bare(m *Model) *Model {
	b := &Model{Schema: m.Schema}
	for _, t := range m.Types {
		typ := &Type{Name: t.Name}
		for _, r := range t.Relations {
			relation := &Relation{Name: r.Name, Rewrite: bareRewrite(r.Rewrite)}
			for _, restriction := range r.Direct {
				restriction.Pos = Pos{}
				relation.Direct = append(relation.Direct, restriction)
			}
			typ.Relations = append(typ.Relations, relation)
		}
		b.Types = append(b.Types, typ)
	}
	for _, c := range m.Conditions {
		condition := &Condition{Name: c.Name, Expression: c.Expression}
		for _, p := range c.Parameters {
			condition.Parameters = append(condition.Parameters, Parameter{Name: p.Name, Type: p.Type})
		}
		b.Conditions = append(b.Conditions, condition)
	}
	return b
}

func bareRewrite(rewrite Rewrite) Rewrite {
	switch rw := rewrite.(type) {
	case ComputedUserset:
		return ComputedUserset{Relation: rw.Relation}
	case TupleToUserset:
		return TupleToUserset{Tupleset: rw.Tupleset, Computed: rw.Computed}
	case Union:
		return Union{Operands: bareRewrites(rw.Operands)}
	case Intersection:
		return Intersection{Operands: bareRewrites(rw.Operands)}
	case Exclusion:
		return Exclusion{Base: bareRewrite(rw.Base), Subtract: bareRewrite(rw.Subtract)}
	}
	return rewrite
}

func bareRewrites(rewrites []Rewrite) []Rewrite {
	all := make([]Rewrite, len(rewrites))
	for i, rewrite := range rewrites {
		all[i] = bareRewrite(rewrite)
	}
	return all
}

func TestDSLKeepsWhatItReads(t *testing.T) {
	m, _ := parse(t, libraryDSL)
	if got := m.DSL(); got != libraryDSL {
		t.Errorf("DSL returns\n%s\nwant\n%s", got, libraryDSL)
	}
}

func TestFormatOfWhatTheLanguageCannotWrite(t *testing.T) {
	m, _, err := Parse(Source{JSON: `{"schema_version": "1.1", "type_definitions": [{"type": "user"}, {"type": "doc", "relations": {
		"a": {"difference": {"base": {"computedUserset": {"relation": "b"}}, "subtract": {"this": {}}}}, "b": {"this": {}}},
		"metadata": {"relations": {"a": {"directly_related_user_types": [{"type": "user"}]}, "b": {"directly_related_user_types": [{"type": "user"}]}}}}]}`})
	if err != nil {
		t.Fatal(err)
	}
	a := m.Relation("doc", "a")
	if got, want := Format(a.Rewrite, a.Direct), "b but not [user]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// names are words that the grammar takes for names, keywords among them.
var names = []string{"user", "doc", "viewer", "can_view-2", "type", "relation", "model", "module", "schema", "extend", "a.b/c", "_", "x9"}

var anyName = rapid.SampledFrom(names)

// anyRewrite draws an expression; direct types stand where the grammar allows them,
// at the very beginning.
func anyRewrite(t *rapid.T, depth int, first bool) Rewrite {
	kinds := []string{"computed", "tupleset"}
	if first {
		kinds = append(kinds, "this")
	}
	if depth > 0 {
		kinds = append(kinds, "or", "and", "but not")
	}
	operands := func(low int) []Rewrite {
		all := []Rewrite{anyRewrite(t, depth-1, first)}
		for range rapid.IntRange(low, 3).Draw(t, "operands") - 1 {
			all = append(all, anyRewrite(t, depth-1, false))
		}
		return all
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "this":
		return This{}
	case "tupleset":
		return TupleToUserset{Tupleset: tuples.Relation(anyName.Draw(t, "tupleset")), Computed: tuples.Relation(anyName.Draw(t, "computed"))}
	case "or":
		return Union{Operands: operands(2)}
	case "and":
		return Intersection{Operands: operands(2)}
	case "but not":
		return Exclusion{Base: anyRewrite(t, depth-1, first), Subtract: anyRewrite(t, depth-1, false)}
	}
	return ComputedUserset{Relation: tuples.Relation(anyName.Draw(t, "relation"))}
}

func anyRestriction(t *rapid.T) Restriction {
	r := Restriction{Type: tuples.ObjectType(anyName.Draw(t, "type"))}
	switch rapid.IntRange(0, 2).Draw(t, "subject") {
	case 1:
		r.Wildcard = true
	case 2:
		r.Relation = tuples.Relation(anyName.Draw(t, "userset"))
	}
	if rapid.Bool().Draw(t, "conditioned") {
		r.Condition = "when"
	}
	return r
}

// anyModel draws a model that the grammar can write, without regard to its sense.
func anyModel(t *rapid.T) *Model {
	m := &Model{Schema: rapid.SampledFrom([]string{"1.1", "1.2"}).Draw(t, "schema")}
	for range rapid.IntRange(0, 3).Draw(t, "types") {
		typ := &Type{Name: tuples.ObjectType(anyName.Draw(t, "type"))}
		for range rapid.IntRange(0, 3).Draw(t, "relations") {
			relation := &Relation{Name: tuples.Relation(anyName.Draw(t, "relation")), Rewrite: anyRewrite(t, 3, true)}
			if containsThis(relation.Rewrite) {
				for range rapid.IntRange(1, 3).Draw(t, "restrictions") {
					relation.Direct = append(relation.Direct, anyRestriction(t))
				}
			}
			typ.Relations = append(typ.Relations, relation)
		}
		m.Types = append(m.Types, typ)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "conditions") {
		m.Conditions = append(m.Conditions, &Condition{
			Name:       fmt.Sprintf("when%d", i),
			Parameters: []Parameter{{Name: "x", Type: "int"}, {Name: "y", Type: "list<string>"}},
			Expression: rapid.SampledFrom([]string{`x == 1`, "x > 0 &&\n    \"# }\" in y", `!(y == ["a #b", 'c'])`}).Draw(t, "expression"),
		})
	}
	return m
}

// What a model formats to reads back as the same model.
func TestDSLRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyModel(t)
		var r report
		got := readDSL(m.DSL(), &r)
		if err := r.err(); err != nil {
			t.Fatalf("%v\nin\n%s", err, m.DSL())
		}
		if !reflect.DeepEqual(bare(got), bare(m)) {
			t.Fatalf("%s\nreads as\n%s", m.DSL(), got.DSL())
		}
	})
}

// Whatever Parse accepts, it accepts again as it formats it; whatever it refuses, it
// says where.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{libraryDSL, header, header + "    define a: [user] or b and c\n", coreModule, mediaModule, "model\n  schema 1.1\ntype a#b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, _, err := Parse(Source{DSL: text})
		if err != nil {
			for _, p := range err.(*Error).Problems {
				if p.Message == "" || p.Remedy == "" || p.Pos.Line > strings.Count(spaces.Replace(text), "\n")+1 {
					t.Errorf("problem %+v", p)
				}
			}
			return
		}
		again, _, err := Parse(Source{DSL: m.DSL()})
		if err != nil {
			t.Fatalf("%v\nin\n%s", err, m.DSL())
		}
		if !reflect.DeepEqual(bare(again), bare(m)) || len(Diff(m, again)) > 0 {
			t.Fatalf("%s\nreads as\n%s", m.DSL(), again.DSL())
		}
	})
}

// What is in a model is found in it.
func TestModelLookup(t *testing.T) {
	m, _ := parse(t, libraryDSL)
	for _, typ := range m.Types {
		if m.Type(typ.Name) != typ {
			t.Errorf("type %s is not found", typ.Name)
		}
		for _, relation := range typ.Relations {
			if typ.Relation(relation.Name) != relation || m.Relation(typ.Name, relation.Name) != relation {
				t.Errorf("relation %s#%s is not found", typ.Name, relation.Name)
			}
		}
	}
	if m.Type("none") != nil || m.Relation("none", "view") != nil || m.Relation("media", "none") != nil || m.Condition("none") != nil {
		t.Error("what is not there is found")
	}
	if !slices.ContainsFunc(m.Conditions, func(c *Condition) bool { return c == m.Condition("office_hours") }) {
		t.Error("condition office_hours is not found")
	}
}

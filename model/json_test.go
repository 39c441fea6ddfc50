package model

import (
	"reflect"
	"strings"
	"testing"
)

// libraryDSL and libraryJSON are the same model; relations are in the order of their
// names, as they come out of JSON.
const libraryDSL = `model
  schema 1.1

type group
  relations
    define member: [user, group#member]

type media
  relations
    define edit: [user] or owner
    define hidden: [user:*]
    define owner: [user]
    define parent: [media]
    define view: ([user with office_hours, user:*, group#member] or edit or view from parent) but not hidden
    define watch: view and (edit or owner)

type user

condition office_hours(at: timestamp, days: list<int>, network: ipaddress) {
  at.getDayOfWeek() in days && network.in_cidr("10.0.0.0/8")
}
`

const libraryJSON = `{
  "id": "01G5JAVJ41T49E9TT3SKVS7X1J",
  "schema_version": "1.1",
  "type_definitions": [
    {"type": "group",
     "relations": {"member": {"this": {}}},
     "metadata": {"relations": {"member": {"directly_related_user_types": [{"type": "user"}, {"type": "group", "relation": "member"}]}}}},
    {"type": "media",
     "relations": {
       "owner": {"this": {}},
       "parent": {"this": {}},
       "hidden": {"this": {}},
       "edit": {"union": {"child": [{"this": {}}, {"computedUserset": {"object": "", "relation": "owner"}}]}},
       "view": {"difference": {
         "base": {"union": {"child": [
           {"this": {}},
           {"computed_userset": {"relation": "edit"}},
           {"tupleToUserset": {"tupleset": {"relation": "parent"}, "computedUserset": {"relation": "view"}}}]}},
         "subtract": {"union": {"child": [{"computedUserset": {"relation": "hidden"}}]}}}},
       "watch": {"intersection": {"child": [
         {"computedUserset": {"relation": "view"}},
         {"union": {"child": [{"computedUserset": {"relation": "edit"}}, {"intersection": {"child": [{"computedUserset": {"relation": "owner"}}]}}]}}]}}},
     "metadata": {"module": "", "source_info": null, "relations": {
       "owner": {"directly_related_user_types": [{"type": "user", "condition": ""}]},
       "parent": {"directly_related_user_types": [{"type": "media"}]},
       "hidden": {"directly_related_user_types": [{"type": "user", "wildcard": {}}]},
       "edit": {"directly_related_user_types": [{"type": "user"}], "module": "", "source_info": {"file": "a.fga"}},
       "view": {"directly_related_user_types": [{"type": "user", "condition": "office_hours"}, {"type": "user", "wildcard": {}}, {"type": "group", "relation": "member"}]},
       "watch": {"directly_related_user_types": []}}}},
    {"type": "user", "relations": {}, "metadata": null}
  ],
  "conditions": {"office_hours": {
    "name": "office_hours",
    "expression": "\n  at.getDayOfWeek() in days && network.in_cidr(\"10.0.0.0/8\")\n",
    "parameters": {
      "at": {"type_name": "TYPE_NAME_TIMESTAMP"},
      "network": {"type_name": "TYPE_NAME_IPADDRESS", "generic_types": []},
      "days": {"type_name": "TYPE_NAME_LIST", "generic_types": [{"type_name": "TYPE_NAME_INT"}]}},
    "metadata": {"module": ""}}}
}`

func TestParseJSON(t *testing.T) {
	want, _ := parse(t, libraryDSL)
	got, warnings, err := Parse(Source{JSON: libraryJSON})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(bare(got), bare(want)) {
		t.Errorf("JSON gives\n%s\nwant\n%s", got.DSL(), want.DSL())
	}
	if len(warnings) != 0 {
		t.Errorf("warnings: %s", texts(warnings))
	}
}

// jsonRelation is a model of one relation doc#a over users, with this rewrite.
func jsonRelation(rewrite string) string {
	return `{"schema_version": "1.1", "type_definitions": [{"type": "user"}, {"type": "doc", "relations": {"a": ` + rewrite +
		`}, "metadata": {"relations": {"a": {"directly_related_user_types": [{"type": "user"}]}}}}]}`
}

func TestParseJSONRefuses(t *testing.T) {
	deep := strings.Repeat(`{"union": {"child": [`, 60) + `{"this": {}}` + strings.Repeat(`]}}`, 60)
	tests := map[string]struct {
		source string
		want   []string
	}{
		"no JSON":                    {"\n  model", []string{"2:3: JSON is not a model: invalid character 'm'"}},
		"cut":                        {`{"schema_version": "1.1"`, []string{"JSON is not a model: unexpected EOF"}},
		"a wrong shape":              {"{\n \"schema_version\": 1.1}", []string{"2:22: JSON is not a model: json: cannot unmarshal number"}},
		"an unknown field":           {`{"schema": "1.1"}`, []string{`JSON is not a model: json: unknown field "schema"`}},
		"more than a model":          {jsonRelation(`{"this": {}}`) + "\n{}", []string{"JSON goes on after the model; send one JSON object"}},
		"nothing":                    {"{}", []string{"model has no types", `schema "" is not supported`}},
		"no kind":                    {jsonRelation("{}"), []string{"doc#a has a userset of 0 kinds; give one of this"}},
		"two kinds":                  {jsonRelation(`{"this": {}, "computedUserset": {"relation": "b"}}`), []string{"doc#a has a userset of 2 kinds"}},
		"a union of nothing":         {jsonRelation(`{"union": {}}`), []string{"doc#a has a union or an intersection of nothing; give at least one child"}},
		"an intersection of nothing": {jsonRelation(`{"intersection": {"child": []}}`), []string{"doc#a has a union or an intersection of nothing"}},
		"half a difference":          {jsonRelation(`{"difference": {"base": {"this": {}}}}`), []string{"doc#a has a difference without base or subtract"}},
		"half a tupleToUserset":      {jsonRelation(`{"tupleToUserset": {"tupleset": {"relation": "b"}}}`), []string{"doc#a has a tupleToUserset without computedUserset"}},
		"deep nesting":               {jsonRelation(deep), []string{"doc#a is nested more than 50 deep"}},
		"types without tuples":       {jsonRelation(`{"computedUserset": {"relation": "b"}}`), []string{"doc#a names b", "doc#a lists types but takes no tuples; drop directly_related_user_types"}},
		"tuples without types": {`{"schema_version": "1.1", "type_definitions": [{"type": "doc", "relations": {"a": {"this": {}}}}]}`,
			[]string{"doc#a takes tuples but lists no types; list who can be related"}},
		"metadata of nothing": {`{"schema_version": "1.1", "type_definitions": [{"type": "doc", "metadata": {"relations": {"b": {}}}}]}`,
			[]string{`metadata of doc speaks of "b", which is not a relation`}},
		"a userset and a wildcard": {strings.Replace(jsonRelation(`{"this": {}}`), `{"type": "user"}]`, `{"type": "user", "relation": "a", "wildcard": {}}]`, 1),
			[]string{"doc#a takes user with both a relation and a wildcard"}},
		"names that cannot be": {`{"schema_version": "1.1", "type_definitions": [{"type": "a b"}, {"type": ""}, {"type": "user", "relations": {"a:b": {"this": {}}, "": {"this": {}}},
			"metadata": {"relations": {"a:b": {"directly_related_user_types": [{"type": "user"}]}, "": {"directly_related_user_types": [{"type": "user"}]}}}}]}`,
			[]string{`name of type "a b" has ' '`, `name of type "" is empty`, `name of relation "user#" is empty`, `name of relation "user#a:b" has ':'`}},
		"a condition under another name": {`{"schema_version": "1.1", "type_definitions": [{"type": "user"}], "conditions": {"c": {"name": "d", "expression": "true"}}}`,
			[]string{`condition "d" stands under the key "c"; use one name for both`}},
		"a condition that cannot be": {`{"schema_version": "1.1", "type_definitions": [{"type": "user"}], "conditions": {"a b": {"name": "a b", "expression": "true"}}}`,
			[]string{`name of condition "a b" has ' '`}},
		"a wrong expression": {`{"schema_version": "1.1", "type_definitions": [{"type": "user"}], "conditions": {"c": {"name": "c", "expression": "x"}}}`,
			[]string{`condition c: undeclared reference to 'x'`}},
		"a wrong type": {`{"schema_version": "1.1", "type_definitions": [{"type": "user"}], "conditions": {"c": {"name": "c", "expression": "true", "parameters": {"x": {"type_name": "TYPE_NAME_LIST"}}}}}`,
			[]string{`parameter x of condition c has the unknown type "list"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(Source{JSON: test.source})
			if err == nil {
				t.Fatal("the model is accepted")
			}
			wantLines(t, err.Error(), test.want)
		})
	}
}

package scenario

import (
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// test reads one entry of tests.
func (r *reader) test(n node) Test {
	t := Test{Line: n.Line, At: r.at}
	faults := len(r.faults)
	var description string
	var own, file, files, checks, objects, users, explanations, restricted, summaries node
	r.fields(n, map[string]setter{
		"name": r.text(&t.Name), "description": r.text(&description), "at": r.time(&t.At),
		"tuples": own.keep, "tuple_file": file.keep, "tuple_files": files.keep,
		"check": checks.keep, "list_objects": objects.keep, "list_users": users.keep,
		"explanations": explanations.keep, "attributes": restricted.keep, "share_summaries": summaries.keep,
	}, "name")
	t.Tuples = r.allTuples(own, file, files)
	r.needsTime(n, t)
	for _, part := range []struct {
		list node
		read func(node) []Assertion
	}{
		{checks, r.check}, {objects, r.listObjects}, {users, r.listUsers},
		{explanations, r.explanation}, {restricted, r.attributesOf}, {summaries, r.shareSummary},
	} {
		r.each(func(entry node) {
			before := len(r.faults)
			assertions := part.read(entry)
			if len(assertions) == 0 && len(r.faults) == before {
				r.refuse(entry, "assertions", "", "is empty: the entry asserts nothing", "write at least one relation")
			}
			t.Assertions = append(t.Assertions, assertions...)
		})(part.list)
	}
	if len(t.Assertions) == 0 && len(r.faults) == faults {
		r.refuse(n, "check", "", "has no entry: the test asserts nothing", "write check, list_objects, list_users, explanations, attributes or share_summaries")
	}
	return t
}

// needsTime refuses a test without a clock reading whose answers depend on one.
func (r *reader) needsTime(n node, t Test) {
	all := slices.Concat(r.stored, t.Tuples)
	i := slices.IndexFunc(all, func(t tuples.Tuple) bool { return !t.Expires.IsZero() })
	if i >= 0 && t.At.IsZero() {
		r.refuse(n, "at", "", "is missing: "+all[i].Key.String()+" expires, so the answers depend on the day",
			"write a time, as in at: 2026-12-01T09:00:00Z, here or for the whole file")
	}
}

// check reads one entry of check: each relation for each user and object.
func (r *reader) check(n node) []Assertion {
	return r.forEach(n, func(q Question, want node) (Query, string) { return q, r.outcome(want) })
}

// forEach reads an entry that asks each relation for each user and object. The question
// and what stands behind the relation make what is asked, and the answer.
func (r *reader) forEach(n node, read func(Question, node) (Query, string)) []Assertion {
	var context tuples.Context
	var user, users, object, objects, assertions node
	r.fields(n, map[string]setter{
		"user": user.keep, "users": users.keep, "object": object.keep, "objects": objects.keep,
		"context": r.context(&context), "assertions": assertions.keep,
	}, "assertions")
	var all []Assertion
	for _, s := range oneOf(r, n, "user", user, users, tuples.ParseSubject) {
		for _, o := range oneOf(r, n, "object", object, objects, tuples.ParseObject) {
			for relation, want := range r.pairs(assertions) {
				query, answer := read(r.question(relation, s, o), want)
				all = append(all, Assertion{relation.Line, query, context, answer, nil})
			}
		}
	}
	return all
}

// listObjects reads one entry of list_objects.
func (r *reader) listObjects(n node) []Assertion {
	var user tuples.Subject
	var kind string
	var context tuples.Context
	var assertions node
	r.fields(n, map[string]setter{
		"user": r.subject(&user), "type": r.text(&kind), "context": r.context(&context), "assertions": assertions.keep,
	}, "user", "type", "assertions")
	asked := tuples.Object{Type: tuples.ObjectType(kind), ID: Asked}
	var all []Assertion
	for relation, want := range r.pairs(assertions) {
		listed := r.listed(want, tuples.Subject{Type: asked.Type, ID: Asked})
		all = append(all, Assertion{relation.Line, r.question(relation, user, asked), context, FormatList(listed), listed})
	}
	return all
}

// listUsers reads one entry of list_users.
func (r *reader) listUsers(n node) []Assertion {
	var object tuples.Object
	var kind, kindRelation string
	var context tuples.Context
	var filter, assertions node
	r.fields(n, map[string]setter{
		"object": r.object(&object), "user_filter": filter.keep, "context": r.context(&context), "assertions": assertions.keep,
	}, "object", "user_filter", "assertions")
	if filter.Node != nil && len(filter.Content) != 1 {
		r.refuse(filter, "", "", "has not one entry", "write one, as in [{ type: user }], and another list for another kind")
	}
	r.each(func(entry node) {
		r.fields(entry, map[string]setter{"type": r.text(&kind), "relation": r.text(&kindRelation)}, "type")
	})(filter)
	asked := tuples.Subject{Type: tuples.ObjectType(kind), ID: Asked, Relation: tuples.Relation(kindRelation)}
	var all []Assertion
	for relation, want := range r.pairs(assertions) {
		var users node
		r.fields(want, map[string]setter{"users": users.keep}, "users")
		listed := r.listed(users, asked)
		all = append(all, Assertion{relation.Line, r.question(relation, asked, object), context, FormatList(listed), listed})
	}
	return all
}

// explanation reads one entry of explanations.
func (r *reader) explanation(n node) []Assertion {
	var user tuples.Subject
	var object tuples.Object
	var context tuples.Context
	var relation, granted, would node
	r.fields(n, map[string]setter{
		"user": r.subject(&user), "relation": relation.keep, "object": r.object(&object),
		"context": r.context(&context), "granted_by": granted.keep, "would_grant": would.keep,
	}, "user", "relation", "object")
	if (granted.Node == nil) == (would.Node == nil) {
		r.refuse(n, "granted_by", "", "and would_grant stand there both, or neither does",
			"write granted_by: [tuples] if the check is allowed, would_grant: [usersets] if it is denied")
	}
	if relation.Node == nil {
		return nil
	}
	want := formatGranted(texts(r, granted, tuples.ParseKey))
	if would.Node != nil {
		want = formatWouldGrant(denied, texts(r, would, tuples.ParseUserset))
	}
	return []Assertion{{n.Line, Why{r.question(relation, user, object)}, context, want, nil}}
}

// question makes a question of what is known to the model, and refuses others. A subject
// or object that was refused itself is the zero value.
func (r *reader) question(relation node, s tuples.Subject, o tuples.Object) Question {
	name := tuples.Relation(relation.Value)
	switch typ := r.model.Type(o.Type); {
	case o.Type == "":
	case typ == nil:
		r.refuse(relation, "", "", "is asked of type "+string(o.Type)+", which the model lacks", "write a type of the model")
	case typ.Relation(name) == nil:
		r.refuse(relation, "", "", "is not a relation of "+string(o.Type)+" in the model", "write one of them, or define it there")
	}
	switch typ := r.model.Type(s.Type); {
	case s.Type == "":
	case typ == nil:
		r.refuse(relation, "", "", "is asked for type "+string(s.Type)+", which the model lacks", "write a type of the model")
	case s.IsUserset() && typ.Relation(s.Relation) == nil:
		r.refuse(relation, "", "", "is asked for "+string(s.Type)+"#"+string(s.Relation)+", which the model lacks", "write a relation of the model")
	}
	return Question{Subject: s, On: tuples.Userset{Object: o, Relation: name}}
}

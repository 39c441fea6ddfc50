package model

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

const sharing = `model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type media
  relations
    define parent: [media]
    define owner: [user]
    define viewer: [user, user:* with hours, group#member, group#member with hours, media#viewer]
    define guest: [user with hours, user with network]
    define can_view: viewer or owner
condition hours(hour: int, days: list<int>) {
  hour > 8 && hour in days
}
condition network(ip: ipaddress) {
  ip.in_cidr("10.0.0.0/8")
}
`

func TestValidateTuple(t *testing.T) {
	tests := map[string]struct {
		tuple string
		want  []string // violations; none for a tuple that is accepted
	}{
		"a user":                           {"media:a#viewer@user:anna", nil},
		"a userset":                        {"media:a#viewer@group:g#member", nil},
		"an object":                        {"media:a#parent@media:b", nil},
		"a condition":                      {"media:a#guest@user:anna with hours", nil},
		"another condition":                {`media:a#guest@user:anna with network {"ip": "10.1.2.3"}`, nil},
		"a condition with context":         {`media:a#viewer@user:* with hours {"hour": 9, "days": ["1", 2]}`, nil},
		"a userset either way":             {"media:a#viewer@group:g#member with hours", nil},
		"a userset of another object":      {"media:a#viewer@media:b#viewer", nil},
		"unknown type":                     {"file:a#viewer@user:anna", []string{`object.type "file": is not a type of the model; define it in the model, or use one of user, group, media`}},
		"unknown relation":                 {"media:a#reader@user:anna", []string{`relation "reader": is not a relation of media; define it in the model, or use one of parent, owner, viewer, guest, can_view`}},
		"a type without relations":         {"user:a#viewer@user:anna", []string{`relation "viewer": is not a relation of user; define it in the model`}},
		"a derived relation":               {"media:a#can_view@user:anna", []string{`relation "can_view": follows from other relations and takes no tuples; write to a relation that it follows from: viewer or owner`}},
		"unknown subject type":             {"media:a#viewer@team:t", []string{`subject.type "team": is not a type of the model`}},
		"unknown subject relation":         {"media:a#viewer@group:g#admin", []string{`subject.relation "admin": is not a relation of group; define it in the model, or use one of member`}},
		"a type that is not taken":         {"media:a#owner@group:g", []string{`subject "group:g": is of a kind that the relation does not take; media#owner takes user`}},
		"a group itself":                   {"media:a#viewer@group:g", []string{`subject "group:g": is of a kind`}},
		"a wildcard not taken":             {"media:a#owner@user:*", []string{`subject "user:*": is of a kind that the relation does not take; media#owner takes user`}},
		"a userset not taken":              {"media:a#owner@group:g#member", []string{`subject "group:g#member": is of a kind`}},
		"a userset of a tupleset":          {"media:a#parent@media:b#parent", []string{`subject "media:b#parent": is of a kind that the relation does not take; media#parent takes media`}},
		"itself":                           {"media:a#viewer@media:a#viewer", []string{`subject "media:a#viewer": is a member of itself without a tuple; leave the tuple out`}},
		"a missing condition":              {"media:a#guest@user:anna", []string{`condition "": is required for user:anna; media#guest takes user with hours, user with network`}},
		"a wildcard without its condition": {"media:a#viewer@user:*", []string{`condition "": is required for user:*; media#viewer takes user, user:* with hours, group#member`}},
		"a condition not taken":            {"media:a#owner@user:anna with hours", []string{`condition.name "hours": is not allowed for user:anna; media#owner takes user`}},
		"a condition of another kind":      {"media:a#viewer@user:anna with hours", []string{`condition.name "hours": is not allowed for user:anna`}},
		"an unknown condition":             {"media:a#guest@user:anna with moon", []string{`condition.name "moon": is not a condition of the model; define it in the model, or use one of hours, network`}},
		"context that is no parameter": {`media:a#guest@user:anna with hours {"hours": 1, "our": 2}`, []string{
			`condition.context.hours "hours": is not a parameter of hours; its parameters are days: list<int>, hour: int`, `condition.context.our "our"`}},
		"context of another type": {`media:a#guest@user:anna with hours {"hour": "nine", "days": [1, 1.5]}`, []string{
			`condition.context.days "[1 1.5]": element 1: 1.5 is not of type int`, `condition.context.hour "nine": "nine" is not of type int`}},
	}
	m, _ := parse(t, sharing)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tuple, err := tuples.ParseTuple(test.tuple)
			if err != nil {
				t.Fatal(err)
			}
			err = m.ValidateTuple(tuple)
			if err == nil {
				wantLines(t, "", test.want)
				return
			}
			if invalid := (*tuples.InvalidError)(nil); !errors.As(err, &invalid) {
				t.Fatalf("error is a %T", err)
			}
			wantLines(t, err.Error(), test.want)
		})
	}
}

func TestValidateTupleWithoutConditionsInTheModel(t *testing.T) {
	m, _ := parse(t, header+"    define a: [user]\n")
	tuple, err := tuples.ParseTuple("doc:1#a@user:anna with hours")
	if err != nil {
		t.Fatal(err)
	}
	err = m.ValidateTuple(tuple)
	if err == nil || !strings.Contains(err.Error(), "is not a condition of the model; define it in the model") {
		t.Errorf("error is %v", err)
	}
}

// A tuple can be written exactly if it is visible to evaluation; the implicit tuple,
// which says nothing, is the exception.
func TestPermitsAgreesWithValidateTuple(t *testing.T) {
	m, _ := parse(t, sharing)
	rapid.Check(t, func(t *rapid.T) {
		types := rapid.SampledFrom([]tuples.ObjectType{"user", "group", "media", "team"})
		relations := rapid.SampledFrom([]tuples.Relation{"", "member", "parent", "owner", "viewer", "guest", "can_view", "none"})
		ids := rapid.SampledFrom([]tuples.ID{"a", "b", tuples.Wildcard})
		tuple := tuples.Tuple{Key: tuples.Key{
			Object:   tuples.Object{Type: types.Draw(t, "type"), ID: "a"},
			Relation: relations.Draw(t, "relation"),
			Subject:  tuples.Subject{Type: types.Draw(t, "subject type"), ID: ids.Draw(t, "id"), Relation: relations.Draw(t, "userset")},
		}}
		condition := rapid.SampledFrom([]string{"", "hours", "network", "moon"}).Draw(t, "condition")
		if condition != "" {
			tuple.Condition = &tuples.Condition{Name: condition}
		}
		implicit := tuple.Subject == (tuples.Userset{Object: tuple.Object, Relation: tuple.Relation}).Subject()
		valid, permitted := m.ValidateTuple(tuple) == nil, m.Permits(tuple.Key, condition)
		if valid != (permitted && !implicit) {
			t.Fatalf("%s: valid %t, permitted %t", fmt.Sprint(tuple), valid, permitted)
		}
	})
}

// A remedy names what there is, but not hundreds of names.
func TestRemediesAreBounded(t *testing.T) {
	m, _ := parse(t, header+manyRelations(200, "[user]"))
	tuple, err := tuples.ParseTuple("doc:1#reader@user:anna")
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, m.ValidateTuple(tuple).Error(), []string{"r28, r29 and 170 more"})
}

package tuples

import "strings"

// ObjectType names a kind of object, such as "media" or "user".
type ObjectType string

// ID names one object within its type, such as "logo" or "anna@example.org".
// It has 1 to [MaxIDBytes] bytes of printable UTF-8 without '#', ':' or blanks.
type ID string

// Relation names a relation of an object type, such as "viewer".
type Relation string

// Wildcard is the id that stands for every concrete object of a type when it
// is used as a subject: "user:*". No object has this id.
const Wildcard ID = "*"

// Object is one thing that can be shared, or one user, group or organisation.
type Object struct {
	Type ObjectType
	ID   ID
}

// String returns the text form, "media:logo".
func (o Object) String() string { return string(o.Type) + ":" + string(o.ID) }

// Compare orders objects bytewise by type, then id.
func (o Object) Compare(p Object) int {
	if c := strings.Compare(string(o.Type), string(p.Type)); c != 0 {
		return c
	}
	return strings.Compare(string(o.ID), string(p.ID))
}

// Subject is who a tuple speaks of: one object ("user:anna"), every object of a
// type ("user:*"), or a userset, all who have a relation to an object
// ("group:design#member").
type Subject struct {
	Type     ObjectType
	ID       ID
	Relation Relation // empty unless the subject is a userset
}

// String returns the text form, "group:design#member".
func (s Subject) String() string {
	if s.Relation == "" {
		return string(s.Type) + ":" + string(s.ID)
	}
	return string(s.Type) + ":" + string(s.ID) + "#" + string(s.Relation)
}

// Object returns the object that the subject is or, for a userset, is built on.
func (s Subject) Object() Object { return Object{Type: s.Type, ID: s.ID} }

// IsWildcard reports whether the subject is every object of its type.
func (s Subject) IsWildcard() bool { return s.ID == Wildcard }

// IsUserset reports whether the subject is all who have a relation to an object.
func (s Subject) IsUserset() bool { return s.Relation != "" }

// Compare orders subjects bytewise by type, id, relation.
func (s Subject) Compare(t Subject) int {
	if c := s.Object().Compare(t.Object()); c != 0 {
		return c
	}
	return strings.Compare(string(s.Relation), string(t.Relation))
}

// Userset is all who have Relation to Object: the left side of a tuple, the
// list that a Check reads.
type Userset struct {
	Object   Object
	Relation Relation
}

// String returns the text form, "group:design#member".
func (u Userset) String() string { return u.Object.String() + "#" + string(u.Relation) }

// Subject returns the userset as the subject of a tuple or of a question.
func (u Userset) Subject() Subject {
	return Subject{Type: u.Object.Type, ID: u.Object.ID, Relation: u.Relation}
}

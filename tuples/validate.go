package tuples

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of names and values. They follow OpenFGA's API, except that ids may be
// longer there and blank-free UTF-8 is required here.
const (
	MaxTypeBytes      = 254
	MaxRelationBytes  = 50
	MaxConditionBytes = 256
	MaxIDBytes        = 1024
	MaxContextBytes   = 32 << 10 // of a condition's context, as JSON
	MaxAttributes     = 16       // of one tuple
	MaxAttributeBytes = 256      // of an attribute's name, and of a string value
)

// MaxTime is the latest time that a tuple can expire at.
var MaxTime = time.Date(9999, 12, 31, 23, 59, 59, int(999*time.Millisecond), time.UTC)

// Validate reports what is wrong with the object as the left side of a tuple.
func (o Object) Validate() error {
	if err := ValidateType(o.Type); err != nil {
		return err.Within("type")
	}
	if o.ID == Wildcard {
		return Invalid("id", string(o.ID), "an object cannot be a wildcard", "name one object, as in media:logo")
	}
	return asError(validateID(o.ID))
}

// Validate reports what is wrong with the subject.
func (s Subject) Validate() error {
	if err := ValidateType(s.Type); err != nil {
		return err.Within("type")
	}
	if err := validateID(s.ID); err != nil {
		return err
	}
	if s.Relation == "" {
		return nil
	}
	if s.IsWildcard() {
		return Invalid("relation", string(s.Relation), "a wildcard subject cannot have a relation",
			"use "+string(s.Type)+":* alone, or name one object")
	}
	if err := ValidateRelation(s.Relation); err != nil {
		return err.Within("relation")
	}
	return nil
}

// Validate reports the first thing wrong with the key.
func (k Key) Validate() error {
	if err := k.Object.Validate(); err != nil {
		return Within("object", err)
	}
	if err := ValidateRelation(k.Relation); err != nil {
		return err.Within("relation")
	}
	if err := k.Subject.Validate(); err != nil {
		return Within("subject", err)
	}
	return nil
}

// Validate reports the first thing wrong with the tuple, apart from what the
// authorization model has to say.
func (t Tuple) Validate() error {
	if err := t.Key.Validate(); err != nil {
		return err
	}
	return t.Grant.Validate()
}

// Validate reports the first thing wrong with the grant.
func (g Grant) Validate() error {
	if err := g.Condition.validate(); err != nil {
		return err.Within("condition")
	}
	if !g.Expires.IsZero() && (g.Expires.UnixMilli() <= 0 || g.Expires.After(MaxTime)) {
		return Invalid("expires_at", g.Expires.Format(time.RFC3339), "is out of range",
			"use a time from 1970 to 9999, or none for no expiry")
	}
	if err := g.Attributes.validate(); err != nil {
		return err.Within("attributes")
	}
	return nil
}

func (c *Condition) validate() *InvalidError {
	if c == nil {
		return nil
	}
	if err := validateName(c.Name, MaxConditionBytes, "a condition name", "office_hours"); err != nil {
		return err.Within("name")
	}
	if text := c.Context.String(); len(text) > MaxContextBytes {
		return Invalid("context", text, fmt.Sprintf("is longer than %d bytes of JSON", MaxContextBytes),
			"store less with the tuple and pass the rest with the request")
	}
	return nil
}

func (a Attributes) validate() *InvalidError {
	if len(a) > MaxAttributes {
		return Invalid("", fmt.Sprintf("%d attributes", len(a)), "are too many",
			fmt.Sprintf("a tuple carries %d at most", MaxAttributes))
	}
	for name, value := range a {
		if err := validateName(name, MaxAttributeBytes, "an attribute name", "max_image_size"); err != nil {
			return err
		}
		if err := value.validate(); err != nil {
			return err.Within(name)
		}
	}
	return nil
}

func (v Value) validate() *InvalidError {
	switch v.kind {
	case KindBool, KindInt:
		return nil
	case KindDouble:
		if f := v.Double(); math.IsNaN(f) || math.IsInf(f, 0) {
			return Invalid("", v.String(), "is not a finite number", "use a finite number")
		}
		return nil
	case KindString:
		if len(v.text) > MaxAttributeBytes || !utf8.ValidString(v.text) {
			return Invalid("", v.text, "is not a short text", fmt.Sprintf("use %d bytes of UTF-8 at most", MaxAttributeBytes))
		}
		return nil
	}
	return Invalid("", "", "has no value", "set one of bool, int, double or string")
}

// ValidateType reports what is wrong with the name of an object type.
func ValidateType(t ObjectType) *InvalidError {
	return validateName(string(t), MaxTypeBytes, "a type name", "media")
}

// ValidateRelation reports what is wrong with the name of a relation.
func ValidateRelation(r Relation) *InvalidError {
	return validateName(string(r), MaxRelationBytes, "a relation name", "viewer")
}

func validateName(name string, limit int, what, example string) *InvalidError {
	if len(name) <= limit && isPlain(name, inNames) {
		return nil
	}
	switch {
	case name == "":
		return Invalid("", name, "is empty", fmt.Sprintf("give %s such as %s", what, example))
	case len(name) > limit:
		return Invalid("", name, fmt.Sprintf("is longer than %d bytes", limit), "use a shorter one")
	case !utf8.ValidString(name):
		return Invalid("", name, "is not valid UTF-8", "use printable characters")
	}
	if i := strings.IndexFunc(name, notInName); i >= 0 {
		r, _ := utf8.DecodeRuneInString(name[i:])
		return Invalid("", name, fmt.Sprintf("has %q, which %s cannot contain", r, what), "use letters, digits, '_' and '-'")
	}
	return nil
}

func notInName(r rune) bool {
	return r == '#' || r == ':' || r == '@' || r == '*' || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

func validateID(id ID) *InvalidError {
	text := string(id)
	if len(text) <= MaxIDBytes && isPlain(text, inIDs) {
		return nil
	}
	switch {
	case text == "":
		return Invalid("id", text, "is empty", "give the id of one object, such as logo")
	case len(text) > MaxIDBytes:
		return Invalid("id", text, fmt.Sprintf("is longer than %d bytes", MaxIDBytes), "use a shorter id, for example a hash")
	case !utf8.ValidString(text):
		return Invalid("id", text, "is not valid UTF-8", "use printable characters")
	}
	if i := strings.IndexFunc(text, notInID); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return Invalid("id", text, fmt.Sprintf("has %q, which an id cannot contain", r),
			"use printable characters without '#', ':' or blanks")
	}
	return nil
}

// Every question has six names or more, and nearly all of them are ASCII: those are judged by
// a table, in a quarter of the time that runes take.
const (
	inIDs   = 1 << iota // may stand in an id
	inNames             // may stand in the name of a type or a relation
)

var asciiUses = func() (uses [256]byte) {
	for c := range rune(utf8.RuneSelf) {
		if !notInID(c) {
			uses[c] |= inIDs
		}
		if !notInName(c) {
			uses[c] |= inNames
		}
	}
	return uses
}()

// isPlain reports whether text is not empty and of ASCII characters of one use alone.
func isPlain(text string, use byte) bool {
	for i := range len(text) {
		if asciiUses[text[i]]&use == 0 {
			return false
		}
	}
	return text != ""
}

func notInID(r rune) bool {
	return r == '#' || r == ':' || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// Within puts the field paths of an [*InvalidError] below prefix. Other errors, and
// nil, stay what they are.
func Within(prefix string, err error) error {
	if invalid, ok := err.(*InvalidError); ok {
		return invalid.Within(prefix)
	}
	return err
}

// asError keeps a nil *InvalidError a nil error.
func asError(err *InvalidError) error {
	if err == nil {
		return nil
	}
	return err
}

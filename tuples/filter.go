package tuples

import "time"

// Filter selects tuples; its empty fields match everything. "All that anna has"
// is {SubjectType: "user", SubjectID: "anna"}.
type Filter struct {
	ObjectType  ObjectType
	ObjectID    ID // needs ObjectType
	Relation    Relation
	SubjectType ObjectType
	SubjectID   ID // needs SubjectType; [Wildcard] matches the wildcard alone
	// SubjectRelation matches usersets of one relation. A pointer to "" matches
	// subjects that are not usersets; nil matches both.
	SubjectRelation *Relation
	// ExpiresBefore matches tuples that expire, and do so before this time, in whole
	// milliseconds; the zero time matches all.
	ExpiresBefore time.Time
}

// Filter returns the filter that selects the tuple of this key alone.
func (k Key) Filter() Filter {
	return Filter{
		ObjectType: k.Object.Type, ObjectID: k.Object.ID, Relation: k.Relation,
		SubjectType: k.Subject.Type, SubjectID: k.Subject.ID, SubjectRelation: &k.Subject.Relation,
	}
}

// IsZero reports whether the filter matches every tuple of a store.
func (f Filter) IsZero() bool { return f == Filter{} }

// Selects reports whether the filter selects a tuple.
func (f Filter) Selects(t Tuple) bool {
	return f.Matches(t.Key) &&
		(f.ExpiresBefore.IsZero() || !t.Expires.IsZero() && t.Expires.Before(f.ExpiresBefore))
}

// Matches reports whether the filter can select a tuple of this key: whether it does
// may depend on when the tuple expires.
func (f Filter) Matches(k Key) bool {
	return matches(f.ObjectType, k.Object.Type) && matches(f.ObjectID, k.Object.ID) &&
		matches(f.Relation, k.Relation) &&
		matches(f.SubjectType, k.Subject.Type) && matches(f.SubjectID, k.Subject.ID) &&
		(f.SubjectRelation == nil || *f.SubjectRelation == k.Subject.Relation)
}

func matches[S ~string](want, have S) bool { return want == "" || want == have }

// String returns the filter in the shape of a tuple, with "?" for what is open:
// "media:?#viewer@user:anna expires before 2026-12-31T23:00:00Z".
func (f Filter) String() string {
	if f.ExpiresBefore.IsZero() {
		return f.pattern()
	}
	return f.pattern() + " expires before " + f.ExpiresBefore.Format(time.RFC3339Nano)
}

// pattern returns what the filter says of keys.
func (f Filter) pattern() string {
	text := open(f.ObjectType) + ":" + open(f.ObjectID) + "#" + open(f.Relation) +
		"@" + open(f.SubjectType) + ":" + open(f.SubjectID)
	switch {
	case f.SubjectRelation == nil:
		return text + "(#?)"
	case *f.SubjectRelation == "":
		return text
	}
	return text + "#" + string(*f.SubjectRelation)
}

func open[S ~string](s S) string {
	if s == "" {
		return "?"
	}
	return string(s)
}

// Validate reports the first thing wrong with the filter.
func (f Filter) Validate() error {
	if f.ObjectID != "" && f.ObjectType == "" {
		return Invalid("object_id", string(f.ObjectID), "has no type beside it", "set object_type too")
	}
	if f.SubjectID != "" && f.SubjectType == "" {
		return Invalid("subject_id", string(f.SubjectID), "has no type beside it", "set subject_type too")
	}
	if at := f.ExpiresBefore; !at.IsZero() && (at.UnixMilli() <= 0 || at.After(MaxTime)) {
		return Invalid("expires_before", at.Format(time.RFC3339), "is out of range", "use a time from 1970 to 9999")
	}
	if err := f.validateObject(); err != nil {
		return err
	}
	return f.validateSubject()
}

func (f Filter) validateObject() error {
	if f.ObjectType != "" {
		if err := ValidateType(f.ObjectType); err != nil {
			return err.Within("object_type")
		}
	}
	if f.ObjectID != "" {
		if err := (Object{Type: f.ObjectType, ID: f.ObjectID}).Validate(); err != nil {
			return Within("object", err)
		}
	}
	if f.Relation != "" {
		if err := ValidateRelation(f.Relation); err != nil {
			return err.Within("relation")
		}
	}
	return nil
}

func (f Filter) validateSubject() error {
	if f.SubjectType != "" {
		if err := ValidateType(f.SubjectType); err != nil {
			return err.Within("subject_type")
		}
	}
	if f.SubjectID != "" {
		if err := validateID(f.SubjectID); err != nil {
			return err.Within("subject")
		}
	}
	if f.SubjectRelation != nil && *f.SubjectRelation != "" {
		if err := ValidateRelation(*f.SubjectRelation); err != nil {
			return err.Within("subject_relation")
		}
	}
	return nil
}

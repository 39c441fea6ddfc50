package bolt

import (
	"bytes"
	"encoding/binary"

	"github.com/usher-authz/usher/tuples"
)

// selection is a filter in interned form, and the range of one order that holds
// everything it selects.
type selection struct {
	order  order
	prefix []byte
	empty  bool // the filter has a name that the store has never seen

	object, subject                   tuples.Node // 0 for any; their types below then
	objectType, relation, subjectType tuples.Symbol
	subjectRelation                   tuples.Symbol
	anySubjectRelation                bool
	expiresBefore                     int64 // ms; 0 for no matter when
}

// choose resolves a filter and picks the order in which it fixes most from the
// left: by object, by subject, by object type, by subject type, or all by object. What
// it fixes further to the right [selection.beyond] makes use of.
func (v *view) choose(f tuples.Filter) (s selection, err error) {
	s.anySubjectRelation = f.SubjectRelation == nil
	if !f.ExpiresBefore.IsZero() {
		s.expiresBefore = f.ExpiresBefore.UnixMilli()
	}
	s.symbol(v, string(f.ObjectType), &s.objectType)
	s.symbol(v, string(f.Relation), &s.relation)
	s.symbol(v, string(f.SubjectType), &s.subjectType)
	if f.SubjectRelation != nil {
		s.symbol(v, string(*f.SubjectRelation), &s.subjectRelation)
	}
	if f.ObjectID != "" {
		if s.object, err = v.node(tuples.Object{Type: f.ObjectType, ID: f.ObjectID}); err != nil {
			return s, err
		}
		s.empty = s.empty || s.object == 0
	}
	if f.SubjectID != "" {
		if s.subject, err = v.node(tuples.Object{Type: f.SubjectType, ID: f.SubjectID}); err != nil {
			return s, err
		}
		s.empty = s.empty || s.subject == 0
	}
	if s.object == 0 && (s.subject != 0 || s.objectType == 0 && s.subjectType != 0) {
		s.order = reverse
		s.prefix = s.reversePrefix()
	} else {
		s.prefix = s.forwardPrefix()
	}
	return s, nil
}

func (s *selection) symbol(v *view, name string, symbol *tuples.Symbol) {
	*symbol = v.names.Lookup(name)
	if name != "" && *symbol == 0 {
		s.empty = true
	}
}

// forwardPrefix is what the filter fixes of a forward key, from the left.
func (s *selection) forwardPrefix() []byte {
	if s.object == 0 {
		return anySymbol(s.objectType)
	}
	prefix := nodeKey(s.object)
	if s.relation == 0 {
		return prefix
	}
	prefix = append(prefix, symbolKey(s.relation)...)
	if s.subjectType == 0 {
		return prefix
	}
	prefix = append(prefix, symbolKey(s.subjectType)...)
	if s.anySubjectRelation {
		return prefix
	}
	prefix = append(prefix, symbolKey(s.subjectRelation)...)
	if s.subject == 0 {
		return prefix
	}
	return binary.BigEndian.AppendUint32(prefix, s.subject.Ordinal())
}

// reversePrefix is what the filter fixes of a reverse key; it fixes no object.
func (s *selection) reversePrefix() []byte {
	if s.subject == 0 {
		return anySymbol(s.subjectType)
	}
	prefix := nodeKey(s.subject)
	if s.anySubjectRelation {
		return prefix
	}
	prefix = append(prefix, symbolKey(s.subjectRelation)...)
	if s.objectType == 0 {
		return prefix
	}
	prefix = append(prefix, symbolKey(s.objectType)...)
	if s.relation == 0 {
		return prefix
	}
	return append(prefix, symbolKey(s.relation)...)
}

func anySymbol(s tuples.Symbol) []byte {
	if s == 0 {
		return nil
	}
	return symbolKey(s)
}

// beyond returns, for a forward key that the filter does not match, where the next one is
// that it may match; nil for right behind. So a filter by object and subject that leaves
// open a relation between them looks at a few rows of each relation, however many
// subjects that has.
func (s *selection) beyond(key []byte) []byte {
	if s.object == 0 || s.subject == 0 || s.matches(s.order.edge(key)) {
		return nil
	}
	want := forward.key(tuples.EdgeKey{
		Object: s.object, Relation: decodeSymbol(key[6:]), Subject: s.subject, SubjectRelation: s.subjectRelation,
	})
	// The relation of a userset stands between the subject's type and its ordinal.
	further := 8 // behind all of the relation
	if s.anySubjectRelation && bytes.HasPrefix(key, want[:10]) {
		copy(want[10:12], key[10:12])
		further = 12 // behind the usersets of one relation
	}
	if bytes.Compare(key, want[:]) < 0 {
		return want[:]
	}
	return following(key[:further])
}

// goOn moves a walk to the next key that the filter may match.
func (v *view) goOn(w *walk, s *selection) *walk {
	if to := s.beyond(w.key); to != nil {
		return v.walk(s.order, to)
	}
	w.next()
	return w
}

// following returns the first key that is behind all keys with a prefix.
func following(prefix []byte) []byte {
	next := bytes.Clone(prefix)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			break
		}
	}
	return next
}

// takes reports whether the filter selects a tuple whose key it matches by its grant.
func (s *selection) takes(g grant) bool {
	expires := g.expires()
	return s.expiresBefore == 0 || expires != 0 && expires < s.expiresBefore
}

// matches reports whether the filter can select a tuple of this key.
func (s *selection) matches(k tuples.EdgeKey) bool {
	return (s.object == 0 || s.object == k.Object) &&
		(s.objectType == 0 || s.objectType == k.Object.Type()) &&
		(s.relation == 0 || s.relation == k.Relation) &&
		(s.subject == 0 || s.subject == k.Subject) &&
		(s.subjectType == 0 || s.subjectType == k.Subject.Type()) &&
		(s.anySubjectRelation || s.subjectRelation == k.SubjectRelation)
}

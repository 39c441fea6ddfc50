package index

import "github.com/usher-authz/usher/tuples"

// Named returns those of some neighbours that tuples of a snapshot can name as their subject:
// all of them if the snapshot is none of an index. Bit i stands for the node behind
// list.Subject by i, which is a multiple of 64. It spares a walk the reads of lists that are
// empty, and most are: few media have parts.
func Named(s tuples.Snapshot, list tuples.ObjectsOf, some uint64) uint64 {
	over, ok := s.(*snapshot)
	if !ok || list.Subject.Ordinal() >= tuples.FirstTransient {
		return some
	}
	kinds := &over.index.kinds
	number := kinds.number(packKind(list.Type, list.Relation, list.Subject.Type(), list.SubjectRelation))
	if number == 0 {
		return 0
	}
	e := kinds.of(reverseKey(number, list.Subject))
	return e.masks.among(list.Subject.Ordinal(), some, e.bit)
}

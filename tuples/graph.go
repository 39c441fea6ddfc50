package tuples

import (
	"context"
	"time"
)

// Symbol is the name of a type or of a relation, interned in one store for
// good. 0 is no name.
type Symbol uint16

// Node is an object, interned in one store for good: its type's symbol in bits
// 32 to 47, its ordinal within the type below. Ordinal 0 is the type's
// wildcard; ordinals from [FirstTransient] on are never stored and free for one
// request's own use. 0 is no node.
type Node uint64

// FirstTransient is the first ordinal that a store never assigns. The engine
// numbers the objects that only contextual tuples name from here on.
const FirstTransient uint32 = 1 << 31

// NewNode returns the node of a type and an ordinal.
func NewNode(t Symbol, ordinal uint32) Node { return Node(t)<<32 | Node(ordinal) }

// WildcardNode returns the node of "type:*".
func WildcardNode(t Symbol) Node { return NewNode(t, 0) }

// Type returns the symbol of the node's type.
func (n Node) Type() Symbol { return Symbol(n >> 32) }

// Ordinal returns the node's number within its type.
func (n Node) Ordinal() uint32 { return uint32(n) }

// IsWildcard reports whether the node stands for every object of its type.
func (n Node) IsWildcard() bool { return n != 0 && n.Ordinal() == 0 }

// EdgeKey is a tuple's identity in interned form.
type EdgeKey struct {
	Object          Node
	Relation        Symbol
	Subject         Node
	SubjectRelation Symbol // 0 unless the subject is a userset
}

// Edge is one tuple as seen from one of its ends: the node at the other end,
// and the grant if there is more to it than the tuple's being there.
type Edge struct {
	Node  Node
	Grant *Grant // nil for the zero Grant
}

// SubjectsOf asks for the subjects of one kind that have Relation to Object.
type SubjectsOf struct {
	Object   Node
	Relation Symbol
	// Type and SubjectRelation select the kind: users are {user, 0}, the usersets
	// group#member are {group, member}. The wildcard belongs to {user, 0}.
	Type            Symbol
	SubjectRelation Symbol
}

// ObjectsOf asks for the objects of one type to which a subject has Relation.
type ObjectsOf struct {
	Subject         Node
	SubjectRelation Symbol
	Type            Symbol
	Relation        Symbol
}

// Snapshot is one store at one revision and one clock reading. What it returns
// is the caller's to keep. A snapshot serves one goroutine and must be closed;
// it may be held as long as the revision is retained.
//
// A tuple that has expired at the snapshot's time is absent from every answer but that of
// EachEdge.
//
// Methods that fill a buffer append to buf, up to its capacity, in ascending order of
// the node, starting behind after (0 for the beginning); filling less than the
// capacity means that there is no more. Every method can fail with the context's
// error or with that of the disk.
type Snapshot interface {
	// Revision is the revision that the snapshot shows.
	Revision() Revision
	// Time is the clock reading at which expiry is judged.
	Time() time.Time

	// Nodes fills nodes with the interned form of objects, 0 for one the store has
	// never seen. An ID of [Wildcard] is the type's wildcard.
	Nodes(ctx context.Context, objects []Object, nodes []Node) error
	// Objects fills objects with the names of nodes.
	Objects(ctx context.Context, nodes []Node, objects []Object) error

	// Edge returns the tuple of this key and whether there is one.
	Edge(ctx context.Context, key EdgeKey) (Edge, bool, error)
	// EdgesFrom appends the subjects of one list.
	EdgesFrom(ctx context.Context, list SubjectsOf, after Node, buf []Edge) ([]Edge, error)
	// EdgesTo appends the objects of one reverse list.
	EdgesTo(ctx context.Context, list ObjectsOf, after Node, buf []Edge) ([]Edge, error)

	// Read appends tuples that the filter selects, behind after (nil for the
	// beginning), in an order that is fixed for the store but otherwise unspecified.
	// It returns early, with more set, when it has looked at many rows to find few.
	Read(ctx context.Context, filter Filter, after *Key, buf []Tuple) (page []Tuple, last *Key, more bool, err error)

	// EachName visits the objects that the store has interned by now, in ascending order of
	// the node. One that is interned meanwhile may be left out. Visit must return soon, and
	// not use the snapshot; its error ends the visits and is returned.
	EachName(ctx context.Context, visit func(Node, Object) error) error
	// EachEdge visits the tuples of the revision in the order of object, relation, type of the
	// subject, its relation, subject. Those are among them that have expired at the snapshot's
	// time and are not collected yet: their grants say so. The grant is nil for the zero
	// Grant. What is said of visit in EachName holds here too.
	EachEdge(ctx context.Context, visit func(EdgeKey, *Grant) error) error

	// LastChange finds the last thing that happened, up to the snapshot's revision and
	// time, to the tuples whose keys the filters match: what rests on them alone was the
	// same ever since.
	LastChange(ctx context.Context, filters []Filter) (LastChange, error)

	// Close releases what the snapshot holds. Calling it again does nothing.
	Close()
}

// LastChange is what [Snapshot.LastChange] found.
type LastChange struct {
	// Revision is the latest that made, replaced or removed one of the tuples; 0 if none is
	// known. Where history does not reach back to the removal of one, a revision older than
	// the oldest that can be read may be missed.
	Revision Revision
	// Expired is the tuple that expired last, of those that are neither replaced nor
	// collected at the snapshot's revision; nil for none.
	Expired *Tuple
	// Rows is how many versions of tuples were looked at, for a caller's budget.
	Rows int
}

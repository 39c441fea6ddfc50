package tuples

import (
	"context"
	"time"
)

// Revision numbers the states of one store. Revisions strictly increase from
// commit to commit but need not be dense; 0 is the empty store before its first commit.
type Revision uint64

// StoreID is a store's identity for ever, a ULID.
type StoreID string

// ModelID names one immutable version of a store's authorization model, a ULID.
type ModelID string

// StoreInfo describes a store.
type StoreInfo struct {
	ID      StoreID
	Name    string // for people, unique among the stores there are
	Created time.Time
	// Epoch changes when the store's past does, for example by a restore from
	// backup. Tokens and cursors of another epoch are refused.
	Epoch uint64
}

// Database is a set of stores that share one storage engine.
type Database interface {
	// CreateStore makes an empty store; [ErrStoreExists] if the name is taken.
	CreateStore(ctx context.Context, name string) (StoreInfo, error)
	// Stores lists up to limit stores in the order of their ids, behind after.
	Stores(ctx context.Context, after StoreID, limit int) ([]StoreInfo, error)
	// Store finds a store by name or id; [ErrStoreNotFound] if there is none.
	Store(ctx context.Context, nameOrID string) (Store, error)
	// DeleteStore removes a store with all it holds; [ErrStoreNotFound] if there is
	// none. Requests under way on it end with that error too.
	DeleteStore(ctx context.Context, id StoreID) error
	// TokenKey is the secret that authenticates tokens and cursors, made once with
	// the database.
	TokenKey() [32]byte
	// Close waits for the commits under way and releases the engine.
	Close() error
}

// Store holds the tuples, models and changes of one library. It is safe for
// concurrent use.
//
// What Commit acknowledged is durable and is seen by every snapshot taken at head
// from then on; nothing is readable before it is durable.
type Store interface {
	Info() StoreInfo
	// Symbols is the table that the store's nodes and edges refer to.
	Symbols() *Symbols

	// Now is the store's clock, in whole milliseconds UTC. It never goes back,
	// across restarts too.
	Now() time.Time
	// Head is the latest durable revision.
	Head() Revision
	// Wait returns when the head has reached revision, or with the context's error.
	Wait(ctx context.Context, revision Revision) error
	// Snapshot opens the state that at asks for: [ErrRevisionAhead] or
	// [ErrRevisionUnavailable] if there is no such state.
	Snapshot(ctx context.Context, at At) (Snapshot, error)

	// Follow tells a follower of every commit behind the returned snapshot, between the
	// moment when it is durable and the moment when it is readable and acknowledged. What
	// there is already the follower gets from the snapshot, by [Snapshot.EachName] and
	// [Snapshot.EachEdge]. A store has one follower: another takes its place, and nil ends
	// following. If the context ends while the follower takes its place, it may or may not
	// have: [ErrOutcomeUnknown].
	Follow(ctx context.Context, follower Follower) (Snapshot, error)

	// Commit applies a write as a whole, at one revision, or not at all.
	Commit(ctx context.Context, commit Commit) (Committed, error)
	// Changes lists up to limit changes behind after, oldest first;
	// [ErrRevisionUnavailable] if the log no longer reaches back so far,
	// [ErrRevisionAhead] if the head is not there yet. It stops before a revision whose
	// parts are not all written yet, which can be some time after it is the head.
	Changes(ctx context.Context, after LogPosition, limit int) ([]Change, error)
	// ChangeAt is the change of one revision, without its mutations: who made it, when and
	// why. [ErrRevisionUnavailable] if the log does not have it, [ErrRevisionAhead] if the
	// head is not there yet.
	ChangeAt(ctx context.Context, revision Revision) (Change, error)

	// ModelAt is the model in force at a revision; [ErrModelNotFound] if there was none,
	// [ErrRevisionAhead] if the head is not there yet.
	ModelAt(ctx context.Context, revision Revision) (ModelVersion, error)
	// Model is one model version; [ErrModelNotFound] if there is none of that id.
	Model(ctx context.Context, id ModelID) (ModelVersion, error)
	// Models lists up to limit versions, newest first, that are older than before
	// ("" for the newest), without their source.
	Models(ctx context.Context, before ModelID, limit int) ([]ModelVersion, error)

	// Verify proves that live tuples, reverse order, history and log agree. It
	// returns what it counted, and an error that names the first disagreement.
	Verify(ctx context.Context) (Verified, error)
}

// At selects a state of a store. The zero At is the head, now.
type At struct {
	// Revision is the exact revision; 0 for the head, or for the one in force at Time.
	Revision Revision
	// Time is the clock reading to judge expiry at; the zero time for the store's
	// clock now. Without Revision it selects the revision in force at that time too.
	Time time.Time
}

// ModelVersion is one immutable version of an authorization model.
type ModelVersion struct {
	ID       ModelID
	Revision Revision // the revision it took effect at
	Created  time.Time
	Source   []byte // opaque to the store
}

// Op is what a mutation does with a tuple. Its numbers are part of the disk format.
type Op uint8

const (
	// OpCreate adds a tuple; the commit fails if there is one of that key.
	OpCreate Op = iota + 1
	// OpTouch adds a tuple or replaces the grant of the one there is.
	OpTouch
	// OpDelete removes the tuple of that key, if there is one.
	OpDelete
)

// String returns "create", "touch" or "delete".
func (o Op) String() string {
	switch o {
	case OpCreate:
		return "create"
	case OpTouch:
		return "touch"
	case OpDelete:
		return "delete"
	}
	return "unknown"
}

// Mutation is one change to one tuple.
type Mutation struct {
	Op    Op
	Tuple Tuple // of a delete only the key counts
}

// Commit is one write, as data. Its parts are checked in the order request id,
// model, read set, preconditions, mutations; the first failure ends it.
//
// Its mutations may be any number, and an erase or undo may mean any number of tuples. A
// commit that is too large for one transaction of the engine is staged in pieces that
// nobody sees, and made visible as a whole by one small write; other writers get their
// turn between the pieces, and what they change is taken in. Such commits wait for each
// other. Preconditions, model and read set are judged at the first piece and at that last
// write; so one that is not to be is refused early. When the context ends before the last
// write the commit fails with its error and is as if it had never been, but that the names
// of its tuples may stay interned.
//
// An expired tuple counts as absent. Where a mutation replaces one that is not collected
// yet, the revision before the commit's own is its collection, with [CauseExpired].
type Commit struct {
	// Mutations apply in order; no two may have the same key, unless Bulk is set. More than
	// 10,000 stand alone, without Delete and NewModel.
	Mutations []Mutation
	// Delete removes the tuples that a filter selects.
	Delete *DeleteMatching
	// NewModel becomes the model in force.
	NewModel *NewModel
	// Erase removes every tuple that names an object. It stands alone: without
	// Mutations, Delete, NewModel and Undo.
	Erase *Erase
	// Undo brings back what an earlier commit removed. It stands alone, like Erase.
	Undo *Undo
	// Bulk has any number of touches, up to 250,000, written at once instead of in pieces. They
	// are Mutations, of which several may have the same key: the last counts, the others are
	// counted as Same. A bulk commit stands alone, like Erase. Other writers wait meanwhile,
	// about 5 ms for each 1,000 mutations; readers do not, but for those of a time that lies
	// after its beginning.
	Bulk bool
	// DryRun checks the commit and counts what it would do, and writes nothing; Committed
	// names the head then.
	DryRun bool

	// Preconditions must hold in the state before the commit.
	Preconditions []Precondition
	// InForce is the model that the mutations were validated against: [ErrConflict]
	// if another is in force now; "" for no such check.
	InForce ModelID
	// ReadSet is what a decision outside the store read: [ErrConflict] if it has changed.
	ReadSet *ReadSet

	Origin Origin
	// RequestID makes a retry safe: within 24 hours the same caller's same id with
	// the same BodyHash returns the first result, with another one
	// [ErrRequestIDReused]. Failures are not remembered. "" for no such promise.
	RequestID string
	BodyHash  [32]byte
}

// NewModel is a model version to be put in force.
type NewModel struct {
	ID      ModelID
	Source  []byte
	Symbols []string // the names of its types and relations, to be interned
}

// DeleteMatching removes tuples by filter, up to Limit of them. A tuple that a
// mutation of the same commit names is left to that mutation.
type DeleteMatching struct {
	Filter Filter
	Limit  int
	// Partial allows the commit to remove the first Limit tuples when more match;
	// without it that is an [InvalidError].
	Partial bool
}

// Erase removes every tuple that names an object, as its object or as (the object of)
// its subject.
type Erase struct {
	Objects []Object
	// Along are the relations by which one object lies in another. With {media, parent}
	// the tuple media:logo#parent@folder:press puts media:logo into folder:press, and it is
	// erased with the folder, as is what lies in it in turn.
	Along []Containment
}

// Containment is a relation by which objects of a type lie in the subjects of its tuples.
type Containment struct {
	Type     ObjectType // "" for every type that has the relation
	Relation Relation
}

// Undo brings back the tuples that the change of a revision removed, with the grants
// they had. What is there again by now, and what would have expired, is left as it is; so
// are grants that the change replaced. [ErrRevisionUnavailable] if the history no longer
// reaches back so far, [ErrRevisionAhead] if the head is not there yet.
type Undo struct{ Revision Revision }

// Precondition asks that some live tuple matches a filter, or that none does.
type Precondition struct {
	Field     string // path in the request, for the error
	Filter    Filter
	MustMatch bool
}

// ReadSet is what a decision rests on: lists of subjects read at one revision, and
// the time until which no tuple in them expires.
type ReadSet struct {
	Revision   Revision
	Lists      []Userset
	ValidUntil time.Time // the zero time for ever
}

// Origin tells who made a change.
type Origin struct {
	// Caller is the authenticated service, "" where there is no authentication.
	Caller string
	// Actor is on whose behalf the caller says it acts; nil for nobody.
	Actor *Subject
	// Metadata is kept with the change, for example {"message": "have a look"}.
	Metadata map[string]string
}

// Committed is the outcome of a commit.
type Committed struct {
	Revision Revision
	Time     time.Time
	Created  int // tuples that were not there before
	Updated  int // tuples whose grant changed
	Deleted  int
	// Same counts touches and deletes that changed nothing. A commit of nothing
	// else takes no revision and is not logged: Revision is the head then.
	Same int
	// Objects counts what an erase removed tuples of, by type: the objects named and those
	// that lie in them. Objects that no tuple names are not counted.
	Objects map[ObjectType]int
	// Skipped counts the tuples that an undo left as they are.
	Skipped int
	// More says that a partial delete left tuples that match.
	More bool
	// Replayed says that the request id was known and this is the first outcome.
	Replayed bool
}

// Cause tells why a change was made. Its numbers are part of the disk format.
type Cause uint8

const (
	CauseWrite   Cause = iota + 1 // mutations that a caller listed
	CauseDelete                   // a delete by filter
	CauseModel                    // a model put in force
	CauseExpired                  // the collection of expired tuples
	CauseErase                    // the erasing of objects
	CauseUndo                     // the undoing of an earlier change
)

// String returns "write", "delete", "model", "expired", "erase" or "undo".
func (c Cause) String() string {
	switch c {
	case CauseWrite:
		return "write"
	case CauseDelete:
		return "delete"
	case CauseModel:
		return "model"
	case CauseExpired:
		return "expired"
	case CauseErase:
		return "erase"
	case CauseUndo:
		return "undo"
	}
	return "unknown"
}

// LogPosition is a place in the change log. The zero LogPosition is its beginning.
type LogPosition struct {
	Revision Revision
	// Parts is how many parts of Revision lie behind, where more of them follow; 0 where
	// all of Revision lies behind.
	Parts int
}

// Change is one revision of the change log, or a part of a large one. All parts of one
// revision have the same time, origin and cause.
type Change struct {
	Revision Revision
	Part     int  // from 0
	More     bool // another part of the revision follows
	Time     time.Time
	Origin   Origin
	Cause    Cause
	// Mutations are what really changed, in no promised order: creates, touches (a grant
	// replaced) and deletes (with the grant that was removed).
	Mutations []Mutation
	// Model is the model that took effect, "" if none did.
	Model ModelID
}

// Position is the place behind the change.
func (c *Change) Position() LogPosition {
	if c.More {
		return LogPosition{Revision: c.Revision, Parts: c.Part + 1}
	}
	return LogPosition{Revision: c.Revision}
}

// Verified counts what [Store.Verify] looked at.
type Verified struct {
	Live, History, Changes, Objects, Models int
}

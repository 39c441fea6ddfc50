package tuples

// Follower keeps a copy of a store's live tuples exact, for example the reverse-index cache.
// See [Store.Follow]. The calls come one after the other, in the order of revisions, and what
// they are given is not changed afterwards.
type Follower interface {
	// Intern tells the name of a node that the store has made, before any change that
	// uses it.
	Intern(node Node, object Object)
	// Apply tells what a revision does to tuples, no two of one key. The changes of one
	// revision may come in several calls, and several revisions before they are published.
	Apply(revision Revision, changes []EdgeChange)
	// Publish says that everything up to a revision has been told. Snapshots of it may be
	// opened from then on.
	Publish(revision Revision)
}

// EdgeChange is what a commit does to one tuple, in interned form: creates and touches put it
// with its grant, deletes remove it.
type EdgeChange struct {
	Key   EdgeKey
	Op    Op
	Grant *Grant // nil for the zero Grant, and of a delete
}

package tuples

// Follower keeps a copy of a store's live tuples exact, for example the reverse-index cache.
// See [Store.Follow]. The calls come one after the other, in the order of revisions, and what
// they are given is not changed afterwards. They come from the goroutine that every write
// waits for, and should cost no more than what they tell.
//
// A revision is published before it is the head: whoever opens a snapshot at the head finds
// that the follower knows it already. There is one exception. What a large commit does, which
// can be to a million tuples, is told in pieces when it is the head already, and what later
// revisions do is told behind it. Until then the follower's last published revision is
// older than the head.
type Follower interface {
	// Intern tells the name of a node that the store has made, before any change that
	// uses it. A name may be told that EachName visits too.
	Intern(node Node, object Object)
	// Apply tells what a revision does to tuples, no two of one key. The changes of one
	// revision may come in several calls, and several revisions before they are published; a
	// revision that changes no tuple is not applied.
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

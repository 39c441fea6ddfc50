// Package bolt is the embedded store: package tuples' contract over one bbolt
// file. Start with [Open]; everything else is the interfaces of package tuples.
//
// # Lifetimes
//
// Nothing that the package returns points into the file: names, rows and changes
// are copies. A snapshot names a revision and a clock reading; the bbolt
// transaction below it lives for one slice at most (see transactionSlice), however
// long the snapshot is held, and the next call begins another. So no reader holds
// up the remapping of the file or the reuse of its pages, and a snapshot fails
// with [tuples.ErrRevisionUnavailable] only if its revision left the retention.
//
// # Writes
//
// One goroutine, the committer, takes what callers have queued and applies it as
// one bbolt transaction. Each commit of such a group is checked against the state
// that the earlier ones leave, gets its own revision, and fails alone. The order is
// fsync, tell the follower, publish, acknowledge: what is in memory (heads, symbols, model
// lists, the follower's copy) changes after the fsync alone; see feed.go. Store creation, collection and the clock's mark go
// through the same queue.
//
// A bulk commit is one job too, but of up to 250,000 tuples, which take a second: bulk.go.
// Any other commit too large for a group is staged: piece by piece into buckets that nobody
// reads, each piece a job like any other. See staging.go for the way there, staged.go for how
// it becomes visible, merge.go for what follows.
//
// A bbolt reader can see a transaction whose meta page is written but not yet
// synced. A snapshot therefore pins the published head before it begins its
// transaction, and when that transaction turns out to be newer it shows the pinned
// revision: live rows that are old enough, and history rows that were live then.
package bolt

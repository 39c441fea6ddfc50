// Package decisions keeps the decision log: which decisions were given about whom, when,
// to which address, and by which grant (requirement D11). It is a bbolt file of its own,
// so that recording never waits for a write of tuples, and can be kept for as long and
// moved to where reports need it.
//
// Start with [Open]; [Log.Record] takes decisions and [Log.Newest] reads them.
//
// # Recording
//
// Decisions go into a bounded queue, from which one goroutine writes them in groups. What
// finds the queue full, or cannot be written, is dropped and counted ([Log.Stats]); the log
// of the process says so at most once a minute. With [Options.Required] nobody gets a
// decision that is not durable: Record returns after the fsync, or an error.
//
// # Lifetimes
//
// Nothing that the package returns points into the file. A list is read in slices, each
// in a transaction of its own, so a slow reader holds up neither the writer nor the
// reuse of pages.
package decisions

// Package drive measures a running server over gRPC, with the questions of a generated
// library (bench/library).
//
//	start.go      a server that is a process of its own ([Start])
//	target.go     a store of it, or of a server that runs already ([Over])
//	usage.go      what the server has used: CPU time and memory, by its own accounting
//	load.go       the library, written to the store
//	operation.go  what a kind of request is; questions.go, filter_objects.go, lists.go and
//	              writes.go and summaries.go have the kinds
//	reads.go      the kinds that read, with the callers that they are measured with
//	rounds.go     callers that each ask one request after the other, in turns with others
//	result.go     what the rounds came to
//
// Machines drift. So operations are measured in short rounds in turns with their floors, the
// health RPC and raw bbolt, and what counts is the ratio of two. A wrong answer ends the run:
// a fast server that is wrong has no figures.
//
// Start with [Start], [Target.Load], [Target.Reads] and [Compete].
package drive

// Package drive measures a running server over gRPC, with the questions of a generated
// library (bench/library).
//
//	target.go     the server: a process of its own ([Start]), or one that runs already ([Dial])
//	usage.go      what the server has used: CPU time and memory, by its own accounting
//	load.go       the library, written to the server
//	operation.go  what a kind of request is; questions.go and lists.go have the kinds
//	rounds.go     callers that each ask one request after the other, and take turns with a floor
//	reads.go      questions next to the health RPC
//	writes.go     durable writes next to raw bbolt
//	result.go     what the rounds came to
//
// Machines drift. So each measurement is taken in short rounds in turns with its floor,
// and what counts is the ratio of the two. A wrong answer ends the run: a fast server that
// is wrong has no figures.
//
// Start with [Start], [Target.Load], [Target.ReadOperations] and [Target.Measure].
package drive

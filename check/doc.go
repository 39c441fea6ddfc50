// Package check is Usher's engine: it answers permission questions from an
// authorization model and a snapshot of relation tuples, and from nothing else.
//
//	(model, snapshot, query) → answer
//
// It knows neither protobuf nor gRPC nor bbolt. Make an [Evaluator] for each
// request with [New], ask it, and drop it. Package check/reference says what the
// answers must be.
package check

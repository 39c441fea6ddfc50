// Package server is the first hop of a request: it turns protobuf messages into
// questions and writes of the domain, and answers into messages.
//
//	gRPC → server → check → tuples (a store)
//
// Start with [New]. One file holds one family of RPCs (check.go, write.go,
// watch.go …); open.go is what all questions begin with: store, state, model.
// Handlers return errors of the domain. failure.go names the reason of each, and
// errors.go alone turns reasons into gRPC statuses.
//
// Tokens and cursors (token.go, cursor.go) hold no pointer to anything in the
// server: it keeps no state for a client between two requests.
package server

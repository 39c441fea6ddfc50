// Package server is the first hop of a request: it turns protobuf messages into
// questions and writes of the domain, and answers into messages.
//
//	gRPC → server → check → tuples (a store)
//
// Start with [New]. One file holds one family of RPCs; open.go is what all questions
// begin with: store, state, model. Handlers return errors of the domain. failure.go names
// the reason of each, and errors.go alone turns reasons into gRPC statuses.
//
//	server, interceptors, metrics,       what stands around all handlers
//	  deadline, log, http
//	handle, open, question               store, state and model of a request
//	check, batch, filter_objects,        permission questions
//	  list_*, expand
//	attributes, givers, record           what an answer can come with
//	list, list_items, page, cursor,      long lists, and where they go on
//	  stretches
//	sharing, set_shares, share_guards,   sharing menus: what they show, what they set
//	  preview_shares, summarize_*
//	trace_access, trace                  since when an access has lasted
//	write, delete*, undo_delete          changes of tuples
//	commit, precondition, origin         what all changes go through
//	read, watch*, decisions              tuples, changes and decisions as streams
//	models, orphans, stores              authorization models and stores
//	problems, names, limits              what is refused
//
// Tokens and cursors (token.go, cursor.go) hold no pointer to anything in the server: no
// client depends on what it keeps between two requests. What it keeps are caches: compiled
// models, indexes, and what the pages of lists leave behind (stretches.go).
package server

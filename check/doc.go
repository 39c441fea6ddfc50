// Package check is Usher's engine: it answers permission questions from an
// authorization model and a snapshot of relation tuples, and from nothing else.
//
//	(model, snapshot, query) → answer
//
// It knows neither protobuf nor gRPC nor bbolt. Make an [Evaluator] for each
// request with [New], ask it, and close it. Package check/reference says what the
// answers must be.
//
//	query, evaluator                 what is asked, and of whom
//	graph, overlay, edges, reads     tuples, with contextual ones laid over them
//	value, guard                     the three truth values, and conditions
//	solver, atom, frame, component   is the subject in it? What a Check comes to
//	membership                       groups, met from the subject's side
//	list*, stretch, sort             lists, and where a later page goes on
//	climb*, ascents, node_set        what a subject may reach: lists of objects
//	descent, gates                   whom an object may be open for: lists of subjects
//	expand                           trees of usersets
//	explanation, explain_union,      why, and what would have been enough
//	  ways, would_grant
//	blockers                         what stands in the way
//	attributes, attribute_set        under which restrictions
//	recipients, namings, lineage     whom tuples name, also by way of inheritance
//	shares*                          with whom objects are shared, and as what
//	tree, openness, look             for whom the objects of a tree are open
package check

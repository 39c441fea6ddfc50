// Package reference is the specification of Usher's answers, written to be read
// and run: it grounds a model over the tuples there are and takes fixpoints of
// sets, with no thought of speed. Tests hold package check to it; nothing else
// uses it, and it shares no code with check.
//
//	rules.go       who belongs to a userset: the model's rewrites as formulas over usersets and conditions
//	truth.go       which usersets a subject is surely, possibly or not in: well-founded semantics
//	attributes.go  under which restrictions a subject is in a userset
//	lists.go       the operations, all of them defined by Check
//	shares.go      with whom objects are shared, and as what: whom tuples name on the way down
//	tree.go        how open the objects of a tree are: public, invited or private
//
// Start with [New] and [Spec.Check].
package reference

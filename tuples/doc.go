// Package tuples is Usher's vocabulary and the contract of its stores.
//
// A relation tuple says that a subject has a relation to an object:
//
//	media:logo#viewer@user:anna                 anna may view the logo
//	media:logo#viewer@group:design#member       so may every member of the design group
//	collection:press#viewer@user:*              and everybody may view the press collection
//
// Start with [Object], [Subject] and [Tuple]; [ParseTuple] and [Tuple.String]
// are their text form. [Store] is what a storage engine implements, and
// [Snapshot] is how the evaluation engine reads one: at one revision, at one
// clock reading, through interned ids ([Node], [Symbol]).
//
// The package imports the standard library alone, so that everything else can
// import it. Terms follow the Zanzibar paper (Pang et al., USENIX ATC 2019,
// section 2.1) and the OpenFGA documentation; GLOSSARY.md lists them.
package tuples

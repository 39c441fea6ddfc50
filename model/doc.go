// Package model reads authorization models in the OpenFGA modelling language
// (schema 1.1, and 1.2 with modules), validates them, and compiles them for the
// engine.
//
//	Source → Parse → *Model → Compile → *Program
//
// Start with [Parse]: it turns a [Source] into a [Model], the syntax tree with names,
// or says in one [*Error] everything that is wrong with it. A model judges tuples
// ([Model.ValidateTuple]) and conditions ([Condition.Evaluate]), can be compared with
// another ([Diff]) and be written out again ([Model.DSL]). A [Program] is the same
// with the symbols of one store and with the facts that the engine plans by.
package model

// Package model reads authorization models in the OpenFGA modelling language
// (schema 1.1, and 1.2 with modules), validates them, and compiles them for the
// engine.
//
//	source → Parse → *Model → Validate → Compile → *Program
//
// A [Model] is the syntax tree with names; a [Program] is the same with the
// symbols of one store and with the facts that the engine plans by.
package model

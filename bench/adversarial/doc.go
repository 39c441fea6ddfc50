// Package adversarial has worlds of tuples that are made to hurt an engine, each with
// questions and the answers that are right.
//
//	world.go       what a world is
//	groups.go      large groups, many groups, deep groups
//	operators.go   `but not` and `and` with as much on both of their sides
//	folders.go     a folder that is too full
//
// The tests ask small ones through a server of their own and compare every answer; the
// benchmarks ask the same of full size, next to the health RPC:
//
//	go test ./bench/adversarial -run '^$' -bench . -benchtime 20x
//
// One more, which is written and read at once, is in hot_test.go.
package adversarial

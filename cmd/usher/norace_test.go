//go:build !race

package main

import "testing"

// clientPath returns a folder with the commands for scripts; "" for the test's own.
func clientPath(*testing.T) string { return "" }

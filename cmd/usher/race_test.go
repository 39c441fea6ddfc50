//go:build race

package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// clientPath returns a folder with the commands for scripts, built without the race
// detector, under which a process takes a second to start: the scripts run some 650. Their
// servers, where goroutines share memory, stay under it.
func clientPath(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if output, err := exec.Command("go", "build", "-o", filepath.Join(dir, "usher"), ".").CombinedOutput(); err != nil {
		t.Fatalf("build usher: %v\n%s", err, output)
	}
	return dir
}

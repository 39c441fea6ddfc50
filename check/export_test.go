package check

import "testing"

// SetRemembered changes what summaries remember from object to object, for one test.
func SetRemembered(t *testing.T, relatives, atoms int) {
	t.Helper()
	before := [2]int{maxRemembered, maxAtoms}
	maxRemembered, maxAtoms = relatives, atoms
	t.Cleanup(func() { maxRemembered, maxAtoms = before[0], before[1] })
}

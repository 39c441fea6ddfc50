package check

import "testing"

// SetRemembered changes what summaries remember from object to object, for one test.
func SetRemembered(t *testing.T, relatives, atoms int) {
	t.Helper()
	before := [2]int{maxRemembered, maxAtoms}
	maxRemembered, maxAtoms = relatives, atoms
	t.Cleanup(func() { maxRemembered, maxAtoms = before[0], before[1] })
}

// SetReach changes how many candidates one walk looks for, for one test.
func SetReach(t *testing.T, page, whole int) {
	t.Helper()
	before := [2]int{pageReach, wholeReach}
	pageReach, wholeReach = page, whole
	t.Cleanup(func() { pageReach, wholeReach = before[0], before[1] })
}

// SetWorth changes what walks to the members of operands are worth, for one test.
func SetWorth(t *testing.T, perObject, few, first, below int) {
	t.Helper()
	before := worth
	worth.perObject, worth.few, worth.first, worth.below = perObject, few, first, below
	t.Cleanup(func() { worth = before })
}

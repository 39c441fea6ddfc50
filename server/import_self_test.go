package server_test

import (
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// A checkpoint remembers which kinds of tuples the model permits. A tuple that makes a userset
// a member of itself is of such a kind, and is refused all the same.
func TestImportRefusesASelfMember(t *testing.T) {
	w := newLibrary(t)
	im := w.importInto(&usherv1.ImportHeader{})
	im.lines("group:design#member@group:leads#member", "group:leads#member@group:leads#member")
	expectTold(t, im.mustEnd(), "2: 1 created, 0 updated, 0 unchanged, row 1 refused")
}

package server_test

import (
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// The default store is found without a lock, and may be deleted like any other: what is created
// under its name is another store, of which the server keeps nothing yet.
func TestTheDefaultStoreIsMadeAnew(t *testing.T) {
	w := newLibrary(t, "media:logo#owner@user:anna")
	r := question(t, "user:anna can_view media:logo")
	if _, err := w.permissions.Check(w.ctx, r); err != nil {
		t.Fatal(err)
	}
	if _, err := w.stores.DeleteStore(w.ctx, &usherv1.DeleteStoreRequest{Store: "default"}); err != nil {
		t.Fatal(err)
	}
	_, err := w.permissions.Check(w.ctx, r)
	wantRefusal(t, err, codes.NotFound, "STORE_NOT_FOUND", "")
	if _, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: "default"}); err != nil {
		t.Fatal(err)
	}
	_, err = w.permissions.Check(w.ctx, r)
	wantRefusal(t, err, codes.FailedPrecondition, "NO_MODEL", "")
}

package server_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

// What may be large is not cut at the default deadline, unlike a Write.
func TestLargeWritesHaveNoDefaultDeadline(t *testing.T) {
	w := serve(t, newLibrary(t).db, server.Options{Deadline: -1})
	background := context.Background()
	if _, err := w.tuples.SetShares(background, setShares(t, "media:a", "viewer@user:anna")); err != nil {
		t.Errorf("SetShares: %v", err)
	}
	deleted, err := w.tuples.DeleteObject(background, &usherv1.DeleteObjectRequest{Object: object(t, "media:a")})
	if err != nil {
		t.Errorf("DeleteObject: %v", err)
	}
	if _, err := w.tuples.UndoDelete(background, &usherv1.UndoDeleteRequest{DeletedAt: deleted.GetToken()}); err != nil {
		t.Errorf("UndoDelete: %v", err)
	}
	_, err = w.tuples.Write(background, &usherv1.WriteRequest{Updates: updates(t, touch, "media:a#viewer@user:bert")})
	wantRefusal(t, err, codes.DeadlineExceeded, "DEADLINE_EXCEEDED", "")
}

// The most objects with ten recipients each, at one revision (B15).
func TestSetSharesAtScale(t *testing.T) {
	const media, recipients = 10_000, 10
	w := newLibrary(t)
	r := setShares(t, "")
	for i := range media {
		r.Objects = append(r.Objects, object(t, fmt.Sprintf("media:m%d", i)))
	}
	for i := range recipients {
		r.Shares = append(r.Shares, shareList(t, fmt.Sprintf("viewer@user:u%d", i))...)
	}
	last := fmt.Sprintf("user:u%d can_view media:m%d", recipients-1, media-1)
	given, err := w.tuples.SetShares(w.ctx, r)
	if err != nil || given.GetCreated() != media*recipients || given.GetDeleted()+given.GetUpdated()+given.GetUnchanged() != 0 {
		t.Fatalf("got %v, %v", given, err)
	}
	if got := w.check(last); got != "allowed" || given.GetRevision() != w.head() {
		t.Errorf("%s at revision %d of %d", got, given.GetRevision(), w.head())
	}
	for _, share := range r.GetShares() {
		share.Relation = ""
	}
	withdrawn, err := w.tuples.SetShares(w.ctx, r)
	if err != nil || withdrawn.GetDeleted() != media*recipients || withdrawn.GetRevision() != w.head() {
		t.Fatalf("got %v, %v", withdrawn, err)
	}
	if got := w.check(last); got != "denied" {
		t.Errorf("withdrawn, but %s", got)
	}
}

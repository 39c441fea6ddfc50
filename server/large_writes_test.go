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

// A folder with more media than one transaction takes is deleted and brought back at one
// revision each (C5), and right behind each the token of a delete that found nothing is
// still told from that of the large one.
func TestDeleteObjectAtScale(t *testing.T) {
	const media, perWrite = 25_000, 5_000
	w := newLibrary(t)
	for part := range media / perWrite {
		lines := make([]string, perWrite)
		for i := range lines {
			lines[i] = fmt.Sprintf("media:m%d#folder@folder:press", part*perWrite+i)
		}
		w.touch(lines...)
	}
	before := w.head()
	deleted, err := w.tuples.DeleteObject(w.ctx, &usherv1.DeleteObjectRequest{Object: object(t, "folder:press"), Contents: within("folder")})
	if err != nil || deleted.GetDeleted() != media || deleted.GetObjects()["media"] != media || deleted.GetRevision() != before+1 || w.head() != before+1 {
		t.Fatalf("got %v, %v", deleted, err)
	}
	nothing := deleted
	for nothing.GetToken() == deleted.GetToken() {
		if nothing, err = w.tuples.DeleteObject(w.ctx, &usherv1.DeleteObjectRequest{Object: object(t, "folder:press")}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.tuples.UndoDelete(w.ctx, &usherv1.UndoDeleteRequest{DeletedAt: nothing.GetToken()})
	wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "deleted_at")
	undone, err := w.tuples.UndoDelete(w.ctx, &usherv1.UndoDeleteRequest{DeletedAt: deleted.GetToken()})
	if err != nil || undone.GetRestored() != media || undone.GetRevision() != before+2 {
		t.Fatalf("got %v, %v", undone, err)
	}
	again, err := w.tuples.UndoDelete(w.ctx, &usherv1.UndoDeleteRequest{DeletedAt: deleted.GetToken()})
	if err != nil || again.GetRestored() != 0 || again.GetSkipped() != media {
		t.Errorf("got %v, %v", again, err)
	}
}

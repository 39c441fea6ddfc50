package server_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

// What a refusal says is for the person who reads it: values as people write them,
// and a remedy that helps.
func TestRefusalsReadWell(t *testing.T) {
	w := newLibrary(t)
	expiring := updates(t, usherv1.Operation_OPERATION_DELETE, "media:a#viewer@user:anna")
	expiring[0].Tuple = updates(t, usherv1.Operation_OPERATION_TOUCH, "media:a#viewer@user:anna expires 2030-01-02T03:04:05Z")[0].GetTuple()
	for _, c := range []struct {
		name, want string
		provoke    func() error
	}{
		{"a duration", `heartbeat "2h0m0s": is out of range; send 1s to 1h0m0s`, func() error {
			_, err := collect(w.tuples.Watch(w.ctx, &usherv1.WatchRequest{Heartbeat: durationpb.New(2 * time.Hour)}))
			return err
		}},
		{"a time", `updates[0].tuple.expires_at "2030-01-02T03:04:05Z": is set in a delete`, func() error {
			_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{Updates: expiring})
			return err
		}},
		{"a type without relations", `of type "user" in the authorization model; it has none, so name another type`, func() error {
			return w.tryCheck("user:anna can_view user:bert", nil)
		}},
		{"an unknown model", `not found: "01ARZ"; list the versions, or leave the id out`, func() error {
			_, err := w.models.ReadModel(w.ctx, &usherv1.ReadModelRequest{ModelId: "01ARZ"})
			return err
		}},
		{"a time ahead", "ask for an earlier state, or for the head", func() error {
			return w.tryCheck("user:anna can_view media:a", atTime(time.Now().Add(time.Hour)))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.provoke(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// A store without a model wants one; a state before the first model cannot get one.
func TestRemedyForNoModel(t *testing.T) {
	w := newWorld(t, server.Options{})
	store, err := w.stores.GetStore(w.ctx, &usherv1.GetStoreRequest{})
	if err != nil {
		t.Fatal(err)
	}
	past := exactly(store.GetStore().GetToken())
	if err := w.tryCheck("user:anna can_view media:a", past); err == nil || !strings.Contains(err.Error(), "write one with ModelService.WriteModel") {
		t.Errorf("without a model: %v", err)
	}
	w.writeModel(library)
	if err := w.tryCheck("user:anna can_view media:a", past); err == nil || !strings.Contains(err.Error(), "at revision 0; ask for a later state") {
		t.Errorf("before the first model: %v", err)
	}
}

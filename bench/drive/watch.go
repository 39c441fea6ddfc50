package drive

import (
	"context"
	"fmt"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// Watch follows the changes of the store from now on until ctx ends, and tells seen how many
// tuples were written, revision by revision; what expires is not counted. Wait, which Watch returns once nothing can be missed any
// more, waits for its end: it fails if the stream did, or if revisions came out of order.
func (t *Target) Watch(ctx context.Context, seen func(written int)) (wait func() error, err error) {
	mark := &usherv1.TupleUpdate{
		Operation: usherv1.Operation_OPERATION_TOUCH,
		Tuple: &usherv1.Tuple{
			Object: &usherv1.Object{Type: "media", Id: "watched"}, Relation: "viewer",
			Subject: &usherv1.Subject{Type: "user", Id: "watcher@post.example"},
		},
	}
	client := usherv1.NewTupleServiceClient(t.connection)
	marked, err := client.Write(ctx, &usherv1.WriteRequest{Store: t.store, Updates: []*usherv1.TupleUpdate{mark}})
	if err != nil {
		return nil, fmt.Errorf("mark where the watch begins: %w", err)
	}
	stream, err := client.Watch(ctx, &usherv1.WatchRequest{Store: t.store, After: marked.GetToken()})
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	ended := make(chan error, 1)
	go func() {
		var revision uint64
		for {
			message, err := stream.Recv()
			switch {
			case ctx.Err() != nil:
				ended <- nil
				return
			case err != nil:
				ended <- fmt.Errorf("watch: %w", err)
				return
			case message.GetRevision() < revision:
				ended <- &WrongAnswerError{"a watch", fmt.Sprintf("revision %d behind %d", message.GetRevision(), revision), "revisions in their order"}
				return
			}
			revision = message.GetRevision()
			if changes := message.GetChanges(); changes.GetCause() == usherv1.Cause_CAUSE_WRITE {
				seen(len(changes.GetTuples()))
			}
		}
	}()
	return func() error { return <-ended }, nil
}

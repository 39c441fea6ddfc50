package drive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// SummarizeShares asks for the recipients of a selection, of which there are so many, again
// and again.
func (t *Target) SummarizeShares(request *usherv1.SummarizeSharesRequest, recipients int) Operation {
	client := usherv1.NewPermissionServiceClient(t.connection)
	return Operation{Name: "SummarizeShares", server: t, Ask: func(ctx context.Context, _ int) error {
		stream, err := client.SummarizeShares(ctx, request)
		return count(stream, err, "recipients", recipients, (*usherv1.SummarizeSharesResponse).GetRecipients)
	}}
}

// SummarizeTree asks for the states of a tree of so many objects, again and again.
func (t *Target) SummarizeTree(request *usherv1.SummarizeTreeRequest, objects int) Operation {
	client := usherv1.NewPermissionServiceClient(t.connection)
	return Operation{Name: "SummarizeTree", server: t, Ask: func(ctx context.Context, _ int) error {
		stream, err := client.SummarizeTree(ctx, request)
		return count(stream, err, "objects", objects, (*usherv1.SummarizeTreeResponse).GetObjects)
	}}
}

// count reads a stream to its end and counts its items.
func count[M, I any](stream grpc.ServerStreamingClient[M], err error, what string, want int, items func(*M) []I) error {
	got := 0
	for err == nil {
		var message *M
		if message, err = stream.Recv(); err == nil {
			got += len(items(message))
		}
	}
	switch {
	case !errors.Is(err, io.EOF):
		return err
	case got != want:
		return &WrongAnswerError{"a summary", fmt.Sprintf("%d %s", got, what), fmt.Sprint(want)}
	}
	return nil
}

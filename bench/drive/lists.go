package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/usher-authz/usher/bench/library"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// ListObjects asks for a list in a request, and reads it to its end.
func (t *Target) ListObjects(lists []library.List) Operation {
	client := usherv1.NewPermissionServiceClient(t.connection)
	requests := make([]*usherv1.ListObjectsRequest, len(lists))
	for i, list := range lists {
		requests[i] = t.listRequest(list)
	}
	return Operation{Name: "ListObjects", server: t, Ask: func(ctx context.Context, number int) error {
		i := number % len(requests)
		stream, err := client.ListObjects(ctx, requests[i])
		if err != nil {
			return err
		}
		return judgeList(lists[i], stream.Recv)
	}}
}

func (t *Target) listRequest(list library.List) *usherv1.ListObjectsRequest {
	return &usherv1.ListObjectsRequest{Store: t.store, ObjectType: "media", Relation: "can_view", Subject: wire.FromSubject(list.Subject)}
}

// pageSize is how many items of a list are asked for at once.
const pageSize = 100

// ListPage asks for the 100 items of a list that come behind so many, by a cursor unless it
// is the first page. The cursor is that of a list begun before the first request.
func (t *Target) ListPage(lists []library.List, behind int) Operation {
	client := usherv1.NewPermissionServiceClient(t.connection)
	pages := make([]library.List, len(lists))
	requests := make([]func() (*usherv1.ListObjectsRequest, error), len(lists))
	for i, list := range lists {
		from := min(behind, len(list.Items)-1)
		pages[i] = library.List{Subject: list.Subject, Items: list.Items[from:min(from+pageSize, len(list.Items))]}
		requests[i] = sync.OnceValues(func() (*usherv1.ListObjectsRequest, error) {
			request := t.listRequest(list)
			request.PageSize = pageSize
			if from == 0 {
				return request, nil
			}
			cursor, err := cursorOf(client, request)
			request.Resume = &usherv1.Resume{Cursor: cursor, After: "media:" + string(list.Items[from-1].ID)}
			return request, err
		})
	}
	return Operation{Name: "ListObjects, a page", server: t, Ask: func(ctx context.Context, number int) error {
		i := number % len(requests)
		request, err := requests[i]()
		if err != nil {
			return err
		}
		stream, err := client.ListObjects(ctx, request)
		if err != nil {
			return err
		}
		return judgeList(pages[i], stream.Recv)
	}}
}

// cursorOf begins a list and returns the cursor that goes with every item of it. It is
// asked for once by whichever caller comes first, so no caller's context ends it.
func cursorOf(client usherv1.PermissionServiceClient, request *usherv1.ListObjectsRequest) (string, error) {
	stream, err := client.ListObjects(context.Background(), request)
	if err != nil {
		return "", err
	}
	cursor := ""
	for {
		response, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return cursor, nil
		case err != nil:
			return "", err
		}
		cursor = response.GetCursor()
	}
}

// judgeList compares the items as they come.
func judgeList(list library.List, receive func() (*usherv1.ListObjectsResponse, error)) error {
	asked := fmt.Sprintf("which media may %s view", list.Subject)
	rest := list.Items
	for {
		response, err := receive()
		switch {
		case errors.Is(err, io.EOF) && len(rest) == 0:
			return nil
		case errors.Is(err, io.EOF):
			return &WrongAnswerError{asked, fmt.Sprintf("%d", len(list.Items)-len(rest)), fmt.Sprintf("%d, the next being %s", len(list.Items), rest[0].ID)}
		case err != nil:
			return err
		}
		for _, item := range response.GetObjects() {
			if len(rest) == 0 {
				return &WrongAnswerError{asked, item.GetId() + " behind the last", fmt.Sprint(len(list.Items))}
			}
			if want := rest[0]; item.GetId() != string(want.ID) || outcomes[item.GetOutcome()] != want.Outcome {
				return &WrongAnswerError{asked, fmt.Sprintf("%s %s", item.GetId(), item.GetOutcome()), fmt.Sprintf("%s %s", want.ID, want.Outcome)}
			}
			rest = rest[1:]
		}
	}
}

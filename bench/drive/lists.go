package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/usher-authz/usher/bench/library"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// FilterObjects asks for a page in a request.
func (t *Target) FilterObjects(pages []library.Page) Operation {
	client := usherv1.NewPermissionServiceClient(t.connection)
	requests := make([]*usherv1.FilterObjectsRequest, len(pages))
	for i, page := range pages {
		requests[i] = &usherv1.FilterObjectsRequest{
			Subject: wire.FromSubject(page.Subject), Relation: "can_view", ObjectType: "media", ObjectIds: toStrings(page.IDs),
		}
	}
	return Operation{"FilterObjects", func(ctx context.Context, number int) error {
		i := number % len(requests)
		response, err := client.FilterObjects(ctx, requests[i])
		if err != nil {
			return err
		}
		return judgePage(pages[i], response)
	}}
}

func judgePage(page library.Page, response *usherv1.FilterObjectsResponse) error {
	same := func(id tuples.ID, got string) bool { return string(id) == got }
	sameConditional := func(id tuples.ID, got *usherv1.ConditionalObject) bool { return string(id) == got.GetId() }
	if slices.EqualFunc(page.Allowed, response.GetAllowedIds(), same) &&
		slices.EqualFunc(page.Conditional, response.GetConditional(), sameConditional) && len(response.GetFailed()) == 0 {
		return nil
	}
	return &WrongAnswerError{
		fmt.Sprintf("which of %d media may %s view", len(page.IDs), page.Subject),
		fmt.Sprintf("%d, %d conditional and %d failed: %q", len(response.GetAllowedIds()), len(response.GetConditional()), len(response.GetFailed()), response.GetAllowedIds()),
		fmt.Sprintf("%d and %d: %q", len(page.Allowed), len(page.Conditional), page.Allowed),
	}
}

func toStrings(ids []tuples.ID) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return texts
}

// ListObjects asks for a list in a request, and reads it to its end.
func (t *Target) ListObjects(lists []library.List) Operation {
	client := usherv1.NewPermissionServiceClient(t.connection)
	requests := make([]*usherv1.ListObjectsRequest, len(lists))
	for i, list := range lists {
		requests[i] = &usherv1.ListObjectsRequest{ObjectType: "media", Relation: "can_view", Subject: wire.FromSubject(list.Subject)}
	}
	return Operation{fmt.Sprintf("ListObjects, %d results", len(lists[0].Items)), func(ctx context.Context, number int) error {
		i := number % len(requests)
		stream, err := client.ListObjects(ctx, requests[i])
		if err != nil {
			return err
		}
		return judgeList(lists[i], stream.Recv)
	}}
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

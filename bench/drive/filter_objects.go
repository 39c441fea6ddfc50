package drive

import (
	"context"
	"fmt"
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
			Store: t.store, Subject: wire.FromSubject(page.Subject), Relation: "can_view", ObjectType: "media", ObjectIds: toStrings(page.IDs),
		}
	}
	return Operation{Name: "FilterObjects", server: t, Ask: func(ctx context.Context, number int) error {
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

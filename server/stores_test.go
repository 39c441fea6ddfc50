package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func TestStores(t *testing.T) {
	w := newLibrary(t, "media:logo#owner@user:anna")
	created, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: "press_kit-2"})
	if err != nil {
		t.Fatal(err)
	}
	store := created.GetStore()
	if store.GetName() != "press_kit-2" || store.GetRevision() != 0 || store.GetModelId() != "" ||
		len(store.GetId()) != 26 || store.GetCreatedAt().AsTime().IsZero() || store.GetToken() == "" {
		t.Fatalf("created %v", store)
	}
	for _, key := range []string{store.GetName(), store.GetId()} {
		got, err := w.stores.GetStore(w.ctx, &usherv1.GetStoreRequest{Store: key})
		if err != nil || got.GetStore().GetId() != store.GetId() {
			t.Errorf("by %q: got %v, %v", key, got, err)
		}
	}
	full, err := w.stores.GetStore(w.ctx, &usherv1.GetStoreRequest{})
	if err != nil || full.GetStore().GetName() != "default" || full.GetStore().GetRevision() != 2 || full.GetStore().GetModelId() == "" {
		t.Errorf("default store: got %v, %v", full, err)
	}
	// Nothing of one store is visible in another.
	r := question(t, "user:anna can_view media:logo")
	r.Store = store.GetName()
	_, err = w.permissions.Check(w.ctx, r)
	wantRefusal(t, err, codes.FailedPrecondition, "NO_MODEL", "")

	if _, err := w.stores.DeleteStore(w.ctx, &usherv1.DeleteStoreRequest{Store: store.GetName()}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{store.GetName(), store.GetId()} {
		_, err := w.stores.GetStore(w.ctx, &usherv1.GetStoreRequest{Store: key})
		wantRefusal(t, err, codes.NotFound, "STORE_NOT_FOUND", "")
	}
	again, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: store.GetName()})
	if err != nil || again.GetStore().GetId() == store.GetId() {
		t.Fatalf("created again: %v, %v", again, err)
	}
	_, err = collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{Store: store.GetName(), Consistency: atLeast(store.GetToken())}))
	wantRefusal(t, err, codes.InvalidArgument, "FOREIGN_TOKEN", "consistency.at_least_as_fresh")
}

func TestListStores(t *testing.T) {
	w := newLibrary(t)
	for i := range 6 {
		if _, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: fmt.Sprintf("s%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := w.stores.ListStores(w.ctx, &usherv1.ListStoresRequest{})
	if err != nil || len(whole.GetStores()) != 7 || whole.GetCursor() != "" {
		t.Fatalf("got %v, %v", whole, err)
	}
	for _, size := range []int32{1, 3, 6, 7} {
		var names []string
		for r := (&usherv1.ListStoresRequest{PageSize: size}); ; {
			page, err := w.stores.ListStores(w.ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			for _, store := range page.GetStores() {
				names = append(names, store.GetName())
			}
			if r.Cursor = page.GetCursor(); r.Cursor == "" {
				break
			}
		}
		if want := []string{"default", "s0", "s1", "s2", "s3", "s4", "s5"}; len(names) != len(want) || !slices.Equal(sorted(names), want) {
			t.Errorf("page size %d: got %v", size, names)
		}
	}
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return names
}

func TestBadStoreRequests(t *testing.T) {
	w := newLibrary(t)
	for _, c := range []struct{ name, store string }{
		{"empty", ""},
		{"upper case", "Press"},
		{"starts with a digit", "1press"},
		{"a blank", "press kit"},
		{"an umlaut", "büro"},
		{"65 bytes", strings.Repeat("a", 65)},
	} {
		t.Run("create "+c.name, func(t *testing.T) {
			_, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: c.store})
			wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "name")
		})
	}
	t.Run("64 bytes are a name", func(t *testing.T) {
		if _, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: strings.Repeat("a", 64)}); err != nil {
			t.Error(err)
		}
	})
	t.Run("delete without a name", func(t *testing.T) {
		_, err := w.stores.DeleteStore(w.ctx, &usherv1.DeleteStoreRequest{})
		wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "store")
	})
	t.Run("delete what is not there", func(t *testing.T) {
		_, err := w.stores.DeleteStore(w.ctx, &usherv1.DeleteStoreRequest{Store: "nowhere"})
		wantRefusal(t, err, codes.NotFound, "STORE_NOT_FOUND", "")
	})
	for _, size := range []int32{-1, 1001} {
		t.Run(fmt.Sprintf("page size %d", size), func(t *testing.T) {
			_, err := w.stores.ListStores(w.ctx, &usherv1.ListStoresRequest{PageSize: size})
			wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "page_size")
		})
	}
	t.Run("cursor of another list", func(t *testing.T) {
		w.writeModel(library)
		models, err := w.models.ListModels(w.ctx, &usherv1.ListModelsRequest{PageSize: 1})
		if err != nil || models.GetCursor() == "" {
			t.Fatalf("got %v, %v", models, err)
		}
		_, err = w.stores.ListStores(w.ctx, &usherv1.ListStoresRequest{Cursor: models.GetCursor()})
		wantRefusal(t, err, codes.InvalidArgument, "FOREIGN_TOKEN", "cursor")
	})
}

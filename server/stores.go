package server

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// storeService implements usher.v1.StoreService.
type storeService struct {
	usherv1.UnsafeStoreServiceServer
	*Server
}

// maxStoreName is the longest name of a store, in bytes.
const maxStoreName = 64

// validateStoreName keeps names apart from ids, which begin with a digit.
func validateStoreName(name string) error {
	const remedy = "use 1 to 64 lower-case letters, digits, '-' and '_', starting with a letter"
	if name == "" || len(name) > maxStoreName || name[0] < 'a' || name[0] > 'z' {
		return tuples.Invalid("name", name, "is not a store name", remedy)
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return tuples.Invalid("name", name, fmt.Sprintf("has %q, which a store name cannot contain", c), remedy)
		}
	}
	return nil
}

// CreateStore implements usher.v1.StoreService.
func (s *storeService) CreateStore(ctx context.Context, r *usherv1.CreateStoreRequest) (*usherv1.CreateStoreResponse, error) {
	if err := validateStoreName(r.GetName()); err != nil {
		return nil, err
	}
	info, err := s.db.CreateStore(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	store, err := s.describe(ctx, info.ID)
	if err != nil {
		return nil, err
	}
	return &usherv1.CreateStoreResponse{Store: store}, nil
}

// GetStore implements usher.v1.StoreService.
func (s *storeService) GetStore(ctx context.Context, r *usherv1.GetStoreRequest) (*usherv1.GetStoreResponse, error) {
	store, err := s.describe(ctx, tuples.StoreID(r.GetStore()))
	if err != nil {
		return nil, err
	}
	return &usherv1.GetStoreResponse{Store: store}, nil
}

// describe returns a store, found by id or name, at its head.
func (s *storeService) describe(ctx context.Context, id tuples.StoreID) (*usherv1.Store, error) {
	h, err := s.handle(ctx, string(id))
	if err != nil {
		return nil, err
	}
	head := h.store.Head()
	version, err := h.store.ModelAt(ctx, head)
	if err != nil && !errors.Is(err, tuples.ErrModelNotFound) {
		return nil, err
	}
	return &usherv1.Store{
		Id:        string(h.info.ID),
		Name:      h.info.Name,
		CreatedAt: timestamppb.New(h.info.Created),
		Revision:  uint64(head),
		ModelId:   string(version.ID),
		Token:     h.tokenFor(head, h.store.Now().UnixMilli()),
	}, nil
}

// ListStores implements usher.v1.StoreService.
func (s *storeService) ListStores(ctx context.Context, r *usherv1.ListStoresRequest) (*usherv1.ListStoresResponse, error) {
	if err := validatePage(r.GetPageSize(), maxListPage); err != nil {
		return nil, err
	}
	after, err := s.afterStore(r.GetCursor())
	if err != nil {
		return nil, err
	}
	size := orDefault(int(r.GetPageSize()), defaultListPage)
	page, err := s.db.Stores(ctx, after, size+1)
	if err != nil {
		return nil, err
	}
	response := &usherv1.ListStoresResponse{}
	if len(page) > size {
		page = page[:size]
		response.Cursor = s.sealCursor(cursor{query: listStoresQuery, after: string(page[size-1].ID)})
	}
	for _, info := range page {
		store, err := s.describe(ctx, info.ID)
		if errors.Is(err, tuples.ErrStoreNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		response.Stores = append(response.Stores, store)
	}
	return response, nil
}

// listStoresQuery marks the cursors of ListStores, which belong to no store.
var listStoresQuery = queryHash{'l', 'i', 's', 't', ' ', 's', 't', 'o', 'r', 'e', 's'}

func (s *storeService) afterStore(text string) (tuples.StoreID, error) {
	if text == "" {
		return "", nil
	}
	c, err := s.readCursor(tuples.StoreInfo{}, "cursor", text, listStoresQuery)
	return tuples.StoreID(c.after), err
}

// orDefault returns n, or other if n is 0.
func orDefault(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// DeleteStore implements usher.v1.StoreService.
func (s *storeService) DeleteStore(ctx context.Context, r *usherv1.DeleteStoreRequest) (*usherv1.DeleteStoreResponse, error) {
	if r.GetStore() == "" {
		return nil, tuples.Invalid("store", "", "is empty", "name the store to delete; there is no default here")
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	if err := s.db.DeleteStore(ctx, h.info.ID); err != nil {
		return nil, err
	}
	s.forget(h.info.ID)
	return &usherv1.DeleteStoreResponse{}, nil
}

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/oklog/ulid/v2"

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
)

// bootstrap gives an empty database the default store with the media-library model
// and, if example names one, with that example's model and tuples instead. It reports
// whether the database was empty.
//
// A database counts as empty while all it has is a default store to which nothing was
// ever written, so that a start that was cut off here is made good by the next.
func bootstrap(ctx context.Context, db tuples.Database, example string) (bool, error) {
	store, err := emptyStore(ctx, db)
	if store == nil || err != nil {
		return false, err
	}
	content := examples.MediaLibrary()
	content.Tuples = nil
	if named, ok := examples.Find(example); ok {
		content = named
	}
	return true, fill(ctx, store, content)
}

// emptyStore returns the default store of an empty database, nil if the database is
// not empty.
func emptyStore(ctx context.Context, db tuples.Database) (tuples.Store, error) {
	stores, err := db.Stores(ctx, "", 2)
	if err != nil {
		return nil, err
	}
	switch {
	case len(stores) == 0:
		info, err := db.CreateStore(ctx, server.DefaultStore)
		if err != nil {
			return nil, err
		}
		return db.Store(ctx, string(info.ID))
	case len(stores) > 1 || stores[0].Name != server.DefaultStore:
		return nil, nil
	}
	store, err := db.Store(ctx, server.DefaultStore)
	if err != nil || store.Head() > 0 {
		return nil, err
	}
	return store, nil
}

// fill writes an example into an empty store, at one revision.
func fill(ctx context.Context, store tuples.Store, content examples.Example) error {
	parsed, _, err := model.Parse(content.Model)
	if err != nil {
		return fmt.Errorf("model of example %s: %w", content.Name, err)
	}
	commit := tuples.Commit{
		NewModel: &tuples.NewModel{
			ID:      tuples.ModelID(ulid.Make().String()),
			Source:  content.Model.Encode(),
			Symbols: parsed.Symbols(),
		},
		Origin: tuples.Origin{Metadata: map[string]string{"message": "first start, with the " + content.Name + " model"}},
	}
	for _, t := range content.Tuples {
		commit.Mutations = append(commit.Mutations, tuples.Mutation{Op: tuples.OpCreate, Tuple: t})
	}
	_, err = store.Commit(ctx, commit)
	return err
}

// tryText returns the commands to try on an example that is served at addr.
func tryText(example, addr string) string {
	text := "try in another terminal:\n"
	found, _ := examples.Find(example) // settings.validate has seen the name
	for _, command := range found.Try {
		text += "  " + os.Args[0] + " " + command
		if addr != defaultAddr {
			text += " --addr " + addr
		}
		text += "\n"
	}
	return text
}

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// A selection for a sharing menu: media in folders, each shared with recipients that are
// drawn from a crowd. Folders have two shares of their own.
const (
	sharedMedia    = 10_000
	recipientsEach = 50
	sharedFolders  = 200
	crowd          = 2_000
)

// The tree of containers: each folder lies in the one at a tenth of its number, every
// third has a share.
const treeFolders = 100_000

// measureShares summarizes the selection over gRPC, and then the tree.
func measureShares(ctx context.Context, s settings, dir string, r *report) error {
	path := filepath.Join(dir, "shares.db")
	selection, count, err := writeSelection(ctx, path)
	if err != nil {
		return err
	}
	server, err := startServer(ctx, s.usher, path)
	if err != nil {
		return err
	}
	defer server.stop()
	connection, err := grpc.NewClient(server.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	client := usherv1.NewPermissionServiceClient(connection)
	if err := measureSelection(ctx, s, server, client, selection, count, r); err != nil {
		return err
	}
	return measureTree(ctx, s, server, client, r)
}

// measureSelection asks by roles, by rights that are derived from them, and for one recipient.
func measureSelection(
	ctx context.Context, s settings, server *process, client usherv1.PermissionServiceClient,
	selection []*usherv1.Object, count int, r *report,
) error {
	roles := []string{"viewer", "commenter", "editor", "owner"}
	for _, c := range []struct {
		what      string
		relations []string
		recipient *usherv1.Subject
	}{
		{"by role", roles, nil},
		{"by right, each a Check", []string{"can_view", "can_comment", "can_edit"}, nil},
		{"by role for one recipient, with the breakdown", roles, &usherv1.Subject{Type: "user", Id: "u7"}},
	} {
		request := &usherv1.SummarizeSharesRequest{Objects: selection, Relations: c.relations, Recipient: c.recipient}
		took, err := measureStream(s, server, func() (int, error) {
			stream, err := client.SummarizeShares(ctx, request)
			return drain(stream, err, (*usherv1.SummarizeSharesResponse).GetRecipients)
		})
		if err != nil {
			return err
		}
		measured := took.String()
		if c.recipient == nil {
			measured = took.per(count, "tuple")
		}
		r.add(fmt.Sprintf("SummarizeShares of %d media with %d recipients each, %d tuples, %s", sharedMedia, recipientsEach, count, c.what), measured, "")
	}
	return nil
}

// measureTree asks for the states of all folders of the tree.
func measureTree(ctx context.Context, s settings, server *process, client usherv1.PermissionServiceClient, r *report) error {
	request := &usherv1.SummarizeTreeRequest{
		Roots:       []*usherv1.Object{{Type: "folder", Id: "t0"}},
		ContainedBy: []*usherv1.Containment{{Relation: "parent"}},
		Relations:   []*usherv1.TreeRelation{{Relation: "viewer"}, {Relation: "downloader"}},
	}
	took, err := measureStream(s, server, func() (int, error) {
		stream, err := client.SummarizeTree(ctx, request)
		return drain(stream, err, (*usherv1.SummarizeTreeResponse).GetObjects)
	})
	if err != nil {
		return err
	}
	if took.items != treeFolders {
		return fmt.Errorf("the tree has %d folders, want %d", took.items, treeFolders)
	}
	r.add(fmt.Sprintf("SummarizeTree of %d folders, two settings", treeFolders), took.per(treeFolders, "folder"), "")
	return nil
}

// writeSelection makes a database with the tree and the selection, and returns how many
// tuples the media have.
func writeSelection(ctx context.Context, path string) (selection []*usherv1.Object, count int, err error) {
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var lib library
	lib.known = make(map[tuples.Key]bool)
	roles := []string{"viewer", "commenter", "editor"}
	for f := range sharedFolders {
		lib.add("folder:f%d#owner@user:u%d", f, f)
		lib.add("folder:f%d#viewer@group:g%d#member", f, f)
	}
	for t := range treeFolders {
		if t > 0 {
			lib.add("folder:t%d#parent@folder:t%d", t, t/10)
		}
		if t%3 == 0 {
			lib.add("folder:t%d#viewer@user:u%d", t, t%crowd)
		}
	}
	count = -len(lib.tuples)
	for m := range sharedMedia {
		lib.add("media:m%d#parent@folder:f%d", m, m%sharedFolders)
		for i := range recipientsEach {
			lib.add("media:m%d#%s@user:u%d", m, roles[(m+i)%len(roles)], (m*7+i*31)%crowd)
		}
		selection = append(selection, &usherv1.Object{Type: "media", Id: fmt.Sprintf("m%d", m)})
	}
	count += len(lib.tuples)
	_, _, err = load(ctx, db, &lib, newReport(settings{}))
	return selection, count, err
}

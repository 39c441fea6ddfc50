package server_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

const (
	readers = "model\n  schema 1.1\n\ntype user\n\ntype doc\n  relations\n    define reader: [user, user:*]\n"
	writers = "model\n  schema 1.1\n\ntype user\n\ntype doc\n  relations\n    define reader: [user] or writer\n    define writer: [user]\n"
)

// A model can be written in three forms, and is returned as it was written and as one text.
func TestModelForms(t *testing.T) {
	w := newWorld(t, server.Options{})
	for _, c := range []struct {
		name   string
		source *usherv1.ModelSource
	}{
		{"DSL", dslSource(readers)},
		{"JSON", &usherv1.ModelSource{Source: &usherv1.ModelSource_Json{Json: `{
			"schema_version": "1.1",
			"type_definitions": [
				{"type": "user"},
				{"type": "doc", "relations": {"reader": {"this": {}}},
				 "metadata": {"relations": {"reader": {"directly_related_user_types": [{"type": "user"}, {"type": "user", "wildcard": {}}]}}}}
			]}`}}},
		{"modules", &usherv1.ModelSource{Source: &usherv1.ModelSource_Modular{Modular: &usherv1.ModularModel{
			Manifest: "schema: '1.2'\ncontents:\n  - core.fga\n  - docs.fga\n",
			Files: map[string]string{
				"core.fga": "module core\n\ntype user\n",
				"docs.fga": "module docs\n\ntype doc\n  relations\n    define reader: [user, user:*]\n",
			},
		}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			written, err := w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{Source: c.source})
			if err != nil {
				t.Fatal(err)
			}
			read, err := w.models.ReadModel(w.ctx, &usherv1.ReadModelRequest{ModelId: written.GetModelId()})
			if err != nil {
				t.Fatal(err)
			}
			m := read.GetModel()
			if m.GetId() != written.GetModelId() || m.GetEffectiveRevision() != written.GetRevision() || m.GetCreatedAt().AsTime().IsZero() {
				t.Errorf("got %v, written as %v", m, written)
			}
			if m.GetSource().String() != c.source.String() {
				t.Errorf("source came back as %v", m.GetSource())
			}
			if !strings.Contains(m.GetDsl(), "define reader: [user, user:*]") {
				t.Errorf("text: %s", m.GetDsl())
			}
		})
	}
}

func TestWriteModelTellsDifferencesAndWarnings(t *testing.T) {
	w := newWorld(t, server.Options{})
	first := w.writeModel(readers)
	if got := differences(first); !slices.Equal(got, []string{
		"type doc: added", "doc#reader: added: [user, user:*]", "type user: added",
	}) {
		t.Errorf("first: got %q", got)
	}
	second := w.writeModel(writers)
	if got := differences(second); !slices.Equal(got, []string{
		"doc#reader: [user, user:*] → [user] or writer; no longer allowed: user:*",
		"doc#writer: added: [user]",
	}) {
		t.Errorf("second: got %q", got)
	}
	third := w.writeModel("model\n  schema 1.1\n\ntype user\n\ntype lonely\n")
	if got := differences(third); !slices.Equal(got, []string{
		"type doc: removed",
		"doc#reader: removed: [user] or writer; no longer allowed: user",
		"doc#writer: removed: [user]; no longer allowed: user",
		"type lonely: added",
	}) {
		t.Errorf("third: got %q", got)
	}
}

func differences(r *usherv1.WriteModelResponse) []string {
	var all []string
	for _, d := range r.GetDifferences() {
		all = append(all, d.GetSubject()+": "+d.GetChange())
	}
	return all
}

func TestDryRunCountsOrphans(t *testing.T) {
	w := newWorld(t, server.Options{})
	w.writeModel(readers)
	var lines []string
	for i := range 300 {
		lines = append(lines, fmt.Sprintf("doc:%d#reader@user:*", i), fmt.Sprintf("doc:%d#reader@user:anna", i))
	}
	w.touch(lines...)
	dry, err := w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{Source: dslSource(writers), DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if dry.GetModelId() != "" || dry.GetOrphaned().GetCount() != 300 || len(dry.GetOrphaned().GetExamples()) != 10 || dry.GetRevision() != 2 {
		t.Errorf("got %v", dry)
	}
	for _, example := range dry.GetOrphaned().GetExamples() {
		if example.GetSubject().GetId() != "*" {
			t.Errorf("%v is no orphan", example)
		}
	}
	if len(dry.GetDifferences()) != 2 || dry.GetToken() == "" {
		t.Errorf("got %v", dry)
	}
	models, err := w.models.ListModels(w.ctx, &usherv1.ListModelsRequest{})
	if err != nil || len(models.GetModels()) != 1 {
		t.Errorf("a dry run wrote: %v, %v", models, err)
	}
}

// With `replaces`, nobody's change is overwritten unseen.
func TestReplaces(t *testing.T) {
	w := newWorld(t, server.Options{})
	_, err := w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{Source: dslSource(readers), Replaces: "01ARZ3NDEKTSV4RRFFQ69G5FAV"})
	wantRefusal(t, err, codes.Aborted, "CONFLICT", "")
	first := w.writeModel(readers)
	second, err := w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{Source: dslSource(writers), Replaces: first.GetModelId()})
	if err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{false, true} {
		_, err = w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{Source: dslSource(readers), Replaces: first.GetModelId(), DryRun: dry})
		r := wantRefusal(t, err, codes.Aborted, "CONFLICT", "")
		if r.metadata["in_force"] != second.GetModelId() {
			t.Errorf("got %v", r)
		}
	}
}

func TestReadModel(t *testing.T) {
	w := newWorld(t, server.Options{})
	_, err := w.models.ReadModel(w.ctx, &usherv1.ReadModelRequest{})
	wantRefusal(t, err, codes.FailedPrecondition, "NO_MODEL", "")
	first := w.writeModel(readers)
	second := w.writeModel(writers)
	for _, c := range []struct {
		name string
		r    *usherv1.ReadModelRequest
		want string
	}{
		{"in force", &usherv1.ReadModelRequest{}, second.GetModelId()},
		{"by id", &usherv1.ReadModelRequest{ModelId: first.GetModelId()}, first.GetModelId()},
		{"in force in the past", &usherv1.ReadModelRequest{Consistency: exactly(first.GetToken())}, first.GetModelId()},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.models.ReadModel(w.ctx, c.r)
			if err != nil || got.GetModel().GetId() != c.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestListModels(t *testing.T) {
	w := newWorld(t, server.Options{})
	var ids []string
	for i := range 5 {
		ids = append(ids, w.writeModel([]string{readers, writers}[i%2]).GetModelId())
	}
	slices.Reverse(ids)
	for _, size := range []int32{0, 1, 2, 5} {
		var got []string
		revision := uint64(0)
		for r := (&usherv1.ListModelsRequest{PageSize: size}); ; {
			page, err := w.models.ListModels(w.ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			if revision != 0 && page.GetRevision() != revision {
				t.Errorf("page size %d: a page at revision %d after one at %d", size, page.GetRevision(), revision)
			}
			revision = page.GetRevision()
			for _, m := range page.GetModels() {
				got = append(got, m.GetId())
			}
			if r.Cursor = page.GetCursor(); r.Cursor == "" {
				break
			}
			w.touch("doc:a#reader@user:anna")
			w.remove("doc:a#reader@user:anna")
		}
		if !slices.Equal(got, ids) {
			t.Errorf("page size %d: got %v, want %v", size, got, ids)
		}
	}
	_, err := w.models.ListModels(w.ctx, &usherv1.ListModelsRequest{PageSize: 1001})
	wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "page_size")
	_, err = w.models.ListModels(w.ctx, &usherv1.ListModelsRequest{Cursor: "x"})
	wantRefusal(t, err, codes.InvalidArgument, "FORGED_TOKEN", "cursor")
}

// The models of the past are those that had taken effect by then.
func TestListModelsInThePast(t *testing.T) {
	w := newWorld(t, server.Options{})
	first := w.writeModel(readers)
	second := w.writeModel(writers)
	w.writeModel(readers)
	exactly := &usherv1.Consistency{Requirement: &usherv1.Consistency_Exactly{Exactly: second.GetToken()}}
	r := &usherv1.ListModelsRequest{PageSize: 1, Consistency: exactly}
	page, err := w.models.ListModels(w.ctx, r)
	if err != nil || len(page.GetModels()) != 1 || page.GetModels()[0].GetId() != second.GetModelId() {
		t.Fatalf("got %v, %v; want the second model alone", page, err)
	}
	r.Cursor = page.GetCursor()
	_, err = w.models.ListModels(w.ctx, r)
	wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "consistency")
	r.Consistency = nil
	page, err = w.models.ListModels(w.ctx, r)
	if err != nil || len(page.GetModels()) != 1 || page.GetModels()[0].GetId() != first.GetModelId() || page.GetCursor() != "" {
		t.Fatalf("got %v, %v; want the first model, and the end", page, err)
	}
}

func TestListModelsOfAStoreWithoutAny(t *testing.T) {
	w := newWorld(t, server.Options{})
	page, err := w.models.ListModels(w.ctx, &usherv1.ListModelsRequest{})
	if err != nil || len(page.GetModels()) != 0 || page.GetCursor() != "" || page.GetToken() == "" {
		t.Errorf("got %v, %v; want no models and a token", page, err)
	}
}

// Every problem of a refused model is told, with its place.
func TestRefusedModel(t *testing.T) {
	w := newWorld(t, server.Options{})
	_, err := w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{
		Source: dslSource("model\n  schema 1.1\n\ntype doc\n  relations\n    define reader: [user]\n    define owner: [group]\n"),
	})
	r := wantRefusal(t, err, codes.InvalidArgument, "INVALID_MODEL", "source")
	if len(r.details) != 2 || !strings.Contains(r.details[0], "6:") || !strings.Contains(r.details[1], "7:") {
		t.Errorf("got %q", r.details)
	}
	_, err = w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{})
	wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "source")
	_, err = w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{Source: dslSource(readers), Actor: &usherv1.Subject{Type: "user"}})
	wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "actor.id")
}

// Writes that race with new models are validated against the one in force at their own
// revision, and do not fail for the race alone.
func TestWritesRaceWithModels(t *testing.T) {
	w := newWorld(t, server.Options{})
	w.writeModel(readers)
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := range 10 { // fewer than the attempts that a write has
			w.writeModel([]string{writers, readers}[i%2])
		}
	})
	for writer := range 4 {
		wait.Go(func() {
			for i := range 40 {
				if err := w.tryWrite(touch, fmt.Sprintf("doc:%d-%d#reader@user:anna", writer, i), ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if stored := w.read(&usherv1.ReadRequest{}); len(stored) != 160 {
		t.Errorf("%d tuples", len(stored))
	}
}

package server_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// ids returns the ids of listed objects or subjects.
func ids[T interface{ GetId() string }](items []T) []string {
	var all []string
	for _, item := range items {
		all = append(all, item.GetId())
	}
	return all
}

// page is a message of any list, by its items' text form.
type page struct {
	items  []string
	cursor string
	more   bool
	token  string
}

// list asks for one page of a list.
type list func(size int32, resume *usherv1.Resume, at *usherv1.Consistency) ([]page, error)

// lists are all lists, over some 130 items each, so that most need two messages.
func lists(w *world) map[string]list {
	t := w.t
	return map[string]list{
		"ListObjects": func(size int32, resume *usherv1.Resume, at *usherv1.Consistency) ([]page, error) {
			messages, err := collect(w.permissions.ListObjects(w.ctx, &usherv1.ListObjectsRequest{
				ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"), PageSize: size, Resume: resume, Consistency: at,
			}))
			return pages(messages, func(m *usherv1.ListObjectsResponse) page {
				p := page{cursor: m.GetCursor(), more: m.GetMore(), token: m.GetToken()}
				for _, id := range ids(m.GetObjects()) {
					p.items = append(p.items, "media:"+id)
				}
				return p
			}), err
		},
		"ListSubjects": func(size int32, resume *usherv1.Resume, at *usherv1.Consistency) ([]page, error) {
			messages, err := collect(w.permissions.ListSubjects(w.ctx, &usherv1.ListSubjectsRequest{
				Object: object(t, "folder:f"), Relation: "viewer", SubjectType: "group", SubjectRelation: "member",
				PageSize: size, Resume: resume, Consistency: at,
			}))
			return pages(messages, func(m *usherv1.ListSubjectsResponse) page {
				p := page{cursor: m.GetCursor(), more: m.GetMore(), token: m.GetToken()}
				for _, id := range ids(m.GetSubjects()) {
					p.items = append(p.items, "group:"+id+"#member")
				}
				return p
			}), err
		},
		"SummarizeShares": func(size int32, resume *usherv1.Resume, at *usherv1.Consistency) ([]page, error) {
			messages, err := collect(w.permissions.SummarizeShares(w.ctx, &usherv1.SummarizeSharesRequest{
				Objects: []*usherv1.Object{object(t, "folder:f")}, Relations: []string{"viewer", "owner"},
				PageSize: size, Resume: resume, Consistency: at,
			}))
			return pages(messages, func(m *usherv1.SummarizeSharesResponse) page {
				p := page{cursor: m.GetCursor(), more: m.GetMore(), token: m.GetToken()}
				for _, r := range m.GetRecipients() {
					p.items = append(p.items, wire.ToSubject(r.GetSubject()).String())
				}
				return p
			}), err
		},
		"SummarizeTree": func(size int32, resume *usherv1.Resume, at *usherv1.Consistency) ([]page, error) {
			messages, err := collect(w.permissions.SummarizeTree(w.ctx, &usherv1.SummarizeTreeRequest{
				Roots: []*usherv1.Object{object(t, "folder:f")}, ContainedBy: []*usherv1.Containment{{Relation: "folder"}},
				Relations: []*usherv1.TreeRelation{{Relation: "viewer"}},
				PageSize:  size, Resume: resume, Consistency: at,
			}))
			return pages(messages, func(m *usherv1.SummarizeTreeResponse) page {
				p := page{cursor: m.GetCursor(), more: m.GetMore(), token: m.GetToken()}
				for _, o := range m.GetObjects() {
					p.items = append(p.items, wire.ToObject(o.GetObject()).String())
				}
				return p
			}), err
		},
		"Read": func(size int32, resume *usherv1.Resume, at *usherv1.Consistency) ([]page, error) {
			messages, err := collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{
				Filter: &usherv1.TupleFilter{ObjectType: "media", SubjectId: "anna", SubjectType: "user"}, PageSize: size, Resume: resume, Consistency: at,
			}))
			return pages(messages, func(m *usherv1.ReadResponse) page {
				p := page{cursor: m.GetCursor(), more: m.GetMore(), token: m.GetToken()}
				for _, m := range m.GetTuples() {
					p.items = append(p.items, fmt.Sprintf("%s:%s#%s@%s:%s", m.GetObject().GetType(), m.GetObject().GetId(),
						m.GetRelation(), m.GetSubject().GetType(), m.GetSubject().GetId()))
				}
				return p
			}), err
		},
	}
}

func pages[M any](messages []M, shown func(M) page) []page {
	var all []page
	for _, m := range messages {
		all = append(all, shown(m))
	}
	return all
}

func items(pages []page) []string {
	var all []string
	for _, p := range pages {
		all = append(all, p.items...)
	}
	return all
}

const listed = 130

func listWorld(t *testing.T) *world { return newLibrary(t, listLines()...) }

func listLines() (lines []string) {
	for i := range listed {
		lines = append(lines, fmt.Sprintf("media:m%03d#viewer@user:anna", i), fmt.Sprintf("folder:f#viewer@group:g%03d#member", i))
		if i > 0 { // the folder itself is the first of its tree
			lines = append(lines, fmt.Sprintf("media:m%03d#folder@folder:f", i))
		}
	}
	return lines
}

// Every item can be the last one taken: the rest follows, at the list's own revision,
// however the store has changed meanwhile. What `more` says is exact.
func TestResumeAtEveryItem(t *testing.T) {
	w := listWorld(t)
	for name, ask := range lists(w) {
		t.Run(name, func(t *testing.T) {
			whole, err := ask(0, nil, nil)
			last := len(whole) - 1
			if err != nil || whole[last].more || last > 0 && (len(whole[0].items) != 100 || !whole[0].more) {
				t.Fatalf("got %v, %v", whole, err)
			}
			all, cursor := items(whole), whole[0].cursor
			if len(all) != listed {
				t.Fatalf("got %d items", len(all))
			}
			w.remove("media:m007#viewer@user:anna", "media:m007#folder@folder:f", "folder:f#viewer@group:g007#member")
			w.touch("media:m0070#viewer@user:anna", "media:m0070#folder@folder:f", "folder:f#viewer@group:g0070#member")
			defer w.touch("media:m007#viewer@user:anna", "media:m007#folder@folder:f", "folder:f#viewer@group:g007#member")
			defer w.remove("media:m0070#viewer@user:anna", "media:m0070#folder@folder:f", "folder:f#viewer@group:g0070#member")
			for i, item := range append([]string{""}, all...) {
				rest, err := ask(0, &usherv1.Resume{Cursor: cursor, After: item}, nil)
				if err != nil || !slices.Equal(items(rest), all[i:]) {
					t.Fatalf("behind %q: got %v, %v", item, rest, err)
				}
				if rest[0].token != whole[0].token || rest[0].cursor != cursor {
					t.Fatalf("behind %q: another state than that of the list", item)
				}
			}
		})
	}
}

func TestPageSizes(t *testing.T) {
	w := listWorld(t)
	for name, ask := range lists(w) {
		t.Run(name, func(t *testing.T) {
			whole, err := ask(0, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range []int32{1, 7, 65, 100, 129, 130, 131, 1000} {
				var got []string
				var resume *usherv1.Resume
				for more := true; more; {
					part, err := ask(size, resume, nil)
					if err != nil {
						t.Fatal(err)
					}
					taken := items(part)
					last := part[len(part)-1]
					if more = last.more; more && len(taken) != int(size) {
						t.Fatalf("page size %d: %d items and more", size, len(taken))
					}
					got = append(got, taken...)
					resume = &usherv1.Resume{Cursor: last.cursor, After: got[len(got)-1]}
				}
				if !slices.Equal(got, items(whole)) {
					t.Errorf("page size %d: got %v", size, got)
				}
			}
		})
	}
}

// An empty list has one message, which says so.
func TestEmptyLists(t *testing.T) {
	w := newLibrary(t)
	for name, ask := range lists(w) {
		if name == "SummarizeTree" {
			continue // it has its root
		}
		t.Run(name, func(t *testing.T) {
			got, err := ask(0, nil, nil)
			if err != nil || len(got) != 1 || len(got[0].items) != 0 || got[0].more || got[0].cursor == "" || got[0].token == "" {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestBadPages(t *testing.T) {
	w := listWorld(t)
	for name, ask := range lists(w) {
		t.Run(name, func(t *testing.T) {
			whole, err := ask(1, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			cursor, token := whole[0].cursor, whole[0].token
			for _, c := range []struct {
				name, reason, field string
				size                int32
				resume              *usherv1.Resume
				at                  *usherv1.Consistency
			}{
				{"a negative size", "INVALID_FIELD", "page_size", -1, nil, nil},
				{"a place without a cursor", "INVALID_FIELD", "resume.cursor", 0, &usherv1.Resume{After: whole[0].items[0]}, nil},
				{"a consistency beside a cursor", "INVALID_FIELD", "consistency", 0, &usherv1.Resume{Cursor: cursor}, exactly(token)},
				{"a changed cursor", "FORGED_TOKEN", "resume.cursor", 0, &usherv1.Resume{Cursor: changed(cursor)}, nil},
				{"a token for a cursor", "FORGED_TOKEN", "resume.cursor", 0, &usherv1.Resume{Cursor: token}, nil},
				{"a cursor for a token", "FORGED_TOKEN", "consistency.exactly", 0, nil, exactly(cursor)},
				{"a place that is no item", "INVALID_FIELD", "resume.after", 0, &usherv1.Resume{Cursor: cursor, After: "nonsense"}, nil},
				{"a place in another list", "INVALID_FIELD", "resume.after", 0, &usherv1.Resume{Cursor: cursor, After: "video:a#viewer@user:zoe"}, nil},
			} {
				t.Run(c.name, func(t *testing.T) {
					_, err := ask(c.size, c.resume, c.at)
					wantRefusal(t, err, codes.InvalidArgument, c.reason, c.field)
				})
			}
		})
	}
	t.Run("a tuple that was never there", func(t *testing.T) {
		got, err := collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{PageSize: 1}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{
			Resume: &usherv1.Resume{Cursor: got[0].GetCursor(), After: "media:never#viewer@user:seen"},
		}))
		wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "resume.after")
	})
}

// A cursor of one list is no cursor of another, whatever field differs.
func TestCursorHoldsToItsQuestion(t *testing.T) {
	w := listWorld(t)
	r := &usherv1.ListObjectsRequest{ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"), PageSize: 1}
	got, err := collect(w.permissions.ListObjects(w.ctx, r))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*usherv1.ListObjectsRequest){
		"model":    func(r *usherv1.ListObjectsRequest) { r.ModelId = "01ARZ3NDEKTSV4RRFFQ69G5FAV" },
		"type":     func(r *usherv1.ListObjectsRequest) { r.ObjectType = "folder" },
		"relation": func(r *usherv1.ListObjectsRequest) { r.Relation = "viewer" },
		"subject":  func(r *usherv1.ListObjectsRequest) { r.Subject = subject(t, "user:bert") },
		"contextual tuples": func(r *usherv1.ListObjectsRequest) {
			r.ContextualTuples = []*usherv1.Tuple{tuple(t, "media:a#viewer@user:anna")}
		},
		"context": func(r *usherv1.ListObjectsRequest) { r.Context = values(t, map[string]any{"hour": 1.0}) },
	} {
		t.Run(name, func(t *testing.T) {
			other := &usherv1.ListObjectsRequest{
				ObjectType: r.ObjectType, Relation: r.Relation, Subject: r.Subject, Resume: &usherv1.Resume{Cursor: got[0].GetCursor()},
			}
			change(other)
			_, err := collect(w.permissions.ListObjects(w.ctx, other))
			wantRefusal(t, err, codes.InvalidArgument, "CURSOR_MISMATCH", "resume.cursor")
		})
	}
	t.Run("the store by its id is the same store", func(t *testing.T) {
		store, err := w.stores.GetStore(w.ctx, &usherv1.GetStoreRequest{})
		if err != nil {
			t.Fatal(err)
		}
		r.Store, r.Resume = store.GetStore().GetId(), &usherv1.Resume{Cursor: got[0].GetCursor()}
		if _, err := collect(w.permissions.ListObjects(w.ctx, r)); err != nil {
			t.Error(err)
		}
	})
}

// A later page is answered by the model of the first, also when another is in force.
func TestPagesKeepTheirModel(t *testing.T) {
	w := listWorld(t)
	ask := lists(w)["ListObjects"]
	first, err := ask(10, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.writeModel("model\n  schema 1.1\ntype user\ntype media\n  relations\n    define viewer: [user]\n    define can_view: viewer but not viewer\n")
	rest, err := ask(0, &usherv1.Resume{Cursor: first[0].cursor, After: first[0].items[9]}, nil)
	if err != nil || len(items(rest)) != listed-10 {
		t.Errorf("got %d items, %v", len(items(rest)), err)
	}
	if now, err := ask(0, nil, nil); err != nil || len(items(now)) != 0 {
		t.Errorf("a new list: got %v, %v", now, err)
	}
}

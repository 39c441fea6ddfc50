package bolt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// wantRefusal commits what must be refused with an InvalidError that says so, and leaves
// the head where it was.
func wantRefusal(t *testing.T, s *store, c tuples.Commit, says string) {
	t.Helper()
	head := s.Head()
	_, err := s.Commit(t.Context(), c)
	var invalid *tuples.InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want an InvalidError that says %q", err, says)
	}
	if s.Head() != head {
		t.Errorf("the head moved from %d to %d", head, s.Head())
	}
}

func TestAStoreRunsOutOfSymbols(t *testing.T) {
	_, s := newTest(t)
	m := tuples.NewModel{ID: "m1"}
	for i := range tuples.MaxSymbols - 3 {
		m.Symbols = append(m.Symbols, fmt.Sprint("r", i))
	}
	mustCommit(t, s, tuples.Commit{NewModel: &m})
	wantRefusal(t, s, tuples.Commit{NewModel: &tuples.NewModel{ID: "m2", Symbols: []string{"a", "b", "c", "d"}}}, "one name more than the 65535")
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna)) // media, viewer and user are the last three
	for _, text := range []string{"film:x#viewer@user:anna", "media:logo#owner@user:anna", "media:logo#viewer@group:x", "media:logo#viewer@user:x#member"} {
		wantRefusal(t, s, commitOf(t, tuples.OpCreate, text), "updates[0].tuple")
	}
	mustCommit(t, s, commitOf(t, tuples.OpCreate, bert))
	mustVerify(t, s)
}

func TestATypeRunsOutOfOrdinals(t *testing.T) {
	db, s := newTest(t)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna))
	user := s.symbols.Lookup("user")
	if err := db.bolt.Update(func(tx *bbolt.Tx) error {
		store := tx.Bucket([]byte(s.info.ID))
		last := tuples.NewNode(user, tuples.FirstTransient-1)
		return errors.Join(store.Bucket([]byte("nodes")).Put(nodeKey(last), []byte("last")),
			store.Bucket([]byte("ids")).Put(idKey(user, "last"), nodeKey(last)[2:]))
	}); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, s, commitOf(t, tuples.OpCreate, bert), "one object more than the 2147483647")
	mustCommit(t, s, commitOf(t, tuples.OpCreate, "media:logo#viewer@user:last", "media:new#viewer@user:anna"))
	mustVerify(t, s)
}

func TestFiltersLookThroughABoundedNumberOfTuples(t *testing.T) {
	db, s := newTest(t)
	many(t, s, 20)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, "media:logo#owner@user:anna"))
	db.limits.scanned = 15
	owner := tuples.Filter{Relation: "owner"}
	wantRefusal(t, s, tuples.Commit{Preconditions: []tuples.Precondition{{Field: "preconditions[0]", Filter: owner, MustMatch: true}}}, "more than 15 tuples to look through")
	wantRefusal(t, s, tuples.Commit{Delete: &tuples.DeleteMatching{Filter: tuples.Filter{Relation: "viewer"}, Limit: 100}}, "more than 15 tuples to look through")
	wantRefusal(t, s, tuples.Commit{Delete: &tuples.DeleteMatching{Filter: tuples.Filter{SubjectType: "user", Relation: "owner"}, Limit: 100, Partial: true}}, "more than 15 tuples")
	owner.ObjectType, owner.ObjectID = "media", "logo"
	narrow := []tuples.Precondition{{Field: "preconditions[0]", Filter: owner, MustMatch: true}}
	mustCommit(t, s, tuples.Commit{Preconditions: slices.Repeat(narrow, 15)})
	wantRefusal(t, s, tuples.Commit{Preconditions: slices.Repeat(narrow, 16)}, "with the filters before it, more than 15 tuples")
	got := mustCommit(t, s, tuples.Commit{Delete: &tuples.DeleteMatching{Filter: tuples.Filter{ObjectType: "media"}, Limit: 100, Partial: true}})
	if got.Deleted != 15 || !got.More {
		t.Errorf("got %+v, want the 15 tuples that may be looked at deleted, and more", got)
	}
}

// Of an object that many can see, what one of them has is found without looking at all.
func TestFiltersByObjectAndSubjectSkipOtherSubjects(t *testing.T) {
	db, s := newTest(t)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, "media:logo#viewer@team:red#member")) // a type before the others
	var others []string
	for i := range 1500 { // of four kinds: more rows than one Read looks at
		for _, shape := range []string{"media:logo#viewer@user:u%d", "media:logo#viewer@group:u%d", "media:logo#viewer@group:u%d#member", "media:logo#editor@user:u%d"} {
			others = append(others, fmt.Sprintf(shape, i))
		}
	}
	users := []string{"media:logo#editor@user:u42", "media:logo#owner@user:u42", "media:logo#viewer@user:u42"}
	usersets := []string{
		"media:logo#editor@group:u42#member", "media:logo#editor@group:u42#owner",
		"media:logo#viewer@group:u42", "media:logo#viewer@group:u42#member",
	}
	mustCommit(t, s, commitOf(t, tuples.OpTouch, append(others, usersets[0], usersets[1], "media:logo#owner@user:u42", "media:note#owner@user:u42")...))
	db.limits.scanned = 20
	none := tuples.Relation("")
	for _, c := range []struct {
		name   string
		filter tuples.Filter
		want   []string
	}{
		{"plain", tuples.Filter{SubjectType: "user", SubjectID: "u42", SubjectRelation: &none}, users},
		{"of a type without usersets", tuples.Filter{SubjectType: "user", SubjectID: "u42"}, users},
		{"with or without usersets", tuples.Filter{SubjectType: "group", SubjectID: "u42"}, usersets},
		{"of one relation", tuples.Filter{Relation: "editor", SubjectType: "group", SubjectID: "u42"}, usersets[:2]},
		{"with nothing", tuples.Filter{SubjectType: "user", SubjectID: "u42", Relation: "blocked"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.filter.ObjectType, c.filter.ObjectID = "media", "logo"
			snapshot, err := s.Snapshot(t.Context(), tuples.At{})
			if err != nil {
				t.Fatal(err)
			}
			defer snapshot.Close()
			page, _, more, err := snapshot.Read(t.Context(), c.filter, nil, make([]tuples.Tuple, 0, 100))
			if err != nil || more {
				t.Fatalf("more %v, %v", more, err)
			}
			var got []string
			for _, tuple := range page {
				got = append(got, tuple.String())
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			guard := tuples.Precondition{Field: "preconditions[0]", Filter: c.filter, MustMatch: len(c.want) > 0}
			mustCommit(t, s, tuples.Commit{Preconditions: []tuples.Precondition{guard}})
			deletion := &tuples.DeleteMatching{Filter: c.filter, Limit: 100}
			if got := mustCommit(t, s, tuples.Commit{Delete: deletion, DryRun: true}); got.Deleted != len(c.want) {
				t.Errorf("would delete %d, want %d", got.Deleted, len(c.want))
			}
		})
	}
}

func TestAnOldDecisionIsMadeAgain(t *testing.T) {
	_, s := newTest(t)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, "media:logo#owner@user:anna"))
	guarded := tuples.Commit{
		Mutations: commitOf(t, tuples.OpTouch, anna).Mutations,
		ReadSet:   &tuples.ReadSet{Revision: 1, Lists: []tuples.Userset{{Object: tuples.Object{Type: "media", ID: "logo"}, Relation: "owner"}}},
	}
	many(t, s, maxTail-1)
	mustCommit(t, s, guarded)
	guarded.Mutations = commitOf(t, tuples.OpTouch, "media:other#viewer@user:anna").Mutations
	for i := range 3 {
		mustCommit(t, s, commitOf(t, tuples.OpTouch, fmt.Sprintf(`media:x%d#viewer@user:anna`, i)))
	}
	if _, err := s.Commit(t.Context(), guarded); !errors.Is(err, tuples.ErrConflict) {
		t.Errorf("got %v after more than %d changed tuples, want a conflict", err, maxTail)
	}
}

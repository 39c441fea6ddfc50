package storetest

import (
	"fmt"
	"time"

	"github.com/usher-authz/usher/tuples"
)

var (
	noRelation = tuples.Relation("")
	member     = tuples.Relation("member")
)

var readRules = []rule{
	{"a filter selects by any combination of fields", func(h *harness) {
		note, owner, folder := "media:note#viewer@user:anna", "media:logo#owner@user:anna", "folder:press#viewer@user:anna"
		group := "media:logo#viewer@group:design"
		h.create(anna, bert, public, design, group, note, owner, folder)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		for _, c := range []struct {
			filter tuples.Filter
			want   []string
		}{
			{tuples.Filter{}, []string{anna, bert, public, design, group, note, owner, folder}},
			{tuples.Filter{ObjectType: "media"}, []string{anna, bert, public, design, group, note, owner}},
			{filter("media:logo"), []string{anna, bert, public, design, group, owner}},
			{tuples.Filter{ObjectType: "media", ObjectID: "logo", Relation: "viewer"}, []string{anna, bert, public, design, group}},
			{tuples.Filter{ObjectType: "media", ObjectID: "logo", Relation: "viewer", SubjectType: "user"}, []string{anna, bert, public}},
			{tuples.Filter{ObjectType: "media", ObjectID: "logo", Relation: "viewer", SubjectType: "group", SubjectRelation: &member}, []string{design}},
			{tuples.Filter{ObjectType: "media", ObjectID: "logo", Relation: "viewer", SubjectType: "group", SubjectID: "design", SubjectRelation: &noRelation}, []string{group}},
			{tuples.Filter{ObjectType: "media", ObjectID: "logo", SubjectType: "user", SubjectID: "anna"}, []string{anna, owner}},
			{tuples.Filter{ObjectType: "media", Relation: "owner"}, []string{owner}},
			{tuples.Filter{Relation: "owner"}, []string{owner}},
			{tuples.Filter{SubjectType: "user", SubjectID: "anna"}, []string{anna, note, owner, folder}},
			{tuples.Filter{SubjectType: "user", SubjectID: "anna", Relation: "viewer"}, []string{anna, note, folder}},
			{tuples.Filter{SubjectType: "user", SubjectID: "anna", SubjectRelation: &noRelation, ObjectType: "media"}, []string{anna, note, owner}},
			{tuples.Filter{SubjectType: "user", SubjectID: "anna", SubjectRelation: &noRelation, ObjectType: "media", Relation: "owner"}, []string{owner}},
			{tuples.Filter{SubjectType: "user", SubjectID: tuples.Wildcard}, []string{public}},
			{tuples.Filter{SubjectType: "group"}, []string{design, group}},
			{tuples.Filter{SubjectType: "group", SubjectID: "design"}, []string{design, group}},
			{tuples.Filter{SubjectType: "group", SubjectID: "design", SubjectRelation: &member}, []string{design}},
			{tuples.Filter{SubjectRelation: &member}, []string{design}},
			{tuples.Filter{ObjectType: "folder", SubjectType: "group"}, nil},
		} {
			h.wantRead(s, c.filter, c.want...)
		}
	}},
	{"a filter selects what expires before a time", func(h *harness) {
		later := bert + " expires 2026-03-14T11:00:00Z"
		h.create(soon, later, public, design)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		start := h.store.Now()
		for _, c := range []struct {
			before time.Duration
			want   []string
		}{
			{30 * time.Minute, nil}, {30*time.Minute + time.Millisecond, []string{soon}}, {3 * time.Hour, []string{soon, later}},
		} {
			h.wantRead(s, tuples.Filter{ExpiresBefore: start.Add(c.before)}, c.want...)
			h.wantRead(s, tuples.Filter{SubjectType: "user", ExpiresBefore: start.Add(c.before)}, c.want...)
		}
		h.wantGuard(tuples.Filter{ObjectType: "media", ObjectID: "logo", ExpiresBefore: start.Add(time.Hour)}, true, true)
		h.wantGuard(tuples.Filter{ObjectType: "folder", ExpiresBefore: start.Add(time.Hour)}, true, false)
		got := h.commit(tuples.Commit{Delete: &tuples.DeleteMatching{
			Filter: tuples.Filter{SubjectType: "user", ExpiresBefore: start.Add(time.Hour)}, Limit: 9,
		}})
		equal(h, "deleted", got.Deleted, 1)
		h.wantTuples(later, public, design)
	}},
	{"what has expired is not what will", func(h *harness) {
		h.create(soon)
		h.wall.add(time.Hour)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		h.wantRead(s, tuples.Filter{ExpiresBefore: h.store.Now().Add(time.Hour)})
	}},
	{"names that the store has never seen select nothing", func(h *harness) {
		h.create(anna)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		owner := tuples.Relation("owner")
		for _, f := range []tuples.Filter{
			{ObjectType: "film"}, {ObjectType: "media", ObjectID: "film"}, {Relation: owner}, {SubjectType: "robot"},
			{SubjectType: "user", SubjectID: "robot"}, {SubjectRelation: &owner}, {SubjectType: "robot", SubjectID: tuples.Wildcard},
		} {
			h.wantRead(s, f)
		}
	}},
	{"a filter that is none is refused", func(h *harness) {
		s := h.snapshot(tuples.At{})
		defer s.Close()
		_, _, _, err := s.Read(h.ctx, tuples.Filter{SubjectID: "anna"}, nil, nil)
		h.wantInvalid(err, "subject_id")
	}},
	{"pages follow each other, at one revision", func(h *harness) {
		var texts []string
		for i := range 25 {
			texts = append(texts, fmt.Sprintf("media:m%d#viewer@user:u%d", i%5, i))
		}
		h.create(texts...)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		h.delete(texts[3], texts[17])
		for size := 1; size < 30; size += 4 {
			got, err := readAll(h, s, tuples.Filter{ObjectType: "media"}, size)
			h.must(err)
			equal(h, fmt.Sprintf("tuples in pages of %d", size), len(got), 25)
		}
	}},
	{"reading goes on behind a tuple that was deleted meanwhile", func(h *harness) {
		h.create(anna, bert, public)
		s := h.snapshot(tuples.At{})
		_, last, more, err := s.Read(h.ctx, tuples.Filter{}, nil, make([]tuples.Tuple, 0, 1))
		h.must(err)
		equal(h, "more", more, true)
		s.Close()
		h.delete(last.String())
		later := h.snapshot(tuples.At{})
		defer later.Close()
		page, _, _, err := later.Read(h.ctx, tuples.Filter{}, last, make([]tuples.Tuple, 0, 9))
		h.must(err)
		equal(h, "tuples behind the deleted one", len(page), 2)
	}},
	{"a page begins behind a tuple of this store only", func(h *harness) {
		h.create(anna)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		foreign := h.tuple("media:other#viewer@user:anna").Key
		_, _, _, err := s.Read(h.ctx, tuples.Filter{}, &foreign, make([]tuples.Tuple, 0, 9))
		h.wantInvalid(err, "after")
	}},
	{"a buffer without room gets nothing and is told of more", func(h *harness) {
		h.create(anna)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		page, _, more, err := s.Read(h.ctx, tuples.Filter{}, nil, nil)
		h.must(err)
		equal(h, "tuples", len(page), 0)
		equal(h, "more", more, true)
	}},
}

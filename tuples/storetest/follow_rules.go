package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/usher-authz/usher/tuples"
)

var followRules = []rule{
	{"a follower is told what is behind its snapshot", func(h *harness) {
		h.create(anna, design)
		c := h.follow()
		h.wantCopied(c)
		h.create(bert, public)
		h.touch(anna + ` with office_hours {"from":9} attributes {"size":1}`)
		h.delete(design)
		h.touch(anna)
		h.wantCopied(c)
	}},
	{"a follower of an empty store is told everything", func(h *harness) {
		c := h.follow()
		h.create(anna)
		h.delete(anna)
		h.wantCopied(c)
	}},
	{"every cause of a change is told", func(h *harness) {
		h.create(append(press, soon, "media:note#viewer@user:bert expires 2026-03-14T11:00:00Z", public)...)
		c := h.follow()
		h.commit(tuples.Commit{NewModel: &tuples.NewModel{ID: "m1", Symbols: []string{"media"}}})
		h.wantCopied(c)
		h.commit(tuples.Commit{Delete: &tuples.DeleteMatching{Filter: tuples.Filter{SubjectID: tuples.Wildcard, SubjectType: "user"}, Limit: 9}})
		erased := h.erase("folder:press", "#parent")
		h.commit(tuples.Commit{Undo: &tuples.Undo{Revision: erased.Revision}})
		h.wantCopied(c)
		h.wall.add(45 * time.Minute)
		h.touch(anna) // over one that has expired
		h.wall.add(3 * time.Hour)
		h.collect()
		h.wantCopied(c)
	}},
	{"what has expired stays until it is collected", func(h *harness) {
		h.create(soon, bert)
		c := h.follow()
		h.wall.add(time.Hour)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		h.wantIn(s, bert)
		all, err := scan(h.ctx, s)
		h.must(err)
		equal(h, "tuples", len(all), 2)
		h.wantCopied(c)
		h.collect()
		h.wantCopied(c)
	}},
	{"a commit that is refused or does nothing tells nothing", func(h *harness) {
		h.create(anna)
		c := h.follow()
		before, _ := c.Published()
		_, err := h.store.Commit(h.ctx, tuples.Commit{Mutations: h.mutations(tuples.OpCreate, bert, anna)})
		var exists *tuples.ExistsError
		equal(h, "it exists", errors.As(err, &exists), true)
		h.touch(anna)
		h.commit(tuples.Commit{Mutations: h.mutations(tuples.OpCreate, bert), DryRun: true})
		h.verify()
		after, err := c.Published()
		h.must(err)
		equal(h, "published", after, before)
	}},
	{"another follower takes the place of the first", func(h *harness) {
		first := h.follow()
		h.create(anna)
		h.verify()
		second := h.follow()
		h.create(bert)
		h.wantCopied(second)
		revision, err := first.Compare(h.ctx, h.store)
		h.must(err)
		equal(h, "the first has published", revision, 1)
	}},
	{"nil ends following", func(h *harness) {
		c := h.follow()
		s, err := h.store.Follow(h.ctx, nil)
		h.must(err)
		s.Close()
		h.create(anna)
		h.verify()
		revision, err := c.Published()
		h.must(err)
		equal(h, "published", revision, 0)
	}},
	{"each store has its own", func(h *harness) {
		c := h.follow()
		info, err := h.db.CreateStore(h.ctx, "other")
		h.must(err)
		other, err := h.db.Store(h.ctx, string(info.ID))
		h.must(err)
		_, err = other.Commit(h.ctx, tuples.Commit{Mutations: h.mutations(tuples.OpCreate, anna, bert)})
		h.must(err)
		h.create(public)
		h.wantCopied(c)
	}},
	{"following ends with the store", func(h *harness) {
		info, err := h.db.CreateStore(h.ctx, "other")
		h.must(err)
		other, err := h.db.Store(h.ctx, string(info.ID))
		h.must(err)
		_, err = Follow(h.ctx, other)
		h.must(err)
		s, err := other.Snapshot(h.ctx, tuples.At{})
		h.must(err)
		defer s.Close()
		h.must(h.db.DeleteStore(h.ctx, info.ID))
		_, err = scan(h.ctx, s)
		h.wantError(err, tuples.ErrStoreNotFound)
		_, err = Follow(h.ctx, other)
		h.wantError(err, tuples.ErrStoreNotFound)
	}},
	{"a context that has ended is not followed", func(h *harness) {
		ctx, cancel := context.WithCancel(h.ctx)
		cancel()
		_, err := Follow(ctx, h.store)
		h.wantError(err, context.Canceled)
	}},
	{"a copy that is made while others write is exact", func(h *harness) {
		var texts []string
		for i := range 3000 {
			texts = append(texts, fmt.Sprintf("media:m%d#viewer@user:u%d", i%500, i))
		}
		h.create(texts...)
		stop := h.writers(3)
		for range 5 {
			c := h.follow()
			_, err := c.Compare(h.ctx, h.store)
			h.must(err)
			h.must(h.store.Wait(h.ctx, h.store.Head()+5))
			_, err = c.Compare(h.ctx, h.store)
			h.must(err)
		}
		c := h.follow()
		h.must(h.store.Wait(h.ctx, h.store.Head()+5))
		stop()
		h.wantCopied(c)
	}},
}

// follow makes a copy that follows the store.
func (h *harness) follow() *Copy {
	h.Helper()
	c, err := Follow(h.ctx, h.store)
	h.must(err)
	return c
}

// wantCopied compares a copy with the head. Verify ends what is told late.
func (h *harness) wantCopied(c *Copy) {
	h.Helper()
	h.verify()
	revision, err := c.Compare(h.ctx, h.store)
	h.must(err)
	equal(h, "published", revision, h.store.Head())
}

// writers write to some tuples, all at once, until the function that it returns is called.
func (h *harness) writers(n int) (stop func()) {
	stopped := make(chan struct{})
	var writing sync.WaitGroup
	for w := range n {
		writing.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stopped:
					return
				default:
				}
				text := fmt.Sprintf("media:m%d#viewer@user:w%d", i*7%500, w)
				op := tuples.OpTouch
				if i%3 == 2 {
					op = tuples.OpDelete
				}
				_, err := h.store.Commit(h.ctx, tuples.Commit{Mutations: h.mutations(op, text, fmt.Sprintf("media:m%d#viewer@user:u%d", i%500, i%500))})
				if err != nil {
					h.Errorf("commit: %v", err)
					return
				}
			}
		})
	}
	return func() {
		close(stopped)
		writing.Wait()
	}
}

package scenario

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// Library is the tuples of a file in a store of their own, in a temporary folder. It
// must be closed, and serves one goroutine.
type Library struct {
	folder  string
	db      *bolt.DB
	store   tuples.Store
	program *model.Program
}

// Open writes the tuples of a file into a new store.
func Open(ctx context.Context, f *File) (*Library, error) {
	folder, err := os.MkdirTemp("", "usher-scenario-")
	if err != nil {
		return nil, err
	}
	l := &Library{folder: folder}
	if err := l.fill(ctx, f); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// fill makes the store. Its clock stands still at the latest time that a test asks for:
// a store shows no state that is ahead of its clock.
func (l *Library) fill(ctx context.Context, f *File) error {
	latest := time.Unix(0, 0)
	for _, t := range f.Tests {
		if t.At.After(latest) {
			latest = t.At
		}
	}
	var err error
	if l.db, err = bolt.Open(filepath.Join(l.folder, "usher.db"), bolt.Options{
		NoSync: true, CollectEvery: -1, Clock: func() time.Time { return latest },
	}); err != nil {
		return err
	}
	if _, err = l.db.CreateStore(ctx, "default"); err != nil {
		return err
	}
	if l.store, err = l.db.Store(ctx, "default"); err != nil {
		return err
	}
	commit := tuples.Commit{NewModel: &tuples.NewModel{ID: "01", Source: f.Source.Encode(), Symbols: f.Model.Symbols()}}
	for _, t := range f.Tuples {
		commit.Mutations = append(commit.Mutations, tuples.Mutation{Op: tuples.OpCreate, Tuple: t})
	}
	if _, err = l.store.Commit(ctx, commit); err != nil {
		return err
	}
	return l.Use(f.Model)
}

// Use makes the library answer by a model from now on: by the file's own after a change
// of it, or by another one with the same names. Tuples that it forbids are not seen.
func (l *Library) Use(m *model.Model) error {
	var err error
	l.program, err = model.Compile(m, l.store.Symbols())
	return err
}

// Close removes the store.
func (l *Library) Close() error {
	var err error
	if l.db != nil {
		err = l.db.Close()
	}
	return errors.Join(err, os.RemoveAll(l.folder))
}

// Answer answers what an assertion of a test asks, in the form of [FormatAnswer],
// [FormatList], [FormatExplanation], [FormatAttributes] or [FormatShares]. A condition that fails to evaluate
// is the answer "failed: …"; every other failure is an error.
func (l *Library) Answer(ctx context.Context, t *Test, a Assertion) (string, error) {
	e, done, err := l.evaluator(ctx, t, a)
	if err != nil {
		return "", err
	}
	defer done()
	got, err := answer(ctx, e, a.Query)
	return got.text, err
}

// evaluator returns what answers an assertion, and what releases it.
func (l *Library) evaluator(ctx context.Context, t *Test, a Assertion) (*check.Evaluator, func(), error) {
	snapshot, err := l.store.Snapshot(ctx, tuples.At{Revision: l.store.Head(), Time: t.At})
	if err != nil {
		return nil, nil, err
	}
	return check.New(check.Request{
		Program: l.program, Snapshot: snapshot, Contextual: t.Tuples, Context: a.Context,
	}), snapshot.Close, nil
}

// reply is an answer as text and, if it is a list, what is in it.
type reply struct {
	text  string
	items []Item
}

func answer(ctx context.Context, e *check.Evaluator, query Query) (reply, error) {
	switch q := query.(type) {
	case Question:
		if q.IsList() {
			items, err := list(ctx, e, q)
			return reply{FormatList(items), items}, err
		}
		text, err := decided(e.Check(ctx, q.On, q.Subject))
		return reply{text: text}, err
	case Why:
		x, err := e.Explain(ctx, q.On, q.Subject)
		if err != nil {
			text, err := decided(check.Decision{}, err)
			return reply{text: text}, err
		}
		return reply{text: FormatExplanation(x)}, nil
	case Attributes:
		text, err := restrict(ctx, e, q)
		return reply{text: text}, err
	case Shares:
		text, err := summarize(ctx, e, q)
		return reply{text: text}, err
	}
	return reply{}, fmt.Errorf("scenario: unknown query %T", query)
}

// list answers a question that asks for a list.
func list(ctx context.Context, e *check.Evaluator, q Question) ([]Item, error) {
	var items []Item
	for item, err := range ask(ctx, e, q) {
		if err != nil {
			return nil, err
		}
		text, err := decided(item.Decision, item.Err)
		if err != nil {
			return nil, err
		}
		items = append(items, Item{item.ID, text})
	}
	return items, nil
}

func ask(ctx context.Context, e *check.Evaluator, q Question) iter.Seq2[check.Item, error] {
	if q.On.Object.ID == Asked {
		return e.ListObjects(ctx, q.On.Object.Type, q.On.Relation, q.Subject, "")
	}
	return e.ListSubjects(ctx, q.On, check.SubjectKind{Type: q.Subject.Type, Relation: q.Subject.Relation}, "")
}

// decided returns a decision as text. A condition that failed is an answer too: it is
// the tuples' doing, not this program's.
func decided(d check.Decision, err error) (string, error) {
	var failed *check.ConditionError
	if errors.As(err, &failed) {
		return "failed: " + failed.Error(), nil
	}
	return FormatAnswer(d.Outcome.String(), d.Missing), err
}

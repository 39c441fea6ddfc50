package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"

	"github.com/usher-authz/usher/bench/drive"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// sharing is a library for summaries: a selection for a sharing menu, media in folders, each
// shared with recipients that are drawn from a crowd, while folders have two shares of their
// own; and a tree of folders, each of which lies in the one at a tenth of its number, while
// every third has a share.
type sharing struct{ media, recipients, folders, crowd, tree int }

var largeSharing = sharing{media: 10_000, recipients: 50, folders: 200, crowd: 2_000, tree: 100_000}

// shareResult is one summary that was asked for again and again.
type shareResult struct {
	What   string `json:"what"`
	Per    int    `json:"per"` // of these things it reads so many
	Things string `json:"things"`
	figure
}

// summarize measures how selections and trees are summarized, with a server and a database
// of their own.
func (r *sizeRun) summarize(ctx context.Context, w sharing) (err error) {
	target, err := r.start(ctx, filepath.Join(filepath.Dir(r.database), "shares.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := target.Load(ctx, w.tuples(), nil); err != nil {
		return err
	}
	if err := target.AwaitWarm(ctx); err != nil {
		return err
	}
	settings := drive.Settings{Rounds: r.rounds, Requests: 1, Progress: r.turns("summaries").Progress}
	summaries := w.summaries()
	var contenders []drive.Contender
	for _, s := range summaries {
		contenders = append(contenders, drive.Contender{Operation: s.of(target), Callers: drive.OneCaller})
	}
	results, err := drive.Compete(ctx, settings, contenders...)
	if err != nil {
		return err
	}
	for i, f := range toFigures(results) {
		summaries[i].figure = f
		r.result.Shares = append(r.result.Shares, summaries[i].shareResult)
	}
	return nil
}

// summary is one way to ask.
type summary struct {
	shareResult
	of func(*drive.Target) drive.Operation
}

// summaries are: by roles, by rights that are derived from them, and for one recipient; and
// the states of all folders of the tree.
func (w sharing) summaries() []summary {
	roles := []string{"viewer", "commenter", "editor", "owner"}
	var all []summary
	for _, by := range []struct {
		what       string
		relations  []string
		recipient  *usherv1.Subject
		recipients int
	}{
		{"by role", roles, nil, w.crowd + w.folders},
		{"by right, each a Check", []string{"can_view", "can_comment", "can_edit"}, nil, w.crowd + w.folders},
		{"by role for one recipient, with the breakdown", roles, &usherv1.Subject{Type: "user", Id: "u7"}, 1},
	} {
		request := &usherv1.SummarizeSharesRequest{Objects: w.selection(), Relations: by.relations, Recipient: by.recipient}
		selected := w.media * (w.recipients + 1)
		what := fmt.Sprintf("SummarizeShares of %d media with %d recipients each, %d tuples, %s", w.media, w.recipients, selected, by.what)
		all = append(all, summary{shareResult{What: what, Per: selected, Things: "tuple"}, func(t *drive.Target) drive.Operation {
			return t.SummarizeShares(request, by.recipients)
		}})
	}
	tree := &usherv1.SummarizeTreeRequest{
		Roots:       []*usherv1.Object{{Type: "folder", Id: "t0"}},
		ContainedBy: []*usherv1.Containment{{Relation: "parent"}},
		Relations:   []*usherv1.TreeRelation{{Relation: "viewer"}, {Relation: "downloader"}},
	}
	what := fmt.Sprintf("SummarizeTree of %d folders, two settings", w.tree)
	return append(all, summary{shareResult{What: what, Per: w.tree, Things: "folder"}, func(t *drive.Target) drive.Operation {
		return t.SummarizeTree(tree, w.tree)
	}})
}

func (w sharing) selection() []*usherv1.Object {
	media := make([]*usherv1.Object, w.media)
	for m := range media {
		media[m] = &usherv1.Object{Type: "media", Id: fmt.Sprintf("m%d", m)}
	}
	return media
}

// tuples are those of the selection, of its folders, and of the tree.
func (w sharing) tuples() iter.Seq[tuples.Tuple] {
	return func(yield func(tuples.Tuple) bool) {
		add := func(format string, args ...any) bool {
			t, err := tuples.ParseTuple(fmt.Sprintf(format, args...))
			if err != nil {
				panic(err) // the formats below are this function's own
			}
			return yield(t)
		}
		roles := []string{"viewer", "commenter", "editor"}
		for f := range w.folders {
			if !add("folder:f%d#owner@user:u%d", f, f) || !add("folder:f%d#viewer@group:g%d#member", f, f) {
				return
			}
		}
		for t := range w.tree {
			if t > 0 && !add("folder:t%d#parent@folder:t%d", t, t/10) || t%3 == 0 && !add("folder:t%d#viewer@user:u%d", t, t%w.crowd) {
				return
			}
		}
		for m := range w.media {
			if !add("media:m%d#parent@folder:f%d", m, m%w.folders) {
				return
			}
			for i := range w.recipients {
				if !add("media:m%d#%s@user:u%d", m, roles[(m+i)%len(roles)], (m*7+i*31)%w.crowd) {
					return
				}
			}
		}
	}
}

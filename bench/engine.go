package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// questionCount is how many different questions are asked, allowedOf100 how many of
// a hundred are answered by allowed.
const (
	questionCount = 10_000
	allowedOf100  = 70
)

// measureEngine loads the library into a new database and asks the engine alone. It
// returns the questions with their answers.
func measureEngine(ctx context.Context, s settings, path string, lib *library, r *report) ([]question, error) {
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	store, program, err := load(ctx, db, lib, r)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	r.add("file with log, both orders and names (it grows in steps of 16 MiB)", fmt.Sprintf("%d bytes per tuple", info.Size()/int64(len(lib.tuples))), "")
	questions, err := drawQuestions(ctx, store, program, lib)
	if err != nil {
		return nil, err
	}
	asked, start := 0, time.Now()
	for time.Since(start) < s.round*time.Duration(s.rounds) {
		for _, q := range questions[:100] {
			if _, err := ask(ctx, store, program, q); err != nil {
				return nil, err
			}
		}
		questions = append(questions[100:], questions[:100]...)
		asked += 100
	}
	r.add("engine alone, one Check with its snapshot", perCall(time.Since(start), asked), "")
	return questions, db.Close()
}

// load writes the default model and the library's tuples to the default store.
func load(ctx context.Context, db *bolt.DB, lib *library, r *report) (tuples.Store, *model.Program, error) {
	if _, err := db.CreateStore(ctx, "default"); err != nil {
		return nil, nil, err
	}
	store, err := db.Store(ctx, "default")
	if err != nil {
		return nil, nil, err
	}
	source := examples.MediaLibrary().Model
	m, _, err := model.Parse(source)
	if err != nil {
		return nil, nil, err
	}
	id := tuples.ModelID("01HZZZZZZZZZZZZZZZZZZZZZZZ")
	newModel := &tuples.NewModel{ID: id, Source: source.Encode(), Symbols: m.Symbols()}
	if _, err := store.Commit(ctx, tuples.Commit{NewModel: newModel}); err != nil {
		return nil, nil, err
	}
	start := time.Now()
	const perCommit = 10_000
	for from := 0; from < len(lib.tuples); from += perCommit {
		var commit tuples.Commit
		for _, t := range lib.tuples[from:min(from+perCommit, len(lib.tuples))] {
			commit.Mutations = append(commit.Mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: t})
		}
		if _, err := store.Commit(ctx, commit); err != nil {
			return nil, nil, err
		}
	}
	rate := float64(len(lib.tuples)) / time.Since(start).Seconds()
	r.add("load, commits of 10,000 touches", fmt.Sprintf("%.0f tuples/s", rate), "")
	program, err := model.Compile(m, store.Symbols())
	return store, program, err
}

// drawQuestions draws until the wanted part of the questions is allowed.
func drawQuestions(ctx context.Context, store tuples.Store, program *model.Program, lib *library) ([]question, error) {
	zipf := lib.zipf()
	want := map[bool]int{true: questionCount * allowedOf100 / 100}
	want[false] = questionCount - want[true]
	var questions []question
	for len(questions) < questionCount {
		q := lib.draw(zipf)
		allowed, err := ask(ctx, store, program, q)
		if err != nil {
			return nil, err
		}
		if want[allowed] > 0 {
			want[allowed]--
			q.allowed = allowed
			questions = append(questions, q)
		}
	}
	lib.random.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	return questions, nil
}

// ask answers one question as a request does: with a snapshot of its own.
func ask(ctx context.Context, store tuples.Store, program *model.Program, q question) (bool, error) {
	snapshot, err := store.Snapshot(ctx, tuples.At{})
	if err != nil {
		return false, err
	}
	defer snapshot.Close()
	decision, err := check.New(check.Request{Program: program, Snapshot: snapshot}).Check(ctx, q.on, q.subject)
	return decision.Outcome == check.Allowed, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/usher-authz/usher/bench/drive"
	"github.com/usher-authz/usher/bench/library"
)

// seed makes every run measure the same libraries.
const seed = 1

// size is a library to measure with.
type size struct {
	name   string // S, M, L or the number
	tuples int
}

// parseSizes reads "S,M,L".
func parseSizes(text string) ([]size, error) {
	known := map[string]int{"S": library.S, "M": library.M, "L": library.L}
	var sizes []size
	for name := range strings.SplitSeq(text, ",") {
		tuples, ok := known[name]
		if !ok {
			var err error
			if tuples, err = strconv.Atoi(name); err != nil || tuples < library.Smallest || tuples > library.L {
				return nil, fmt.Errorf("size %q: write S, M, L or a number of tuples from %d to %d", name, library.Smallest, library.L)
			}
		}
		if len(sizes) > 0 && sizes[len(sizes)-1].tuples >= tuples {
			return nil, fmt.Errorf("sizes %q: write them from small to large", text)
		}
		sizes = append(sizes, size{name, tuples})
	}
	return sizes, nil
}

// measure measures every size, and the growth from the first to the last.
func (s settings) measure(ctx context.Context) (err error) {
	sizes, err := parseSizes(s.sizes)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(s.dir, "usher-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	origin, err := s.newOrigin(ctx, fmt.Sprintf("bench -sizes %s -rounds %d -round %v", s.sizes, s.rounds, s.round))
	if err != nil {
		return err
	}
	for _, size := range sizes {
		run := sizeRun{settings: s, size: size, database: filepath.Join(dir, size.name+".db")}
		run.say("size %s: making a library of %d tuples", size.name, size.tuples)
		run.library = library.New(seed, size.tuples)
		run.result = sizeResult{Origin: origin, Size: size.name}
		if err := run.all(ctx); err != nil {
			return fmt.Errorf("size %s: %w", size.name, err)
		}
		if err := s.keep(size.name+".json", run.result); err != nil {
			return err
		}
	}
	if len(sizes) == 1 {
		return nil
	}
	return s.measureGrowth(ctx, origin, dir, sizes[0], sizes[len(sizes)-1])
}

// sizeRun measures one size.
type sizeRun struct {
	settings
	size
	database string
	library  *library.Library
	result   sizeResult
}

// all measures in the order of a database's life: it is filled, a server comes up on it, is
// asked, and is written to.
func (r *sizeRun) all(ctx context.Context) error {
	began := time.Now()
	if err := r.load(ctx); err != nil {
		return err
	}
	target, reads, err := r.comeUp(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(r.ask(ctx, target, reads), target.Close()); err != nil {
		return err
	}
	if r.name == "S" { // the library of summaries is the same for all
		if err := r.summarize(ctx, largeSharing); err != nil {
			return err
		}
	}
	r.result.Took = time.Since(began)
	r.say("size %s: done in %v", r.name, r.result.Took.Round(time.Second))
	return nil
}

// start runs a server with the settings that it is to be measured with; -serve beats more.
func (s settings) start(ctx context.Context, database string, more ...string) (*drive.Target, error) {
	return drive.Start(ctx, s.usher, database, append(more, strings.Fields(s.serve)...)...)
}

// load fills the database by a server of its own.
func (r *sizeRun) load(ctx context.Context) error {
	target, err := r.start(ctx, r.database)
	if err != nil {
		return err
	}
	r.result.Empty, err = target.Memory(ctx)
	if err == nil {
		r.result.Load, err = target.Load(ctx, r.library.Tuples(), func(tuples int) { r.say("size %s: %d tuples are loaded", r.name, tuples) })
	}
	if err == nil {
		r.result.Loaded, err = target.Memory(ctx)
	}
	if err := errors.Join(err, target.Close()); err != nil {
		return err
	}
	loaded := r.result.Load
	r.say("size %s: loaded %d tuples, %.0f/s, %.0f bytes each on disk", r.name, loaded.Tuples, loaded.PerSecond(), loaded.BytesPerTuple())
	return nil
}

// ask measures what reads and then what writes.
func (r *sizeRun) ask(ctx context.Context, target *drive.Target, reads []drive.Contender) (err error) {
	bare, err := startBare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.Close()) }()
	floor := drive.Contender{Operation: bare.Health().Named(bareHealth), Callers: drive.ManyCallers}
	results, err := drive.Compete(ctx, r.turns("size "+r.name+", reads"), append([]drive.Contender{floor}, reads...)...)
	if err != nil {
		return err
	}
	r.result.Figures = toFigures(results)
	if r.result.Warm, err = target.Memory(ctx); err != nil {
		return err
	}
	raw, err := drive.OpenRawPuts(filepath.Dir(r.database))
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, raw.Close(), os.Remove(filepath.Join(filepath.Dir(r.database), "raw.db")))
	}()
	results, err = drive.Compete(ctx, r.turns("size "+r.name+", writes"),
		drive.Contender{Operation: raw.Operation(), Callers: drive.OneCaller},
		drive.Contender{Operation: target.Write(), Callers: drive.OneCaller},
		drive.Contender{Operation: target.Write(), Callers: drive.ManyCallers})
	r.result.Figures = append(r.result.Figures, toFigures(results)...)
	return err
}

// turns is how long contenders compete.
func (s settings) turns(what string) drive.Settings {
	return drive.Settings{Rounds: s.rounds, Round: s.round, Progress: func(done, of int) {
		s.say("%s: %d of %d rounds", what, done, of)
	}}
}

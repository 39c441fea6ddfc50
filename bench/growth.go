package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/usher-authz/usher/bench/drive"
	"github.com/usher-authz/usher/bench/library"
)

const growthFile = "growth.json"

// measureGrowth has a server with the small library and one with the large take turns. The
// small one is loaded anew: the writes that were measured with it were as many again.
func (s settings) measureGrowth(ctx context.Context, origin origin, dir string, small, large size) (err error) {
	s.say("growth: %s beside %s", small.name, large.name)
	var contenders []drive.Contender
	for i, size := range []size{small, large} {
		database := filepath.Join(dir, size.name+".db")
		if i == 0 {
			database = filepath.Join(dir, size.name+"-again.db")
		}
		l := library.New(seed, size.tuples)
		target, failure := s.start(ctx, database)
		if failure != nil {
			return failure
		}
		defer func() { err = errors.Join(err, target.Close()) }()
		if i == 0 {
			if _, err := target.Load(ctx, l.Tuples(), nil); err != nil {
				return err
			}
		}
		check := target.Check(l.Checks(growthQuestions))
		if err := check.Ask(ctx, 0); err != nil {
			return err
		}
		if err := target.AwaitWarm(ctx); err != nil {
			return err
		}
		contenders = append(contenders,
			drive.Contender{Operation: target.Health(), Callers: drive.ManyCallers},
			drive.Contender{Operation: check, Callers: drive.ManyCallers})
	}
	results, err := drive.Compete(ctx, s.turns("growth"), contenders...)
	if err != nil {
		return err
	}
	figures := toFigures(results)
	return s.keep(growthFile, growthResult{
		Origin: origin, Small: figures[:2], Large: figures[2:], SmallTuples: small.tuples, LargeTuples: large.tuples,
	})
}

// growthQuestions is how many different questions each server is asked.
const growthQuestions = 10_000

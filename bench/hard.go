package main

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// hardFile has what make bench-adversarial wrote: benchstat reads it too.
const hardFile = "adversarial.txt"

// hardRow is what one question in a world that is made to hurt took, and how many times a
// health RPC of the same world.
type hardRow struct {
	World, Question string
	Took            time.Duration
	First           time.Duration // of the first one; 0 where it was not measured
	ByHealth        float64       // 0 where no health RPC was measured
}

// benchmarkLine is a line of go test -bench: a world, a question, and the time of one.
var benchmarkLine = regexp.MustCompile(`^Benchmark(?:Adversarial/)?([^/]+)/(.+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op(?:\s+([\d.]+) first-ns)?`)

// hard reads the results; none if there are none.
func (s settings) hard() ([]hardRow, error) {
	text, err := os.ReadFile(s.file(hardFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rows []hardRow
	health := make(map[string]time.Duration)
	for line := range strings.Lines(string(text)) {
		found := benchmarkLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		took, err1 := nanoseconds(found[3])
		first, err2 := nanoseconds(found[4])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		world, question := strings.ReplaceAll(found[1], "_", " "), strings.ReplaceAll(found[2], "_", " ")
		if question == "health" {
			health[world] = took
			continue
		}
		row := hardRow{World: world, Question: question, Took: took, First: first}
		if floor := health[world]; floor > 0 {
			row.ByHealth = times(took, floor)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// nanoseconds reads a figure of go test; 0 if there is none.
func nanoseconds(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	return time.Duration(n), err
}

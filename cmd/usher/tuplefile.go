package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// placedTuple is a tuple with the place that the user wrote it at: "argument 2" or
// "FILE:LINE".
type placedTuple struct {
	tuple *usherv1.Tuple
	place string
}

// maxFaults bounds how many bad lines one error lists.
const maxFaults = 20

// maxLineBytes bounds a line of a file: the longest tuple has two ids of 1 KiB, 32 KiB
// of context and 16 attributes.
const maxLineBytes = 1 << 20

// argumentTuples parses tuples that are arguments of a command.
func argumentTuples(args []string) ([]placedTuple, error) {
	all := make([]placedTuple, len(args))
	for i, text := range args {
		t, err := parseTuple(text)
		if err != nil {
			return nil, err
		}
		all[i] = placedTuple{t, fmt.Sprintf("argument %d", i+1)}
	}
	return all, nil
}

// fileTuples parses the tuples of a file, one a line; "-" is stdin. Empty lines and
// lines that begin with '#' are skipped. The error lists every bad line.
func (p *program) fileTuples(name string) ([]placedTuple, error) {
	if name == "-" {
		return readTuples("stdin", p.stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readTuples(name, file)
}

func readTuples(name string, r io.Reader) ([]placedTuple, error) {
	var all []placedTuple
	var faults []error
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLineBytes)
	for number := 1; lines.Scan() && len(faults) < maxFaults; number++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		place := fmt.Sprintf("%s:%d", name, number)
		t, err := parseTuple(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", place, err))
			continue
		}
		all = append(all, placedTuple{t, place})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(faults) == maxFaults {
		faults = append(faults, errors.New("and perhaps more"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(append(faults, fmt.Errorf("nothing of %s was written", name))...)
	}
	return all, nil
}

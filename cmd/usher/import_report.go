package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// importReport is what became of an import. Of a file that went through several streams
// the rows that were stored behind the last checkpoint of one count as unchanged.
type importReport struct {
	Rows      int64   `json:"rows"` // Created + Updated + Unchanged + Rejected
	Created   int64   `json:"created"`
	Updated   int64   `json:"updated"`
	Unchanged int64   `json:"unchanged"`
	Rejected  int64   `json:"rejected"`
	Rejects   string  `json:"rejects,omitempty"` // the file that has them
	Seconds   float64 `json:"seconds"`
	Token     string  `json:"token,omitempty"`
	Revision  uint64  `json:"revision,string,omitempty"`

	line int64 // up to which everything is stored or rejected
}

// add counts a checkpoint.
func (r *importReport) add(answer *usherv1.ImportResponse) {
	r.Rows += answer.GetCreated() + answer.GetUpdated() + answer.GetUnchanged()
	r.Created += answer.GetCreated()
	r.Updated += answer.GetUpdated()
	r.Unchanged += answer.GetUnchanged()
	r.Token, r.Revision = answer.GetToken(), answer.GetRevision()
}

// text says what became of the rows, in one line.
func (r *importReport) text(dryRun bool) string {
	var counts []string
	for _, count := range []struct {
		n    int64
		what string
	}{
		{r.Created, doneOr(dryRun, "created", "to create")}, {r.Updated, doneOr(dryRun, "updated", "to update")},
		{r.Unchanged, "unchanged"}, {r.Rejected, "rejected"},
	} {
		if count.n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", count.n, count.what))
		}
	}
	text := fmt.Sprintf("%d %s", r.Rows, english.PluralWord(int(r.Rows), "row", ""))
	if len(counts) > 0 {
		text += ": " + strings.Join(counts, ", ")
	}
	if r.Rows > 0 {
		text += fmt.Sprintf("; %.1f s, %.0f rows/s", r.Seconds, float64(r.Rows)/r.Seconds)
	}
	switch {
	case dryRun:
		text += "; nothing was changed"
	case r.Token != "":
		text += fmt.Sprintf("; revision %d, token %s", r.Revision, r.Token)
	}
	return text + "\n"
}

// seconds returns the time since then, in seconds and whole milliseconds, one at least.
func seconds(since time.Time) float64 {
	return max(time.Since(since).Round(time.Millisecond), time.Millisecond).Seconds()
}

// printReport prints what became of a long command: one line of JSON, or a text.
func (c *client) printReport(w io.Writer, report any, text string) error {
	if c.output == "json" {
		line, err := json.Marshal(report)
		if err != nil {
			return err
		}
		text = string(line) + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// tellPreview tells what the shares would come to.
func (s *sharing) tellPreview(ctx context.Context, c *client, args []string) error {
	request := &usherv1.PreviewSharesRequest{Store: c.store, Roles: s.roles, Relation: s.preview}
	var err error
	if request.Objects, request.Shares, err = s.parts(args); err != nil {
		return err
	}
	if request.Context, err = parseContext(s.context); err != nil {
		return err
	}
	answer, err := call(ctx, c, c.permissions().PreviewShares, request)
	if err != nil {
		return err
	}
	return c.print(answer, func() string {
		var b strings.Builder
		for _, preview := range answer.GetPreviews() {
			b.WriteString(previewText(preview, s.preview, len(args)))
		}
		return b.String()
	})
}

// previewText returns what one recipient would have, and a table of what it would not.
func previewText(p *usherv1.SharePreview, relation string, objects int) string {
	text := fmt.Sprintf("%s would have %s of %d of %d\n", subjectText(p.GetSubject()), relation, p.GetAllowed(), objects)
	if len(p.GetUnseen()) == 0 {
		return text
	}
	var rows []table.Row
	for _, u := range p.GetUnseen() {
		var by []string
		for _, userset := range u.GetBlockedBy() {
			by = append(by, usersetText(userset.GetObject(), userset.GetRelation()))
		}
		rows = append(rows, table.Row{objectText(u.GetObject()), answerText(u.GetOutcome(), u.GetMissingContext()), strings.Join(by, ", ")})
	}
	return text + columns(table.Row{"object", "answer", "blocked by"}, rows)
}

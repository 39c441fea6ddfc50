package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/list"
	"github.com/jedib0t/go-pretty/v6/table"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// jsonLine returns a message as one line of JSON. protojson varies its blanks on
// purpose; they are removed, so that equal answers are equal lines.
func jsonLine(message proto.Message) ([]byte, error) {
	text, err := protojson.Marshal(message)
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil {
		return nil, err
	}
	line.WriteByte('\n')
	return line.Bytes(), nil
}

// columns draws rows below a header, without lines or colours.
func columns(header table.Row, rows []table.Row) string {
	w := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	w.AppendHeader(header)
	w.AppendRows(rows)
	return w.Render() + "\n"
}

// branch is one line of a tree with what hangs below it.
type branch struct {
	text     string
	children []branch
}

// drawTree draws a tree. The library puts a line before the root too, which is
// cut off with the column below it.
func drawTree(root branch) string {
	w := list.NewWriter()
	w.SetStyle(list.StyleConnectedLight)
	appendBranch(w, root)
	text := strings.TrimPrefix(w.Render(), list.StyleConnectedLight.CharItemSingle+" ")
	return strings.ReplaceAll(text, "\n   ", "\n") + "\n"
}

func appendBranch(w list.Writer, b branch) {
	w.AppendItem(b.text)
	w.Indent()
	for _, child := range b.children {
		appendBranch(w, child)
	}
	w.UnIndent()
}

// timeText returns a time of the server in the shape that flags take.
func timeText(t *timestamppb.Timestamp) string {
	return t.AsTime().Format(time.RFC3339)
}

package usher

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// page is a section of docs/modelling.md with its fenced blocks, in their order.
type page struct {
	title  string
	blocks []block
}

// block is a fenced block: the word behind its fence, and what is in it.
type block struct{ kind, text string }

// Every page of the guide is a library of its own, told from top to bottom: a block fga
// is a model in a new store, a block tuples is written, and the commands of a block
// console print what it shows.
func TestModellingGuideShowsWhatHappens(t *testing.T) {
	dir := t.TempDir()
	binary := build(t, dir)
	addr := serve(t, binary, dir)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	pages := pagesOf(t, "docs/modelling.md")
	common := pages[0].blocks[0].text // what the introduction says every model begins with
	for i, p := range pages[1:] {
		t.Run(p.title, func(t *testing.T) {
			shown := map[string]int{}
			for j, b := range p.blocks {
				shown[b.kind]++
				switch b.kind {
				case "fga":
					t.Setenv("USHER_STORE", fmt.Sprintf("page-%d-%d", i, j))
					succeed(t, binary, addr, "usher store create "+os.Getenv("USHER_STORE"))
					succeed(t, binary, addr, "usher model write "+write(t, "model.fga", common+b.text))
				case "tuples":
					succeed(t, binary, addr, "usher write --operation create --file "+write(t, "tuples.txt", b.text))
				case "console":
					for _, c := range commandsIn(b.text) {
						if got := execute(t, c.text, binary, addr); !matches(c.want, got) {
							t.Errorf("$ %s\nprints\n%sthe guide says\n%s", c.text, got, c.want)
						}
						shown["command"]++
					}
				default:
					t.Errorf("a block is fga, tuples or console, not %q", b.kind)
				}
			}
			if shown["fga"] == 0 || shown["tuples"] == 0 || shown["command"] < 2 {
				t.Errorf("a page needs a model, tuples and two commands; it has %v", shown)
			}
		})
	}
}

// succeed runs a command that must neither fail nor warn.
func succeed(t *testing.T, binary, addr, command string) {
	t.Helper()
	output := execute(t, command+" && echo done", binary, addr)
	if !strings.HasSuffix(output, "\ndone\n") || strings.Contains(output, "warning") {
		t.Fatalf("$ %s\n%s", command, output)
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pagesOf splits a Markdown file at its headings of the second level. The first page is
// what stands before them.
func pagesOf(t *testing.T, path string) []page {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pages := []page{{title: path}}
	inside := false
	for line := range bytes.Lines(text) {
		line := string(line)
		last := &pages[len(pages)-1]
		title, isHeading := strings.CutPrefix(line, "## ")
		kind, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && inside:
			inside = false
		case isFence:
			inside = true
			last.blocks = append(last.blocks, block{kind: strings.TrimSpace(kind)})
		case inside:
			last.blocks[len(last.blocks)-1].text += line
		case isHeading:
			pages = append(pages, page{title: strings.TrimSpace(title)})
		}
	}
	return pages
}

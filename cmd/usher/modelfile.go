package main

import (
	"io"
	"path/filepath"

	"github.com/usher-authz/usher/model"
)

// readModel reads a model from a file, see [model.SourceOf]; "-" is stdin.
func (p *program) readModel(name string) (model.Source, error) {
	if name != "-" {
		return model.ReadFile(name)
	}
	text, err := io.ReadAll(p.stdin)
	if err != nil {
		return model.Source{}, err
	}
	return model.SourceOf(name, string(text))
}

// problemText writes a problem as "file:line:column: what; remedy". name is the file
// that was read; modules have names of their own, relative to its folder.
func problemText(name string, pos model.Pos, message, remedy string) string {
	if pos.File != "" {
		pos.File = filepath.Join(filepath.Dir(name), filepath.FromSlash(pos.File))
	} else {
		pos.File = name
	}
	return model.Problem{Pos: pos, Message: message, Remedy: remedy}.String()
}

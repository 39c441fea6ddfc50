package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/usher-authz/usher/model"
)

// readModel reads a model: modules if the file is called fga.mod, JSON if it ends in
// .json, the modelling language else; "-" is stdin.
func (p *program) readModel(name string) (model.Source, error) {
	text, err := p.readFile(name)
	if err != nil {
		return model.Source{}, err
	}
	switch {
	case strings.TrimSpace(text) == "":
		return model.Source{}, fmt.Errorf("%s is empty; write a model that begins with \"model\" and \"schema 1.1\"", name)
	case filepath.Base(name) == "fga.mod":
		modules := &model.Modules{Manifest: text}
		modules.Files, err = readModules(filepath.Dir(name), text)
		return model.Source{Modules: modules}, err
	case filepath.Ext(name) == ".json":
		return model.Source{JSON: text}, nil
	}
	return model.Source{DSL: text}, nil
}

func (p *program) readFile(name string) (string, error) {
	if name == "-" {
		text, err := io.ReadAll(p.stdin)
		return string(text), err
	}
	text, err := os.ReadFile(name)
	return string(text), err
}

// readModules reads the files that a manifest lists and that are there, below its
// folder alone. Whether the manifest is right is for [model.Parse] to say.
func readModules(folder, manifest string) (map[string]string, error) {
	var m struct {
		Contents []string `yaml:"contents"`
	}
	if yaml.Unmarshal([]byte(manifest), &m) != nil {
		return nil, nil
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files := make(map[string]string, len(m.Contents))
	for _, name := range m.Contents {
		if text, err := fs.ReadFile(root.FS(), filepath.ToSlash(name)); err == nil {
			files[name] = string(text)
		}
	}
	return files, nil
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

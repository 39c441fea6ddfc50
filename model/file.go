package model

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ReadFile reads a model from a file, see [SourceOf].
func ReadFile(name string) (Source, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return Source{}, err
	}
	return SourceOf(name, string(text))
}

// SourceOf returns the source that a file of this name and text is: modules if it is
// called fga.mod, JSON if it ends in .json, the modelling language else. Modules are
// read from the folder of the file. An empty text is an error.
func SourceOf(name, text string) (Source, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return Source{}, fmt.Errorf("%s is empty; write a model that begins with \"model\" and \"schema 1.1\"", name)
	case filepath.Base(name) == manifestName:
		files, err := readModuleFiles(filepath.Dir(name), text)
		return Source{Modules: &Modules{Manifest: text, Files: files}}, err
	case filepath.Ext(name) == ".json":
		return Source{JSON: text}, nil
	}
	return Source{DSL: text}, nil
}

// readModuleFiles reads the files that a manifest lists and that are there, below its
// folder alone. Whether the manifest is right is for [Parse] to say.
func readModuleFiles(folder, manifest string) (map[string]string, error) {
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

package model

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/usher-authz/usher/tuples"
)

// manifestName is the file that problems of the manifest are reported in.
const manifestName = "fga.mod"

// manifest is fga.mod: the schema and the modules in order.
type manifest struct {
	Schema   yaml.Node `yaml:"schema"`
	Contents yaml.Node `yaml:"contents"`
}

// moduleRef is one entry of the manifest's contents.
type moduleRef struct {
	name string
	pos  Pos
}

// readModules reads a modular model: every file that the manifest lists, with the
// extensions that they make to each other's types.
func readModules(source *Modules, r *report) *Model {
	m, refs := readManifest(source.Manifest, r)
	files := make([]*dslFile, 0, len(refs))
	for _, ref := range refs {
		text, ok := source.Files[ref.name]
		if !ok {
			r.errorf(ref.pos, "send the file, or take it off the list", "module %s is listed but missing", ref.name)
			continue
		}
		file := parseDSL(ref.name, text, r)
		if file == nil {
			continue
		}
		if file.module == "" {
			r.errorf(file.header, "begin with \"module\" and its name", "file is not a module")
		}
		files = append(files, file)
	}
	for _, name := range slices.Sorted(maps.Keys(source.Files)) {
		if !slices.ContainsFunc(refs, func(ref moduleRef) bool { return ref.name == name }) {
			r.warnf(Pos{File: manifestName}, "list it under contents, or drop the file", "module %s is not listed and not read", name)
		}
	}
	if len(r.errors) > 0 {
		return nil
	}
	merge(m, files, r)
	return m
}

// readManifest reads fga.mod into a model without types and the list of its modules.
func readManifest(text string, r *report) (*Model, []moduleRef) {
	var m manifest
	var refs []moduleRef
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		reason, _ := errors.AsType[*yaml.TypeError](err)
		message := err.Error()
		if reason != nil {
			message = strings.Join(reason.Errors, ", ")
		}
		r.errorf(Pos{File: manifestName}, "write the keys schema and contents", "manifest is not YAML: %s", strings.TrimPrefix(message, "yaml: "))
		return nil, nil
	}
	if m.Schema.Kind != yaml.ScalarNode || m.Schema.Value != "1.2" {
		r.errorf(nodePos(&m.Schema), `write schema: "1.2"`, "manifest has the schema %q, modules have 1.2", m.Schema.Value)
	}
	if m.Contents.Kind != yaml.SequenceNode || len(m.Contents.Content) == 0 {
		r.errorf(nodePos(&m.Contents), "write contents: and below it a list of files", "manifest lists no modules")
	}
	for _, node := range m.Contents.Content {
		ref := moduleRef{pos: nodePos(node)}
		name, err := url.QueryUnescape(node.Value)
		ref.name = strings.ReplaceAll(name, `\`, "/")
		switch {
		case node.Kind != yaml.ScalarNode, err != nil, !strings.HasSuffix(ref.name, ".fga"):
			r.errorf(ref.pos, "name a file such as core.fga", "manifest lists %q, which is not an .fga file", node.Value)
		case strings.HasPrefix(ref.name, "/"), strings.Contains(ref.name, "../"):
			r.errorf(ref.pos, "keep modules below fga.mod", "manifest lists %q, which is outside of its folder", node.Value)
		case slices.ContainsFunc(refs, func(other moduleRef) bool { return other.name == ref.name }):
			r.errorf(ref.pos, "list it once", "manifest lists %s twice", ref.name)
		default:
			refs = append(refs, ref)
		}
	}
	return &Model{Schema: m.Schema.Value, Pos: nodePos(&m.Schema)}, refs
}

func nodePos(node *yaml.Node) Pos {
	return Pos{File: manifestName, Line: node.Line, Column: node.Column}
}

// merge puts the modules into one model and applies their extensions.
func merge(m *Model, files []*dslFile, r *report) {
	types := make(map[tuples.ObjectType]*Type)
	for _, file := range files {
		m.Types = append(m.Types, file.types...)
		m.Conditions = append(m.Conditions, file.conditions...)
		for _, t := range file.types {
			types[t.Name] = t
		}
	}
	for _, file := range files {
		seen := make(map[tuples.ObjectType]bool, len(file.extends))
		for _, extension := range file.extends {
			base := types[extension.Name]
			switch {
			case base == nil:
				r.errorf(extension.Pos, "define the type in one of the modules", "extended type %s does not exist", extension.Name)
				continue
			case seen[extension.Name]:
				r.errorf(extension.Pos, "put the relations into the first extension", "type %s is extended twice in one file", extension.Name)
			}
			seen[extension.Name] = true
			base.Relations = append(base.Relations, extension.Relations...)
		}
	}
}

package model

import (
	"strings"
	"testing"
)

const coreModule = `module core

type user
type organization
  relations
    define member: [user]
`

const mediaModule = `module media

extend type organization
  relations
    define can_upload: [user with office_hours] or member

type media
  relations
    define organization: [organization]
    define view: can_upload from organization

condition office_hours(hour: int) {
  hour >= 8 &&
    hour < 18
}
`

const modManifest = `schema: '1.2'
contents:
  - core.fga
  - media/media.fga
`

func modules(manifest string, files map[string]string) Source {
	return Source{Modules: &Modules{Manifest: manifest, Files: files}}
}

func TestParseModules(t *testing.T) {
	m, warnings, err := Parse(modules(modManifest, map[string]string{"core.fga": coreModule, "media/media.fga": mediaModule}))
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 0 {
		t.Errorf("warnings: %s", texts(warnings))
	}
	want := `model
  schema 1.2

type user

type organization
  relations
    define member: [user]
    define can_upload: [user with office_hours] or member

type media
  relations
    define organization: [organization]
    define view: can_upload from organization

condition office_hours(hour: int) {
  hour >= 8 &&
    hour < 18
}
`
	if got := m.DSL(); got != want {
		t.Errorf("the modules make\n%s\nwant\n%s", got, want)
	}
	upload := m.Relation("organization", "can_upload")
	if want := (Pos{File: "media/media.fga", Line: 5, Column: 12}); upload.Pos != want || upload.Module != "media" {
		t.Errorf("can_upload is at %v in module %q", upload.Pos, upload.Module)
	}
	if m.Type("organization").Module != "core" || m.Condition("office_hours").Module != "media" {
		t.Error("a type or condition lost its module")
	}
}

func TestParseModulesRefuses(t *testing.T) {
	both := map[string]string{"core.fga": coreModule, "media/media.fga": mediaModule}
	with := func(name, text string) map[string]string {
		files := map[string]string{"core.fga": coreModule, "media/media.fga": mediaModule}
		files[name] = text
		return files
	}
	tests := map[string]struct {
		manifest string
		files    map[string]string
		want     []string
	}{
		"a missing file": {modManifest, map[string]string{"core.fga": coreModule},
			[]string{"fga.mod:4:5: module media/media.fga is listed but missing; send the file"}},
		"no manifest":  {"", both, []string{`fga.mod: manifest has the schema ""`, "fga.mod: manifest lists no modules"}},
		"no YAML":      {"schema: [", both, []string{"fga.mod: manifest is not YAML: "}},
		"a wrong YAML": {"- a", both, []string{"fga.mod: manifest is not YAML: line 1: cannot unmarshal"}},
		"schema 1.1": {strings.Replace(modManifest, "1.2", "1.1", 1), both,
			[]string{`fga.mod:1:9: manifest has the schema "1.1", modules have 1.2; write schema: "1.2"`}},
		"contents that are no list": {"schema: '1.2'\ncontents: core.fga\n", both, []string{"fga.mod:2:11: manifest lists no modules"}},
		"files that are none": {"schema: '1.2'\ncontents:\n  - core.txt\n  - [core.fga]\n  - ../core.fga\n  - /core.fga\n  - core.fga\n  - core.fga\n", map[string]string{"core.fga": coreModule},
			[]string{`3:5: manifest lists "core.txt", which is not an .fga file`, `4:5: manifest lists ""`, `5:5: manifest lists "../core.fga", which is outside`,
				`6:5: manifest lists "/core.fga", which is outside`, `8:5: manifest lists core.fga twice`}},
		"a model among the modules": {modManifest, with("core.fga", "model\n  schema 1.2\ntype user\n"), []string{`core.fga:1:1: file is not a module; begin with "module"`}},
		"syntax in two files": {modManifest, map[string]string{"core.fga": "module core\ntipe user\n", "media/media.fga": "module media\ntype\n"},
			[]string{`core.fga:2:1: unexpected "tipe"`, `media/media.fga:2:`}},
		"deep parentheses": {modManifest, with("core.fga", "module core\n"+strings.Repeat("(", 51)), []string{"core.fga:2:51: parentheses are nested"}},
		"an extension of nothing": {modManifest, with("core.fga", "module core\ntype user\n"),
			[]string{"media/media.fga:3:13: extended type organization does not exist; define the type in one of the modules"}},
		"two extensions in a file": {modManifest, with("media/media.fga", "module media\nextend type user\n  relations\n    define a: [user]\nextend type user\n  relations\n    define b: [user]\n"),
			[]string{"media/media.fga:5:13: type user is extended twice in one file"}},
		"a type in two modules": {modManifest, with("media/media.fga", "module media\ntype user\n"),
			[]string{"media/media.fga:2:6: type user is defined twice, first at core.fga:3:6"}},
		"a relation in two modules": {modManifest, with("media/media.fga", "module media\nextend type organization\n  relations\n    define member: [user]\n"),
			[]string{"media/media.fga:4:12: relation organization#member is defined twice, first at core.fga:6:12"}},
		"an expression in a module": {modManifest, with("media/media.fga", "module media\ncondition c(x: int) {\n  x == 1 ||\n  y\n}\n"),
			[]string{"media/media.fga:4:3: condition c: undeclared reference to 'y'"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(modules(test.manifest, test.files))
			if err == nil {
				t.Fatal("the model is accepted")
			}
			wantLines(t, err.Error(), test.want)
		})
	}
}

func TestParseModulesWarnsOfUnlistedFiles(t *testing.T) {
	_, warnings, err := Parse(modules("schema: '1.2'\ncontents: [core.fga]\n", map[string]string{"core.fga": coreModule, "media.fga": mediaModule}))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, texts(warnings), []string{"fga.mod: module media.fga is not listed and not read; list it under contents"})
}

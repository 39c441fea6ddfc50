package scenario_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// limited is a file about a document that is given with limits.
func limited(entry string) string {
	return `
-- a.fga.yaml --
model_file: model.fga
tuples:
  - { user: "user:a", relation: viewer, object: "doc:1", attributes: { max_size: 800, format: "jpeg 2000" } }
  - { user: "user:a", relation: editor, object: "doc:1", attributes: { max_size: 2048, watermark: true } }
  - { user: "user:b", relation: owner, object: "doc:1", attributes: { max_size: 2048 } }
  - { user: "user:b", relation: viewer, object: "doc:1" }
  - { user: "user:c", relation: viewer, object: "doc:1", condition: { name: sized, context: { limit: 1 } }, attributes: { min_size: 0.5 } }
tests:
  - name: one
    attributes:
      - ` + entry + "\n"
}

func TestAttributes(t *testing.T) {
	for name, entry := range map[string]string{
		"D9 two sets, in any order":             `{ user: "user:a", object: "doc:1", assertions: { can_view: [watermark=true max_size=2048, format="jpeg 2000"  max_size=800 ] } }`,
		"D9 one set":                            `{ user: "user:a", object: "doc:1", assertions: { editor: [max_size=2048 watermark=true] } }`,
		"D9 a grant without limits betters all": `{ user: "user:b", object: "doc:1", assertions: { viewer: not restricted, editor: [max_size=2048] } }`,
		"denied":                                `{ users: [user:a, user:z], objects: ["doc:1", "doc:2"], assertions: { owner: denied } }`,
		"without the context that it needs":     `{ user: "user:c", object: "doc:1", assertions: { viewer: "conditional: size" } }`,
		"under a context":                       `{ user: "user:c", object: "doc:1", context: { size: 1 }, assertions: { viewer: [min_size=0.5] } }`,
		"under a context that refuses":          `{ user: "user:c", object: "doc:1", context: { size: 2 }, assertions: { viewer: denied } }`,
	} {
		t.Run(name, func(t *testing.T) {
			results, _ := run(t, load(t, limited(entry)))
			for _, f := range results[0].Failures {
				t.Errorf("%s = %s, want %s", f.Query, f.Got, f.Want)
			}
		})
	}
}

// Attributes that are not as they should be show both, and how the check is answered.
func TestAttributesFail(t *testing.T) {
	for name, tc := range map[string]struct{ entry, got, why string }{
		"a set too few": {
			`{ user: "user:a", object: "doc:1", assertions: { can_view: [max_size=2048 watermark=true] } }`,
			`attributes of user:a can_view doc:1 = format="jpeg 2000" max_size=800 | max_size=2048 watermark=true, want max_size=2048 watermark=true`,
			`doc:1#viewer@user:a attributes {"format":"jpeg 2000","max_size":800} (direct) → allowed`,
		},
		"D9 what two grants give, mixed": {
			`{ user: "user:a", object: "doc:1", assertions: { can_view: [max_size=2048] } }`,
			`attributes of user:a can_view doc:1 = format="jpeg 2000" max_size=800 | max_size=2048 watermark=true, want max_size=2048`,
			"doc:1#can_view = viewer but not blocked → allowed",
		},
		"another value": {
			`{ user: "user:b", object: "doc:1", assertions: { owner: [max_size=2047] } }`,
			"attributes of user:b owner doc:1 = max_size=2048, want max_size=2047",
			"doc:1#owner@user:b",
		},
		"restricted after all": {
			`{ user: "user:b", object: "doc:1", assertions: { owner: not restricted } }`,
			"attributes of user:b owner doc:1 = max_size=2048, want not restricted",
			"doc:1#owner@user:b",
		},
		"not restricted at all": {
			`{ user: "user:b", object: "doc:1", assertions: { viewer: [max_size=2048] } }`,
			"attributes of user:b viewer doc:1 = not restricted, want max_size=2048",
			"doc:1#viewer@user:b",
		},
		"denied": {
			`{ user: "user:z", object: "doc:1", assertions: { owner: not restricted } }`,
			"attributes of user:z owner doc:1 = denied, want not restricted",
			"would be granted by doc:1#owner",
		},
		"allowed": {
			`{ user: "user:b", object: "doc:1", assertions: { viewer: denied } }`,
			"attributes of user:b viewer doc:1 = not restricted, want denied",
			"doc:1#viewer@user:b",
		},
		"a condition that fails": {
			`{ user: "user:c", object: "doc:1", context: { size: many }, assertions: { viewer: denied } }`,
			"attributes of user:c viewer doc:1 = failed: condition sized of tuple doc:1#viewer@user:c",
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			results, _ := run(t, load(t, limited(tc.entry)))
			if len(results[0].Failures) != 1 {
				t.Fatalf("results %+v, want one failure", results)
			}
			f := results[0].Failures[0]
			if got := f.Query + " = " + f.Got + ", want " + f.Want; !strings.HasPrefix(got, tc.got) {
				t.Errorf("failure %q, want %q", got, tc.got)
			}
			if why := strings.Join(f.Why, "\n"); !strings.Contains(why, tc.why) || (tc.why == "") != (why == "") {
				t.Errorf("because\n%s\nwant\n%s", why, tc.why)
			}
		})
	}
}

// A question about attributes covers what the check does.
func TestAttributesCover(t *testing.T) {
	_, summary := run(t, load(t, limited(`{ user: "user:b", object: "doc:1", assertions: { owner: [max_size=2048] } }`)))
	for _, gap := range summary.Gaps {
		if gap.Relation == "doc#owner" {
			t.Errorf("doc#owner: %s: %s", gap.Branch, gap.Missing)
		}
	}
}

func TestFormatAttributes(t *testing.T) {
	whole := check.AttributeSet{{Name: "max_size", Value: tuples.IntValue(800)}, {Name: "format", Value: tuples.StringValue("jpeg")}}
	for want, sets := range map[string][]string{
		"not restricted":              {scenario.FormatAttributeSet(nil)},
		`format="jpeg" max_size=800`:  {scenario.FormatAttributeSet(whole)},
		"max_size=8 | watermark=true": {"watermark=true", "max_size=8"},
		"nothing":                     nil,
	} {
		if got := scenario.FormatAttributes(sets); got != want {
			t.Errorf("%q is written %q, want %q", sets, got, want)
		}
	}
}

func TestAttributeMistakes(t *testing.T) {
	const where = `a.fga.yaml:11: tests[0].attributes[0].assertions.viewer`
	for name, tc := range map[string]struct{ answer, says string }{
		"true":             {"true", where + ` "true": is no answer about attributes; write a list of sets, as in ["max_size=800 watermark=true"], or "not restricted"`},
		"a bare set":       {"max_size=800", where + ` "max_size=800": is no answer about attributes`},
		"a mapping":        {"{ max_size: 800 }", where + ` is no answer about attributes`},
		"no sets":          {"[]", where + ` is no answer about attributes`},
		"an empty set":     {`[""]`, where + `[0] is no set of attributes; write NAME=VALUE, separated by spaces`},
		"words":            {"[not restricted]", where + `[0] "not restricted": is no set of attributes`},
		"a list in a list": {"[[a=1]]", where + `[0] is no set of attributes`},
		"an open quote":    {`["a=\"jpeg"]`, where + `[0] "a=\"jpeg": is no set of attributes`},
		"a bare text":      {"[format=jpeg]", where + `[0] "jpeg": is not a bool, number or string; use one of these, with quotes`},
		"a list as value":  {"[\"a=[1]\"]", where + `[0] "[1]": is not a bool, number or string`},
		"a large number":   {"[max_size=99999999999999999999]", where + `[0] "99999999999999999999": is out of range`},
		"false":            {"[watermark=false max_size=8]", where + `[0] "watermark=false max_size=8": has watermark=false, which restricts nothing and is in no answer; leave it out`},
		"a set twice":      {"[a=1 b=2, b=2 a=1]", where + `[1] "b=2 a=1": is listed twice; keep one of the two`},
	} {
		t.Run(name, func(t *testing.T) {
			archive := folder(t, limited(`{ user: "user:a", object: "doc:1", assertions: { viewer: `+tc.answer+` } }`))
			_, err := scenario.Load(filepath.Join(archive, "a.fga.yaml"))
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("the file fails with\n%v\nwant %s", err, tc.says)
			}
		})
	}
}

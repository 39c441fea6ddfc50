package tuplefile_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuplefile"
	"github.com/usher-authz/usher/tuples"
)

func tuple(t interface{ Fatal(...any) }, text string) *usherv1.Tuple {
	parsed, err := tuples.ParseTuple(text)
	if err != nil {
		t.Fatal(err)
	}
	return wire.FromTuple(parsed)
}

func write(t interface{ Fatal(...any) }, format tuplefile.Format, list ...*usherv1.Tuple) string {
	var file bytes.Buffer
	writer := tuplefile.NewWriter(format, &file)
	for _, m := range list {
		if err := writer.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

func TestWriters(t *testing.T) {
	plain := `media:a,"b"#viewer@group:design#member`
	tagged := `media:logo#viewer@user:anna with tagged {"tag":"<red>"}`
	all := tagged + ` expires 2030-01-02T03:04:05.678Z attributes {"b":2048,"c":2.0}`
	for name, c := range map[string]struct {
		format tuplefile.Format
		tuples []string
		want   string
	}{
		"text":  {tuplefile.Text, []string{plain}, plain + "\n"},
		"jsonl": {tuplefile.JSONLines, []string{plain}, `{"object":{"type":"media","id":"a,\"b\""},"relation":"viewer","subject":{"type":"group","id":"design","relation":"member"}}` + "\n"},
		"csv": {tuplefile.CSV, []string{plain, all}, "object,relation,subject,condition,condition_context,expires,attributes\n" +
			`"media:a,""b""",viewer,group:design#member,,,,` + "\n" +
			`media:logo,viewer,user:anna,tagged,"{""tag"":""<red>""}",2030-01-02T03:04:05.678Z,"{""b"":2048,""c"":2.0}"` + "\n"},
		"csv of nothing": {tuplefile.CSV, nil, "object,relation,subject,condition,condition_context,expires,attributes\n"},
		"openfga": {tuplefile.OpenFGA, []string{plain, tagged}, "[\n" +
			`{"user":"group:design#member","relation":"viewer","object":"media:a,\"b\""}` + ",\n" +
			`{"user":"user:anna","relation":"viewer","object":"media:logo","condition":{"name":"tagged","context":{"tag":"<red>"}}}` + "\n]\n"},
		"openfga of nothing": {tuplefile.OpenFGA, nil, "[]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var list []*usherv1.Tuple
			for _, text := range c.tuples {
				list = append(list, tuple(t, text))
			}
			if got := write(t, c.format, list...); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestOpenFGAHoldsNoExpiryAndNoAttributes(t *testing.T) {
	var file bytes.Buffer
	writer := tuplefile.NewWriter(tuplefile.OpenFGA, &file)
	for _, text := range []string{"media:logo#viewer@user:anna expires 2030-01-02T03:04:05Z", `media:logo#viewer@user:anna attributes {"a":1}`} {
		if err := writer.Write(tuple(t, text)); !errors.Is(err, tuplefile.ErrUnsupported) {
			t.Errorf("%s: error %v, want ErrUnsupported", text, err)
		}
	}
	if err := writer.Close(); err != nil || file.String() != "[]\n" {
		t.Errorf("the file is %q, %v", file.String(), err)
	}
}

// drawTuple draws a valid tuple, with an expiry and attributes if grants says so.
func drawTuple(t *rapid.T, grants bool) *usherv1.Tuple {
	name := rapid.StringMatching(`[a-zäß][a-z0-9_-]{0,8}`)
	id := rapid.StringMatching(`[A-Za-z0-9@/|+=.,;'"\\{}<>&äß語-]{1,12}`)
	text := name.Draw(t, "type") + ":" + id.Draw(t, "id") + "#" + name.Draw(t, "relation") + "@"
	text += rapid.OneOf(
		rapid.Map(id, func(s string) string { return "user:" + s }),
		rapid.Just("user:*"),
		rapid.Map(id, func(s string) string { return "group:" + s + "#member" }),
	).Draw(t, "subject")
	text += rapid.SampledFrom([]string{"", " with tagged", ` with tagged {"at":[1,"a,\"\n",null],"tag":{"x":0.5}}`}).Draw(t, "condition")
	if grants {
		text += rapid.SampledFrom([]string{"", " expires 2030-01-02T03:04:05.678Z"}).Draw(t, "expiry")
		text += rapid.SampledFrom([]string{"", ` attributes {"a":true,"b":-9007199254740993,"c":2.0,"d":"te,\"xt\n"}`}).Draw(t, "attributes")
	}
	return tuple(t, text)
}

// What is written is read back, in every format.
func TestRoundTrip(t *testing.T) {
	for _, name := range tuplefile.Formats() {
		t.Run(name, func(t *testing.T) {
			format, err := tuplefile.ParseFormat(name)
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(t *rapid.T) {
				list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *usherv1.Tuple { return drawTuple(t, format != tuplefile.OpenFGA) }), 0, 5).Draw(t, "tuples")
				reader := tuplefile.NewReader(format, strings.NewReader(write(t, format, list...)))
				for _, want := range list {
					if row, err := reader.Read(); err != nil || row.Err != nil || !proto.Equal(row.Tuple, want) {
						t.Fatalf("%v is read back as %v, %v, %v", want, row.Tuple, row.Err, err)
					}
				}
				if row, err := reader.Read(); err != io.EOF {
					t.Errorf("behind the last tuple comes %v, %v", row, err)
				}
			})
		})
	}
}

// A tuple that the server should never send is not written, and a full disk is told.
func TestWritersTellFailures(t *testing.T) {
	broken := errors.New("no space left")
	for _, name := range tuplefile.Formats() {
		format, err := tuplefile.ParseFormat(name)
		if err != nil {
			t.Fatal(err)
		}
		writer := tuplefile.NewWriter(format, failing{broken})
		if format != tuplefile.JSONLines { // which has no form of its own
			if err := writer.Write(&usherv1.Tuple{}); err == nil {
				t.Errorf("%s: an empty tuple is written", name)
			}
		}
		for range 5_000 { // more than is buffered
			if err = writer.Write(tuple(t, "media:logo#viewer@user:anna")); err != nil {
				break
			}
		}
		if !errors.Is(err, broken) || !errors.Is(writer.Close(), broken) {
			t.Errorf("%s: error %v, want %v from Write and Close", name, err, broken)
		}
	}
}

func TestFormats(t *testing.T) {
	for file, want := range map[string]tuplefile.Format{
		"a.jsonl": tuplefile.JSONLines, "a.ndjson": tuplefile.JSONLines, "b/c.CSV": tuplefile.CSV, "store.fga.yaml": tuplefile.OpenFGA,
		"a.yml": tuplefile.OpenFGA, "a.json": tuplefile.OpenFGA, "tuples.txt": tuplefile.Text,
	} {
		if got, ok := tuplefile.FormatOf(file); !ok || got != want {
			t.Errorf("%s has format %q, want %q", file, got, want)
		}
	}
	for _, file := range []string{"", "-", "jsonl", "a.xlsx", "a.jsonl.gz"} {
		if got, ok := tuplefile.FormatOf(file); ok {
			t.Errorf("%s has format %q", file, got)
		}
	}
	if _, err := tuplefile.ParseFormat("xml"); err == nil || err.Error() != `format "xml" is not known; use one of jsonl, csv, openfga, text` {
		t.Errorf("error %v", err)
	}
}

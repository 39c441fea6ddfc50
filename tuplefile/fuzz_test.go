package tuplefile_test

import (
	"bytes"
	"io"
	"testing"

	"google.golang.org/protobuf/proto"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuplefile"
)

func FuzzText(f *testing.F) {
	fuzz(f, tuplefile.Text, "# all\nmedia:logo#viewer@user:anna with c {\"a\":1} expires 2030-01-02T03:04:05Z attributes {\"a\":1}\n", "\n", "a:b#c")
}

func FuzzJSONLines(f *testing.F) {
	fuzz(f, tuplefile.JSONLines, `{"object":{"type":"media","id":"logo"},"relation":"viewer","subject":{"type":"user","id":"*"},"condition":{"name":"c","context":{"a":[1]}},"expiresAt":"2030-01-02T03:04:05Z","attributes":{"a":{"intValue":"1"}}}`+"\n{}", "[]\n{", "\ufeff")
}

func FuzzCSV(f *testing.F) {
	fuzz(f, tuplefile.CSV, "object,relation,subject,condition,condition_context,expires,attributes\nmedia:logo,viewer,user:anna,c,\"{\"\"a\"\":1}\",2030-01-02T03:04:05Z,\"{\"\"a\"\":1}\"\n",
		"object_type,object_id,relation,subject_type,subject_id,subject_relation\nmedia,logo,viewer,group,design,member\n\"\n", "user_type,relation", "object,relation,subject\n\"a\r\"\n,,\n")
}

func FuzzOpenFGA(f *testing.F) {
	fuzz(f, tuplefile.OpenFGA, `[{"user":"user:anna","relation":"viewer","object":"media:logo","condition":{"name":"c","context":{"a":1}},"expires":"2030-01-02T03:04:05Z","attributes":{"a":1}}, 7]`,
		"{\"tuples\":[{\"key\":{\"user\":\"user:anna\",\"relation\":\"viewer\",\"object\":\"media:logo\"}}],\"more\":{}}\n[]", "name: x\ntuples:\n  - &a {user: 'user:anna', relation: viewer, object: 'media:logo'}\n  - *a\n---\n- {}\n", "---\n", "{", "- !!int a")
}

// fuzz reads files of any bytes. Each row is a tuple or has an error, lines only go on, a
// file comes to its end, and what is a valid tuple is written and read back.
func fuzz(f *testing.F, format tuplefile.Format, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		reader := tuplefile.NewReader(format, bytes.NewReader(file))
		var valid []*usherv1.Tuple
		last := int64(1)
		for {
			row, err := reader.Read()
			if err != nil {
				break
			}
			if (row.Tuple == nil) == (row.Err == nil) {
				t.Fatalf("line %d has tuple %v and error %v", row.Line, row.Tuple, row.Err)
			}
			if row.Line < last && format != tuplefile.OpenFGA { // YAML refers back
				t.Fatalf("line %d follows line %d", row.Line, last)
			}
			last = row.Line
			if row.Err == nil {
				if _, err := wire.ToTuple(row.Tuple); err == nil {
					valid = append(valid, row.Tuple)
				} else if format != tuplefile.JSONLines { // of which the form alone is judged
					t.Fatalf("line %d is no tuple: %v", row.Line, err)
				}
			}
		}
		again := tuplefile.NewReader(tuplefile.CSV, bytes.NewReader([]byte(write(t, tuplefile.CSV, valid...))))
		for _, want := range valid {
			row, err := again.Read()
			if err != nil || row.Err != nil || !same(t, row.Tuple, want) {
				t.Fatalf("%v is read back as %v, %v, %v", want, row.Tuple, row.Err, err)
			}
		}
		if _, err := again.Read(); err != io.EOF {
			t.Fatalf("behind the last tuple comes %v", err)
		}
	})
}

// same compares what tuples say: an empty context is none, and times are in milliseconds.
func same(t *testing.T, a, b *usherv1.Tuple) bool {
	x, err := wire.ToTuple(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := wire.ToTuple(b)
	if err != nil {
		t.Fatal(err)
	}
	return x.Key == y.Key && x.Grant.Equal(y.Grant) && proto.Equal(wire.FromTuple(x), wire.FromTuple(y))
}

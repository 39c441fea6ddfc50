package examples

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	got, err := parse("# people\n\nmedia:logo#viewer@user:anna\n  media:logo#editor@user:bert attributes {\"n\":1}\r\n  # end")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].String() != "media:logo#viewer@user:anna" || got[1].String() != `media:logo#editor@user:bert attributes {"n":1}` {
		t.Errorf("parse = %v", got)
	}
}

func TestParseNamesTheLine(t *testing.T) {
	_, err := parse("# people\n\nmedia:logo#viewer\n")
	if err == nil || !strings.HasPrefix(err.Error(), "line 3: ") {
		t.Errorf("parse fails with %v, want an error of line 3", err)
	}
}

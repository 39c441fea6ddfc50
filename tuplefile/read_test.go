package tuplefile_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuplefile"
)

// read reads a file to its end, and returns each row as "line: tuple" or "line! error".
func read(t *testing.T, format tuplefile.Format, text string) (rows []string, err error) {
	t.Helper()
	reader := tuplefile.NewReader(format, strings.NewReader(text))
	for {
		row, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return rows, err
		case row.Err != nil:
			rows = append(rows, fmt.Sprintf("%d! %v", row.Line, row.Err))
			continue
		}
		tuple, err := wire.ToTuple(row.Tuple)
		if err != nil {
			t.Errorf("line %d: %v", row.Line, err)
		}
		rows = append(rows, fmt.Sprintf("%d: %s", row.Line, tuple))
	}
}

func TestReaders(t *testing.T) {
	const (
		anna   = "media:logo#viewer@user:anna"
		design = "media:logo#viewer@group:design#member"
		all    = `media:logo#viewer@user:anna with office_hours {"days":["mo",null],"from":9} expires 2030-01-02T03:04:05.678Z attributes {"a":true,"b":2048,"c":2.5,"d":"x"}`
	)
	for name, c := range map[string]struct {
		format tuplefile.Format
		text   string
		want   []string
	}{
		"text":                            {tuplefile.Text, "# shares\n\n" + anna + "\r\n  " + all + "\n", []string{"3: " + anna, "4: " + all}},
		"text without a last end of line": {tuplefile.Text, anna, []string{"1: " + anna}},
		"text with a byte order mark":     {tuplefile.Text, "\ufeff" + anna, []string{"1: " + anna}},
		"text of nothing":                 {tuplefile.Text, "", nil},

		"jsonl": {tuplefile.JSONLines, `{"object":{"type":"media","id":"logo"},"relation":"viewer","subject":{"type":"user","id":"anna"}}

 {"object": {"type": "media", "id": "logo"}, "relation": "viewer", "subject": {"type": "group", "id": "design", "relation": "member"}}
{"object":{"type":"media","id":"logo"},"relation":"viewer","subject":{"type":"user","id":"anna"},"condition":{"name":"office_hours","context":{"days":["mo",null],"from":9}},"expiresAt":"2030-01-02T03:04:05.678Z","attributes":{"a":{"boolValue":true},"b":{"intValue":"2048"},"c":{"doubleValue":2.5},"d":{"stringValue":"x"}}}
`, []string{"1: " + anna, "3: " + design, "4: " + all}},
		"jsonl with the names of the API": {tuplefile.JSONLines,
			`{"object":{"type":"media","id":"logo"},"relation":"viewer","subject":{"type":"user","id":"anna"},"expires_at":"2030-01-02T03:04:05Z"}`,
			[]string{"1: " + anna + " expires 2030-01-02T03:04:05Z"}},

		"csv":                       {tuplefile.CSV, "object,relation,subject\nmedia:logo,viewer,user:anna\n\nmedia:logo,viewer,group:design#member\n", []string{"2: " + anna, "4: " + design}},
		"csv in another order":      {tuplefile.CSV, "\ufeffSubject, Object ,relation\r\nuser:anna, media:logo ,viewer\r\n", []string{"2: " + anna}},
		"csv with quotes":           {tuplefile.CSV, "object,relation,subject\n\"media:a,\"\"b\"\"\",viewer,user:anna", []string{`2: media:a,"b"#viewer@user:anna`}},
		"csv in parts":              {tuplefile.CSV, "object_type,object_id,relation,subject_type,subject_id,subject_relation\nmedia,logo,viewer,user,anna,\nmedia,logo,viewer,group,design,member\n", []string{"2: " + anna, "3: " + design}},
		"csv of OpenFGA":            {tuplefile.CSV, "user_type,user_id,user_relation,relation,object_type,object_id,condition_name,condition_context\nuser,anna,,viewer,media,logo,,\nuser,anna,,viewer,media,logo,tagged,\"{\"\"tag\"\":\"\"red\"\"}\"\n", []string{"2: " + anna, "3: " + anna + ` with tagged {"tag":"red"}`}},
		"csv of nothing":            {tuplefile.CSV, "object,relation,subject\n", nil},
		"csv with all that a tuple": {tuplefile.CSV, "object,relation,subject,condition,condition_context,expires,attributes\n" + `media:logo,viewer,user:anna,office_hours,"{""days"":[""mo"",null],""from"":9}",2030-01-02T03:04:05.678Z,"{""a"":true,""b"":2048,""c"":2.5,""d"":""x""}"`, []string{"2: " + all}},

		"openfga list in JSON": {tuplefile.OpenFGA, "\n[\n{\"user\":\"user:anna\",\n\"relation\":\"viewer\",\"object\":\"media:logo\"},\n {\"user\":\"group:design#member\",\"relation\":\"viewer\",\"object\":\"media:logo\"}]\n",
			[]string{"3: " + anna, "5: " + design}},
		"openfga answer of Read": {tuplefile.OpenFGA, `{"continuation_token":"x","tuples":[{"key":{"user":"user:anna","relation":"viewer","object":"media:logo","condition":null},"timestamp":"2026-01-01T00:00:00Z"}],"more":{"tuples":[1]}}`,
			[]string{"1: " + anna}},
		"openfga answers one after the other": {tuplefile.OpenFGA, "{\"tuples\":[]}\n{\"tuples\":[{\"user\":\"user:anna\",\"relation\":\"viewer\",\"object\":\"media:logo\"}]}\n[]", []string{"2: " + anna}},
		"openfga empty list in JSON":          {tuplefile.OpenFGA, "[]", nil},
		"openfga with a byte order mark":      {tuplefile.OpenFGA, "\ufeff[]", nil},
		"openfga with all that Usher adds": {tuplefile.OpenFGA, `[{"user":"user:anna","relation":"viewer","object":"media:logo","condition":{"name":"office_hours","context":{"days":["mo",null],"from":9}},"expires":"2030-01-02T03:04:05.678Z","attributes":{"a":true,"b":2048,"c":2.5,"d":"x"}}]`,
			[]string{"1: " + all}},
		"openfga list in YAML": {tuplefile.OpenFGA, "# shares\n- user: user:anna\n  relation: viewer\n  object: media:logo\n- { user: 'group:design#member', relation: viewer, object: 'media:logo' }\n",
			[]string{"2: " + anna, "5: " + design}},
		"openfga store file": {tuplefile.OpenFGA, "name: library\nmodel_file: model.fga\ntuples:\n  - user: user:anna\n    relation: viewer\n    object: media:logo\n    condition:\n      name: office_hours\n      context: { days: [mo, null], from: 9 }\n    expires: 2030-01-02T03:04:05.678Z\n    attributes: { a: true, b: 2048, c: 2.5, d: x }\ntests: []\n",
			[]string{"4: " + all}},
		"openfga documents of YAML": {tuplefile.OpenFGA, "- { user: 'user:anna', relation: viewer, object: 'media:logo' }\n---\ntuples: []\n---\n- { user: 'group:design#member', relation: viewer, object: 'media:logo' }\n",
			[]string{"1: " + anna, "5: " + design}},
		"openfga entries by reference": {tuplefile.OpenFGA, "- &one { user: 'user:anna', relation: viewer, object: 'media:logo' }\n- *one\n", []string{"1: " + anna, "2: " + anna}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(t, c.format, c.text)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// A row that is no tuple is told with its line, its text and a reason; the rows around it
// are read.
func TestBadRows(t *testing.T) {
	const good = `{"object":{"type":"media","id":"logo"},"relation":"viewer","subject":{"type":"user","id":"anna"}}`
	inList := func(entry string) string {
		const good = `{"user":"user:anna","relation":"viewer","object":"media:logo"}`
		return "[" + good + ",\n" + entry + ",\n" + good + "]"
	}
	inYAML := func(entry string) string {
		const good = "- {user: 'user:anna', relation: viewer, object: 'media:logo'}\n"
		return good + entry + "\n" + good
	}
	inCSV := func(row string) string {
		const good = "media:logo,viewer,user:anna,,,,"
		return "object,relation,subject,condition,condition_context,expires,attributes\n" + good + "\n" + row + "\n" + good
	}
	inLines := func(good, row string) string { return good + "\n" + row + "\n" + good }
	inJSONL := func(row string) string { return inLines(good, row) }
	inText := func(row string) string { return inLines("media:logo#viewer@user:anna", row) }

	for name, c := range map[string]struct {
		format tuplefile.Format
		wrap   func(string) string
		row    string
		says   string
	}{
		"text without a subject": {tuplefile.Text, inText, "media:logo#viewer", "is not a tuple; write object#relation@subject"},
		"text in Latin-1":        {tuplefile.Text, inText, "media:f\xfcnf#viewer@user:anna", "is not UTF-8; save the file in that encoding"},
		"text that is too long":  {tuplefile.Text, inText, "media:" + strings.Repeat("x", 3<<20) + "#viewer@user:anna", "is longer than 1048576 bytes"},

		"jsonl that is no JSON":          {tuplefile.JSONLines, inJSONL, `{"object":`, `is no tuple in JSON: unexpected EOF; write {"object": `},
		"jsonl of another shape":         {tuplefile.JSONLines, inJSONL, `{"object":"media:logo"}`, `is no tuple in JSON: syntax error (column 11): unexpected token "media:logo"; write`},
		"jsonl with a long value":        {tuplefile.JSONLines, inJSONL, `{"object":"` + strings.Repeat("é", 1000) + `"}`, strings.Repeat("é", 58) + `…; write {"object": {`},
		"jsonl with an unknown field":    {tuplefile.JSONLines, inJSONL, `{"objects":{}}`, `unknown field "objects"; write {"object": {`},
		"jsonl with two values":          {tuplefile.JSONLines, inJSONL, good + good, "is no tuple in JSON"},
		"jsonl with a number too large":  {tuplefile.JSONLines, inJSONL, `{"attributes":{"a":{"intValue":"99999999999999999999"}}}`, "invalid value for int64"},
		"jsonl with a time that is none": {tuplefile.JSONLines, inJSONL, `{"expiresAt":"tomorrow"}`, "invalid google.protobuf.Timestamp"},

		"csv with too few values":        {tuplefile.CSV, inCSV, "media:logo,viewer", "has 2 values, and the header 7; write one for each column"},
		"csv with too many values":       {tuplefile.CSV, inCSV, "media:logo,viewer,user:anna,,,,,", "has 8 values, and the header 7"},
		"csv with a quote left open":     {tuplefile.CSV, inCSV, `media:logo,viewer,"user:anna,,,,`, "is no row of CSV: "},
		"csv with a quote in the middle": {tuplefile.CSV, inCSV, `media:logo,viewer,user:"anna",,,,`, `is no row of CSV: bare "`},
		"csv with an empty value":        {tuplefile.CSV, inCSV, ",viewer,user:anna,,,,", `object "": has no ':'`},
		"csv with a bad subject":         {tuplefile.CSV, inCSV, "media:logo,viewer,anna,,,,", `subject "anna": has no ':'`},
		"csv with a bad relation":        {tuplefile.CSV, inCSV, "media:logo,vi:ewer,user:anna,,,,", `relation "vi:ewer"`},
		"csv with a context alone":       {tuplefile.CSV, inCSV, `media:logo,viewer,user:anna,,"{""a"":1}",,`, `condition_context "{\"a\":1}": is there without a condition`},
		"csv with a context of a list":   {tuplefile.CSV, inCSV, `media:logo,viewer,user:anna,tagged,[1],,`, `condition_context "[1]": is not a JSON object: unexpected array; write an object`},
		"csv with a time that is none":   {tuplefile.CSV, inCSV, "media:logo,viewer,user:anna,,,tomorrow,", `expires "tomorrow": is not a time; write RFC 3339`},
		"csv with a time before 1970":    {tuplefile.CSV, inCSV, "media:logo,viewer,user:anna,,,1969-01-01T00:00:00Z,", "is out of range"},
		"csv with attributes of a list":  {tuplefile.CSV, inCSV, `media:logo,viewer,user:anna,,,,"{""a"":[1]}"`, "attributes.a"},
		"csv with attributes and more":   {tuplefile.CSV, inCSV, `media:logo,viewer,user:anna,,,,{} {}`, "something follows the value"},
		"csv with attributes too large":  {tuplefile.CSV, inCSV, `media:logo,viewer,user:anna,,,,"{""a"":1e999}"`, "attributes.a"},

		"openfga without a user":               {tuplefile.OpenFGA, inList, `{"relation":"viewer","object":"media:logo"}`, `user "": is missing; write for example user:anna`},
		"openfga without a relation":           {tuplefile.OpenFGA, inList, `{"user":"user:anna","object":"media:logo"}`, `relation "": is missing`},
		"openfga without an object":            {tuplefile.OpenFGA, inList, `{"user":"user:anna","relation":"viewer"}`, `object "": is missing`},
		"openfga with a bad object":            {tuplefile.OpenFGA, inList, `{"user":"user:anna","relation":"viewer","object":"logo"}`, `object "logo": has no ':'`},
		"openfga with a bad user":              {tuplefile.OpenFGA, inList, `{"user":"anna","relation":"viewer","object":"media:logo"}`, `subject "anna": has no ':'`},
		"openfga with an unknown key":          {tuplefile.OpenFGA, inList, `{"subject":"user:anna"}`, `is no tuple of OpenFGA: unknown field "subject"`},
		"openfga with a number":                {tuplefile.OpenFGA, inList, `7`, `is no tuple of OpenFGA: unexpected number; write {"user": `},
		"openfga with a list as user":          {tuplefile.OpenFGA, inList, `{"user":["user:anna"]}`, `is no tuple of OpenFGA: unexpected array as user; write {"user": `},
		"openfga with null":                    {tuplefile.OpenFGA, inList, `null`, "is missing"},
		"openfga in Latin-1":                   {tuplefile.OpenFGA, inList, "{\"user\":\"user:\xfc\"}", "is not UTF-8"},
		"openfga with a condition of no name":  {tuplefile.OpenFGA, inList, `{"user":"user:anna","relation":"viewer","object":"media:logo","condition":{}}`, "condition.name"},
		"openfga with a bad context":           {tuplefile.OpenFGA, inList, `{"user":"user:anna","relation":"viewer","object":"media:logo","condition":{"name":"a","context":[]}}`, "condition_context"},
		"openfga with a bad time":              {tuplefile.OpenFGA, inList, `{"user":"user:anna","relation":"viewer","object":"media:logo","expires":"x"}`, `expires "x": is not a time`},
		"openfga with bad attributes":          {tuplefile.OpenFGA, inList, `{"user":"user:anna","relation":"viewer","object":"media:logo","attributes":{"a":null}}`, "attributes.a"},
		"openfga in YAML with an unknown key":  {tuplefile.OpenFGA, inYAML, "- {usr: a}", `unknown field "usr"`},
		"openfga in YAML with another kind":    {tuplefile.OpenFGA, inYAML, "- media:logo#viewer@user:anna", "is no tuple of OpenFGA"},
		"openfga in YAML with what JSON lacks": {tuplefile.OpenFGA, inYAML, "- {user: .nan}", "has what JSON does not"},
		"openfga in YAML with a bad tag":       {tuplefile.OpenFGA, inYAML, "- {user: !!int anna}", "cannot decode"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := read(t, c.format, c.wrap(c.row))
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) != 3 || strings.Contains(rows[0], "!") || strings.Contains(rows[2], "!") {
				t.Fatalf("got rows\n%s", strings.Join(rows, "\n"))
			}
			if !strings.Contains(rows[1], c.says) || !strings.Contains(rows[1], "! ") {
				t.Errorf("got %s, want an error that says %q", rows[1], c.says)
			}
		})
	}
}

// What is wrong with a file as a whole ends it.
func TestBadFiles(t *testing.T) {
	const good = `{"user":"user:anna","relation":"viewer","object":"media:logo"}`
	for name, c := range map[string]struct {
		format     tuplefile.Format
		text, says string
		rows       int // that come before it
	}{
		"csv of nothing at all":         {tuplefile.CSV, "\n\n", "the file is empty; begin it with a line of column names", 0},
		"csv with another separator":    {tuplefile.CSV, "object;relation;subject\n", `column "object;relation;subject" of the header is not known; separate by commas`, 0},
		"csv with a column twice":       {tuplefile.CSV, "object,relation,subject,Object\n", `column "object" stands twice`, 0},
		"csv with a column in two ways": {tuplefile.CSV, "object,relation,subject,condition,condition_name\n", `are the same; leave one out`, 0},
		"csv without an object":         {tuplefile.CSV, "relation,subject\n", "needs the column object, or the columns object_type and object_id", 0},
		"csv with half an object":       {tuplefile.CSV, "object_type,relation,subject\n", "needs the column object, or", 0},
		"csv with a subject twice":      {tuplefile.CSV, "object,relation,subject,user_type,user_id\n", "needs the column subject, or the columns subject_type and subject_id, and not both", 0},
		"csv with a relation alone":     {tuplefile.CSV, "object,relation,subject,subject_relation\n", "and not both", 0},
		"csv without a relation":        {tuplefile.CSV, "object,subject\n", "needs the column relation", 0},
		"csv with a broken header":      {tuplefile.CSV, "object,\"relation\n", "the header: ", 0},
		"csv with a header in Latin-1":  {tuplefile.CSV, "object,relation,subj\xfcct\n", "the header: is not UTF-8", 0},

		"openfga of nothing at all":        {tuplefile.OpenFGA, " \n", "the file is empty; write a list", 0},
		"openfga object without tuples":    {tuplefile.OpenFGA, `{"name":"library"}`, `there is no key "tuples"`, 0},
		"openfga tuples that are no list":  {tuplefile.OpenFGA, `{"tuples":{}}`, `"tuples" is no list`, 0},
		"openfga tuples twice":             {tuplefile.OpenFGA, `{"tuples":[` + good + `],"tuples":[]}`, "stands twice", 1},
		"openfga with another file":        {tuplefile.OpenFGA, `{"tuples":[` + good + `],"tuple_file":"more.json"}`, "tuple_file is not followed; import the files", 1},
		"openfga with something behind":    {tuplefile.OpenFGA, `[` + good + "]\n7", "line 2: 7 is no list of tuples", 1},
		"openfga that ends in a list":      {tuplefile.OpenFGA, `[` + good, "line 1: the file ends within a value; is it complete?", 1},
		"openfga that ends in a tuple":     {tuplefile.OpenFGA, "[" + good + ",\n{\"user\":", "the file ends within a value", 1},
		"openfga that ends in an object":   {tuplefile.OpenFGA, `{"tuples":[` + good + `]`, "the file ends within a value", 1},
		"openfga that ends before a value": {tuplefile.OpenFGA, `{"tuples":`, "the file ends within a value", 0},
		"openfga that is no JSON":          {tuplefile.OpenFGA, "[" + good + ",\n\n{user: anna}]", "line 3: invalid character 'u'", 1},

		"openfga YAML without tuples":     {tuplefile.OpenFGA, "name: library\n", `there is no key "tuples"`, 0},
		"openfga YAML with another file":  {tuplefile.OpenFGA, "name: library\ntuple_file: more.yaml\n", "line 2: tuple_file is not followed", 0},
		"openfga YAML that is no list":    {tuplefile.OpenFGA, "tuples:\n  logo: viewer\n", "line 2: tuples is no list", 0},
		"openfga YAML that is a text":     {tuplefile.OpenFGA, "media:logo#viewer@user:anna\n", "is no list of tuples; write one entry a line", 0},
		"openfga YAML that is no YAML":    {tuplefile.OpenFGA, "- {user: anna\n", "yaml: line ", 0},
		"openfga YAML in a second part":   {tuplefile.OpenFGA, "- {user: 'user:anna', relation: viewer, object: 'media:logo'}\n---\nname: x\n", `there is no key "tuples"`, 1},
		"openfga YAML of an empty part":   {tuplefile.OpenFGA, "---\n---\n", "is no list of tuples", 0},
		"openfga YAML that is not closed": {tuplefile.OpenFGA, "tuples: [", "yaml: ", 0},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := read(t, c.format, c.text)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
			if len(rows) != c.rows {
				t.Errorf("%d rows come before it, want %d", len(rows), c.rows)
			}
		})
	}
}

// The text of a row can be repaired and imported again.
func TestRowsCarryTheirText(t *testing.T) {
	for name, c := range map[string]struct {
		format tuplefile.Format
		text   string
		want   string
	}{
		"text":            {tuplefile.Text, "  media:logo#viewer \r\n", "media:logo#viewer"},
		"jsonl":           {tuplefile.JSONLines, `{ "objects":{} }` + "\n", `{ "objects":{} }`},
		"csv":             {tuplefile.CSV, "object,relation,subject\n\"media:a,b\", viewer,anna", `"media:a,b", viewer,anna`},
		"openfga":         {tuplefile.OpenFGA, `[ { "user" : "anna" } ]`, `{ "user" : "anna" }`},
		"openfga in YAML": {tuplefile.OpenFGA, "- user: anna\n  relation: <b>\n", `{"relation":"<b>","user":"anna"}`},
		"a line too long": {tuplefile.Text, strings.Repeat("x", 2<<20), strings.Repeat("x", 1<<10)},
	} {
		t.Run(name, func(t *testing.T) {
			row, err := tuplefile.NewReader(c.format, strings.NewReader(c.text)).Read()
			if err != nil || row.Err == nil || row.Text != c.want {
				t.Errorf("text %q, %v, want %q with an error", row.Text, err, c.want)
			}
		})
	}
}

// A file that cannot be read is told as such, in every format.
func TestFailuresBelowComeThrough(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, name := range tuplefile.Formats() {
		format, err := tuplefile.ParseFormat(name)
		if err != nil {
			t.Fatal(err)
		}
		reader := tuplefile.NewReader(format, io.MultiReader(strings.NewReader("["), failing{broken}))
		for err = nil; err == nil; {
			_, err = reader.Read()
		}
		if !strings.Contains(err.Error(), broken.Error()) {
			t.Errorf("%s: error %v, want %v", name, err, broken)
		}
	}
}

// failing fails whatever is asked of it.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

package main

import "testing"

func TestMessagesSpeakOfFlags(t *testing.T) {
	tests := map[string]struct{ message, want string }{
		"a field":           {`relation "x": is unknown`, `relation "x": is unknown`},
		"a field of a flag": {`given_by "x": is set without explain; set explain too`, `--given-by "x": is set without explain; set --explain too`},
		"a field of a list": {`filters[0].relation "x": is unknown`, `--relation "x": is unknown`},
		"each line":         {"from \"a\": is no time\nuntil \"b\": is no time", "--from \"a\": is no time\n--until \"b\": is no time"},
		"a value with quotes": {
			`source_address "a \"b\": c": is no text`, `--source-address "a \"b\": c": is no text`,
		},
		"the user's own words":       {`--to user:anna "user:anna": is given twice`, `--to user:anna: is given twice`},
		"own words that say no more": {`media:logo "media:logo": is given twice`, `media:logo: is given twice`},
		"own words of another value": {`--to user:anna "user:bert": is not she`, `--to user:anna "user:bert": is not she`},
		"no value":                   {`objects "": is empty`, `objects "": is empty`},
		"no field":                   {"the server is shutting down", "the server is shutting down"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := inFlags(test.message); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

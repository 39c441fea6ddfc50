package main

import (
	"regexp"
	"strings"
)

// flagOf tells by which flag or argument the user sets a field of a request. Fields that
// are called like the argument, such as object and relation, need none; those of lists
// are written without the number of the item.
var flagOf = map[string]string{
	"after":                         "--after",
	"consistency.at_least_as_fresh": "--token",
	"consistency.at_time":           "--at",
	"consistency.exactly":           "--exactly",
	"contained_by":                  "--contained-by",
	"contained_by.object_type":      "--contained-by",
	"contained_by.relation":         "--contained-by",
	"contents":                      "--contents",
	"contents.object_type":          "--contents",
	"contents.relation":             "--contents",
	"context":                       "--context",
	"deleted_at":                    "TOKEN",
	"filter.object_type":            "type of the object",
	"filter.relation":               "--relation",
	"filter.subject_relation":       "relation of the subject",
	"filter.subject_type":           "type of the subject",
	"filters.object_type":           "type of the object",
	"filters.relation":              "--relation",
	"filters.subject_relation":      "relation of the subject",
	"filters.subject_type":          "type of the subject",
	"from":                          "--from",
	"given_by":                      "--given-by",
	"header.checkpoint_rows":        "--checkpoint",
	"header.metadata":               "--message",
	"metadata":                      "--message",
	"page_size":                     "--limit",
	"recipient":                     "--recipient",
	"recipient.relation":            "--recipient",
	"recipient.type":                "--recipient",
	"relations":                     "--relations",
	"relations.inherits":            "--relation",
	"relations.relation":            "--relation",
	"request_id":                    "--request-id",
	"source_address":                "--source-address",
	"subject_relation":              "relation of the subjects",
	"subject_type":                  "type of the subjects",
	"until":                         "--until",
}

// commandOf has this program's words for what messages of the server recommend.
var commandOf = strings.NewReplacer(
	"ModelService.ReadModel returns those there are", "usher model read prints those there are",
	"SNAPSHOT_MODE_ALWAYS", "--snapshot always",
	"SNAPSHOT_MODE_IF_BEHIND", "--snapshot if-behind",
	"set explain too", "set --explain too",
)

// fieldLine finds the field and the value in a line about a field that is refused:
// `filters[0].relation "flier": is not …`.
var fieldLine = regexp.MustCompile(`^(.+?) "((?:[^"\\]|\\.)*)": `)

// itemNumber finds the number of an item of a list.
var itemNumber = regexp.MustCompile(`\[\d+\]`)

// inFlags makes a message of the server speak of flags and commands instead of fields and
// RPCs. Where the user's own words stand for the field already, as in `--to user:anna
// "user:anna"`, the value is not said twice.
func inFlags(message string) string {
	lines := strings.Split(commandOf.Replace(message), "\n")
	for i, line := range lines {
		found := fieldLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		field, value := found[1], found[2]
		rest := line[len(found[0]):]
		flag, known := flagOf[itemNumber.ReplaceAllString(field, "")]
		switch {
		case known:
			lines[i] = flag + line[len(field):]
		case value != "" && (field == value || strings.HasSuffix(field, " "+value)):
			lines[i] = field + ": " + rest
		}
	}
	return strings.Join(lines, "\n")
}

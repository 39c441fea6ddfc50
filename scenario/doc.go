// Package scenario reads and runs scenario files: a model, tuples, and what must
// follow from them. [Load] a file, then [Run] it; or [Open] it and ask one thing
// after the other. usher test is its command.
//
// A file is YAML in OpenFGA's store file format (openfga.dev, "Store File Format"):
//
//	name: Kessler
//	model_file: model.fga            # or model: | and the model itself
//	tuple_file: tuples.txt           # or tuple_files: […], or tuples: […]; all of them count
//	at: 2026-12-01T09:00:00Z
//	tests:
//	  - name: what it shows
//	    tuples:                      # hold for this test alone; tuple_file and tuple_files too
//	      - { user: "user:anna", relation: viewer, object: "media:logo" }
//	    check:
//	      - user: user:anna          # or users: […]
//	        object: media:logo       # or objects: […]
//	        context: { size: 1 }
//	        assertions: { can_view: true, can_edit: false }
//	    list_objects:
//	      - { user: "user:anna", type: media, assertions: { can_view: [media:logo] } }
//	    list_users:
//	      - object: media:logo
//	        user_filter: [{ type: group, relation: member }]
//	        assertions: { can_view: { users: [group:design#member] } }
//
// Beyond that format, Usher's files have:
//
//   - at, of the file or of one test: the clock reading to answer at;
//   - expires and attributes of a tuple; tuple files that end in .txt have tuples in
//     their text form, one a line, between empty lines and lines that begin with "#";
//   - users and objects of a check, which ask for each of them;
//   - answers that are more than true or false: "conditional: size,kind" of a check,
//     "media:logo (conditional: size)" and "user:bert (denied)" in lists;
//   - explanations: why a check is answered as it is, see [Why];
//   - attributes: under which restrictions a check is allowed, see [Attributes];
//   - share_summaries: with whom objects are shared and as what, see [Shares].
//
// Metadata of a write is not among them: it goes into the change log, where watchers and
// histories have it, and no answer depends on it, so there is nothing that a test of
// answers could assert. What answers tell of a grant is its attributes.
//
// A key that is not known is refused, and so is a test that asserts nothing, a relation
// that the model lacks, and a tuple that the model forbids.
//
//	file.go         what a file holds, and how it is loaded
//	reader.go       values of YAML, with the line of each fault
//	entries.go      the tests of a file
//	answers.go      what they assert
//	tuples.go       tuples and files of tuples
//	question.go     questions and answers as text
//	library.go      a file's tuples in a store, to be asked
//	explanation.go  explanations as text
//	attributes.go   under which restrictions a check is allowed
//	shares.go       with whom objects are shared
//	run.go          results
//	coverage.go     what of the model the answers rested on
//	branches.go     the parts of a model that coverage counts
package scenario

// Package tuplefile reads and writes files of tuples, as large as they may be: [NewReader]
// yields one row at a time, [NewWriter] takes one tuple at a time. What a Writer writes, the
// Reader of the same format reads back.
//
//	text     media:logo#viewer@user:anna, one a line; lines that begin with "#" are skipped
//	jsonl    the JSON form of usher.v1.Tuple, one a line
//	csv      a line of column names, then one tuple a line
//	openfga  a list of {user, relation, object, condition}, in JSON or YAML
//
// The columns of csv are object, relation and subject, in text form, and if wanted condition,
// condition_context (JSON), expires (RFC 3339) and attributes (JSON). In place of object can
// stand object_type and object_id, and in place of subject its _type, _id and _relation, which
// OpenFGA calls user_type and so on.
//
// openfga is what OpenFGA's command line reads and writes: a list of tuples, the tuples of a
// store file (*.fga.yaml), and the answer of its Read, which has each tuple below "key".
// What a scenario file may add to a tuple is read too: expires and attributes.
//
// A row that is no tuple does not end the file: it comes with an error, and the next one
// follows. Rows of lines (text, jsonl, csv) end with their line, whatever quotes are open.
//
// Files of lines and JSON are read piece by piece, in memory that does not grow with the
// file. Of YAML the library holds a whole document, some 2 KB for each tuple.
package tuplefile

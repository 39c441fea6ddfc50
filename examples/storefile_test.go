package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/usher-authz/usher/tuples"
)

// storeFile is a *.fga.yaml: the scenarios of an example, in OpenFGA's store file
// format (openfga.dev, "Store File Format"). Ours beyond it are: "at"; "expires" of a
// tuple; and answers other than true and false, see [asserted] and [parseListed].
type storeFile struct {
	Name      string
	ModelFile string    `yaml:"model_file"`
	TupleFile string    `yaml:"tuple_file"`
	At        time.Time // the clock reading of the tests that name none
	Tests     []scenario
}

// scenario is one entry of tests.
type scenario struct {
	Name        string
	At          time.Time
	Tuples      []fileTuple // hold for this scenario alone
	Check       []checkTest
	ListObjects []listObjectsTest `yaml:"list_objects"`
	ListUsers   []listUsersTest   `yaml:"list_users"`
}

type fileTuple struct {
	User, Relation, Object string
	Condition              *struct {
		Name    string
		Context fileContext
	}
	Expires time.Time
}

// checkTest asks each relation of each user and object.
type checkTest struct {
	User, Object   string
	Users, Objects []string
	Context        fileContext
	Assertions     map[string]asserted
}

type listObjectsTest struct {
	User, Type string
	Context    fileContext
	Assertions map[string][]string
}

type listUsersTest struct {
	Object     string
	UserFilter []struct{ Type, Relation string } `yaml:"user_filter"`
	Context    fileContext
	Assertions map[string]struct{ Users []string }
}

// fileContext is a context as YAML has it, turned into the shapes of JSON.
type fileContext tuples.Context

func (c *fileContext) UnmarshalYAML(node *yaml.Node) error {
	var values map[string]any
	if err := node.Decode(&values); err != nil {
		return err
	}
	text, err := json.Marshal(values)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, c)
}

// asserted is the answer to a check as [checktest.Question.Ask] gives it. A file has
// true, false, or a text such as "conditional: proofs".
type asserted string

func (a *asserted) UnmarshalYAML(node *yaml.Node) error {
	var allowed bool
	if node.Decode(&allowed) == nil {
		*a = "denied"
		if allowed {
			*a = "allowed"
		}
		return nil
	}
	if node.Kind != yaml.ScalarNode || !strings.HasPrefix(node.Value, "conditional: ") {
		return fmt.Errorf(`line %d: an assertion is true, false or "conditional: NAME,NAME"`, node.Line)
	}
	*a = asserted(node.Value)
	return nil
}

// readStoreFile reads a store file. A key that it does not know is an error, so that
// no assertion is passed over.
func readStoreFile(path string) (storeFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return storeFile{}, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var file storeFile
	if err := decoder.Decode(&file); err != nil {
		return storeFile{}, fmt.Errorf("%s: %w", path, err)
	}
	for i := range file.Tests {
		if file.Tests[i].At.IsZero() {
			file.Tests[i].At = file.At
		}
	}
	return file, nil
}

// contextual returns the tuples that hold for this scenario alone.
func (s scenario) contextual() ([]tuples.Tuple, error) {
	var parsed []tuples.Tuple
	for _, t := range s.Tuples {
		key, err := tuples.ParseKey(t.Object + "#" + t.Relation + "@" + t.User)
		if err != nil {
			return nil, err
		}
		tuple := tuples.Tuple{Key: key, Grant: tuples.Grant{Expires: t.Expires}}
		if c := t.Condition; c != nil {
			tuple.Condition = &tuples.Condition{Name: c.Name, Context: tuples.Context(c.Context)}
		}
		parsed = append(parsed, tuple)
	}
	return parsed, nil
}

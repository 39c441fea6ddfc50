package examples_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/tuples"
)

// storeFile is a *.fga.yaml: the scenarios of an example, in OpenFGA's store file
// format (openfga.dev, "Store File Format") with "at" added.
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
	Tuples      []fileTuple
	Check       []checkTest
	ListObjects []listObjectsTest `yaml:"list_objects"`
	ListUsers   []listUsersTest   `yaml:"list_users"`
}

type fileTuple struct{ User, Relation, Object string }

// checkTest asks each relation of each user and object.
type checkTest struct {
	User, Object   string
	Users, Objects []string
	Assertions     map[string]bool
}

type listObjectsTest struct {
	User, Type string
	Assertions map[string][]string
}

type listUsersTest struct {
	Object     string
	UserFilter []struct{ Type, Relation string } `yaml:"user_filter"`
	Assertions map[string]struct{ Users []string }
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
		tuple, err := tuples.ParseTuple(t.Object + "#" + t.Relation + "@" + t.User)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, tuple)
	}
	return parsed, nil
}

// expectations returns the scenario's assertions, each as a question and its answer.
func (s scenario) expectations() ([]checktest.Expectation, error) {
	var all expectations
	for _, c := range s.Check {
		all.addChecks(c)
	}
	for _, l := range s.ListObjects {
		for _, relation := range slices.Sorted(maps.Keys(l.Assertions)) {
			all.add(l.User, relation, l.Type+":"+string(checktest.Asked), listed(l.Assertions[relation]))
		}
	}
	for _, l := range s.ListUsers {
		all.addListUsers(l)
	}
	if len(all.found) == 0 {
		all.err = errors.Join(all.err, errors.New("the scenario asserts nothing"))
	}
	return all.found, all.err
}

type expectations struct {
	found []checktest.Expectation
	err   error
}

func (e *expectations) add(subject, relation, object, answer string) {
	question, err := checktest.ParseQuestion(subject + " " + relation + " " + object)
	e.err = errors.Join(e.err, err)
	e.found = append(e.found, checktest.Expectation{Question: question, Answer: answer})
}

func (e *expectations) addChecks(c checkTest) {
	if (c.User == "") == (c.Users == nil) || (c.Object == "") == (c.Objects == nil) {
		e.err = errors.Join(e.err, errors.New("a check needs one of user and users, and one of object and objects"))
	}
	users, objects := c.Users, c.Objects
	if c.User != "" {
		users = []string{c.User}
	}
	if c.Object != "" {
		objects = []string{c.Object}
	}
	for _, user := range users {
		for _, object := range objects {
			for _, relation := range slices.Sorted(maps.Keys(c.Assertions)) {
				e.add(user, relation, object, outcome(c.Assertions[relation]))
			}
		}
	}
}

func (e *expectations) addListUsers(l listUsersTest) {
	if len(l.UserFilter) != 1 {
		e.err = errors.Join(e.err, errors.New("list_users needs one entry in user_filter"))
		return
	}
	subject := l.UserFilter[0].Type + ":" + string(checktest.Asked)
	if relation := l.UserFilter[0].Relation; relation != "" {
		subject += "#" + relation
	}
	for _, relation := range slices.Sorted(maps.Keys(l.Assertions)) {
		e.add(subject, relation, l.Object, listed(l.Assertions[relation].Users))
	}
}

func outcome(allowed bool) string {
	if allowed {
		return "allowed"
	}
	return "denied"
}

// listed turns "user:anna" or "group:design#member" into the ids that a list has.
func listed(subjects []string) string {
	if len(subjects) == 0 {
		return "nothing"
	}
	ids := make([]string, len(subjects))
	for i, subject := range subjects {
		object, _, _ := strings.Cut(subject, "#")
		_, ids[i], _ = strings.Cut(object, ":")
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

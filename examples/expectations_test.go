package examples_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/tuples"
)

// given is what the questions of an entry are asked under, beside what is stored.
type given struct {
	contextual []tuples.Tuple
	context    tuples.Context
}

// entry is a part of a scenario: the expectations under one context.
type entry struct {
	given    given
	expected []checktest.Expectation
}

func entriesOf(t *testing.T, s scenario) []entry {
	t.Helper()
	entries, err := s.entries()
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return entries
}

// entries returns the scenario's assertions, each as a question and its answer.
func (s scenario) entries() ([]entry, error) {
	contextual, err := s.contextual()
	problems := []error{err}
	var entries []entry
	add := func(context fileContext, expected []checktest.Expectation, err error) {
		entries = append(entries, entry{given{contextual, tuples.Context(context)}, expected})
		if len(expected) == 0 {
			err = errors.Join(err, errors.New("an entry asserts nothing"))
		}
		problems = append(problems, err)
	}
	for _, c := range s.Check {
		expected, err := c.expectations()
		add(c.Context, expected, err)
	}
	for _, l := range s.ListObjects {
		expected, err := l.expectations()
		add(l.Context, expected, err)
	}
	for _, l := range s.ListUsers {
		expected, err := l.expectations()
		add(l.Context, expected, err)
	}
	if len(entries) == 0 {
		problems = append(problems, errors.New("the scenario asserts nothing"))
	}
	return entries, errors.Join(problems...)
}

func (c checkTest) expectations() ([]checktest.Expectation, error) {
	if (c.User == "") == (c.Users == nil) || (c.Object == "") == (c.Objects == nil) {
		return nil, errors.New("a check needs one of user and users, and one of object and objects")
	}
	users, objects := c.Users, c.Objects
	if c.User != "" {
		users = []string{c.User}
	}
	if c.Object != "" {
		objects = []string{c.Object}
	}
	var all []checktest.Expectation
	for _, user := range users {
		for _, object := range objects {
			for _, relation := range slices.Sorted(maps.Keys(c.Assertions)) {
				expected, err := expect(user, relation, object, string(c.Assertions[relation]))
				if err != nil {
					return nil, err
				}
				all = append(all, expected)
			}
		}
	}
	return all, nil
}

func (l listObjectsTest) expectations() ([]checktest.Expectation, error) {
	var all []checktest.Expectation
	for _, relation := range slices.Sorted(maps.Keys(l.Assertions)) {
		expected, err := expectList(l.User, relation, l.Type+":"+string(checktest.Asked), l.Assertions[relation])
		if err != nil {
			return nil, err
		}
		all = append(all, expected)
	}
	return all, nil
}

func (l listUsersTest) expectations() ([]checktest.Expectation, error) {
	if len(l.UserFilter) != 1 {
		return nil, errors.New("list_users needs one entry in user_filter")
	}
	subject := l.UserFilter[0].Type + ":" + string(checktest.Asked)
	if relation := l.UserFilter[0].Relation; relation != "" {
		subject += "#" + relation
	}
	var all []checktest.Expectation
	for _, relation := range slices.Sorted(maps.Keys(l.Assertions)) {
		expected, err := expectList(subject, relation, l.Object, l.Assertions[relation].Users)
		if err != nil {
			return nil, err
		}
		all = append(all, expected)
	}
	return all, nil
}

func expect(subject, relation, object, answer string) (checktest.Expectation, error) {
	question, err := checktest.ParseQuestion(subject + " " + relation + " " + object)
	return checktest.Expectation{Question: question, Answer: answer}, err
}

func expectList(subject, relation, object string, listed []string) (checktest.Expectation, error) {
	answer, err := parseListed(listed)
	if err != nil {
		return checktest.Expectation{}, err
	}
	return expect(subject, relation, object, answer)
}

// parseListed turns the entries of a list into its answer as [checktest.Question.Ask]
// gives it: ids in order. Behind an entry may stand what makes it less than allowed:
// "media:teaser (conditional: proofs)", or "user:bert (denied)" beside "user:*".
func parseListed(entries []string) (string, error) {
	if len(entries) == 0 {
		return "nothing", nil
	}
	answers := make(map[tuples.ID]string, len(entries))
	for _, entry := range entries {
		name, outcome, _ := strings.Cut(entry, " ")
		subject, err := tuples.ParseSubject(name)
		if err != nil {
			return "", err
		}
		if _, twice := answers[subject.ID]; twice {
			return "", fmt.Errorf("%s is listed twice", name)
		}
		answers[subject.ID] = outcome
	}
	items := make([]string, 0, len(answers))
	for _, id := range slices.Sorted(maps.Keys(answers)) {
		items = append(items, string(id)+answers[id])
	}
	return strings.Join(items, " "), nil
}

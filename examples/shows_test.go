package examples_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/scenario"
)

// show is a scenario or a test that shows requirements.
type show struct {
	name      string // with their ids
	where     string // the file that it stands in
	rpcs      []string
	relations []string // those it asks for: "media#can_view"
}

// shows returns all scenarios, all tests of the tables here, and the tests of the server
// that name requirements.
func shows(t *testing.T) []show {
	t.Helper()
	var all []show
	for _, e := range examples.All() {
		for _, s := range storeFileOf(t, e).Tests {
			one := show{name: s.Name, where: e.Name + "/" + e.Name + ".fga.yaml"}
			for _, a := range s.Assertions {
				one.asks(a.Query)
			}
			all = append(all, one)
		}
	}
	for _, c := range changes {
		one := show{name: c.name, where: "changes_test.go", rpcs: []string{"Write"}}
		for _, a := range c.answers {
			one.asks(parseQuestion(t, a.question))
		}
		all = append(all, one)
	}
	for _, w := range guardedWrites {
		one := show{name: w.name, where: "guards_test.go", rpcs: []string{"Write"}}
		for _, u := range w.updates {
			for _, guard := range u.guards {
				one.relations = append(one.relations, relationOf(parseQuestion(t, guard)))
			}
		}
		all = append(all, one)
	}
	for _, e := range events {
		one := show{name: e.name, where: "events_test.go", rpcs: []string{"Write", "Watch"}}
		one.asks(parseQuestion(t, e.notified))
		all = append(all, one)
	}
	for _, f := range followings {
		all = append(all, show{name: f.name, where: "watch_test.go", rpcs: []string{"Write", "Watch"}})
	}
	for _, h := range traces {
		relation := relationOf(parseQuestion(t, h.question))
		all = append(all, show{name: h.name, where: "history_test.go", rpcs: []string{"TraceAccess"}, relations: []string{relation}})
	}
	return slices.Concat(all, menuShows(t), serverShows(t))
}

// menuShows returns the tests of sharing menus, their previews, and deletions.
func menuShows(t *testing.T) (all []show) {
	t.Helper()
	add := func(name, where string, answers []beforeAfter, rpcs ...string) {
		one := show{name: name, where: where, rpcs: rpcs}
		for _, a := range answers {
			one.asks(parseQuestion(t, a.question))
		}
		all = append(all, one)
	}
	for _, m := range menus {
		add(m.name, "shares_test.go", m.answers, "SetShares")
	}
	for _, p := range previews {
		add(p.name, "shares_test.go", nil, "PreviewShares")
	}
	for _, o := range openings {
		add(o.name, "sharing_test.go", nil, "SummarizeShares")
	}
	for _, g := range glances {
		add(g.name, "sharing_test.go", nil, "SummarizeTree")
	}
	for _, d := range deletions {
		add(d.name, "deletions_test.go", d.answers, "DeleteObject", "UndoDelete")
	}
	return all
}

// asks notes what a query asks for, and by which RPC.
func (s *show) asks(query scenario.Query) {
	var q scenario.Question
	switch x := query.(type) {
	case scenario.Question:
		q = x
	case scenario.Why:
		q = x.Question
	case scenario.Attributes:
		q = x.Question
	case scenario.Shares:
		s.rpcs = append(s.rpcs, "SummarizeShares")
		for _, r := range x.Relations {
			s.relations = append(s.relations, fmt.Sprintf("%s#%s", x.Objects[0].Type, r))
		}
		return
	}
	rpc := "Check"
	switch {
	case q.On.Object.ID == scenario.Asked:
		rpc = "ListObjects"
	case q.Subject.ID == scenario.Asked:
		rpc = "ListSubjects"
	}
	s.rpcs = append(s.rpcs, rpc)
	s.relations = append(s.relations, relationOf(q))
}

// serverShows returns the tests of package server that name requirements: in the name of a
// case, or in what is said of a test. They stand for the RPCs whose requests their file makes.
func serverShows(t *testing.T) []show {
	t.Helper()
	files, err := filepath.Glob("../server/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []show
	for _, path := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		var names, rpcs []string
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if strings.HasPrefix(n.Name.Name, "Test") {
					names = append(names, n.Doc.Text())
				}
			case *ast.BasicLit:
				names = append(names, n.Value)
			case *ast.SelectorExpr:
				if rpc, ok := strings.CutSuffix(n.Sel.Name, "Request"); ok && showsSomething(rpc) {
					rpcs = append(rpcs, rpc)
				}
			}
			return true
		})
		for _, name := range names {
			if len(idsIn(name)) > 0 {
				all = append(all, show{name: name, where: filepath.ToSlash(path), rpcs: rpcs})
			}
		}
	}
	return all
}

// showsSomething reports whether a test can show a requirement by a call: of Read and of
// the services of stores and models it cannot, they prepare and look after.
func showsSomething(rpc string) bool {
	found := false
	protoregistry.GlobalFiles.RangeFilesByPackage("usher.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			prepares := service.Name() == "StoreService" || service.Name() == "ModelService" || rpc == "Read"
			found = found || !prepares && service.Methods().ByName(protoreflect.Name(rpc)) != nil
		}
		return !found
	})
	return found
}

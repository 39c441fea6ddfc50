package server_test

import (
	"testing"
)

func TestCheck(t *testing.T) {
	w := newLibrary(t,
		"group:design#member@user:anna",
		"folder:acme#viewer@group:design#member",
		"media:logo#folder@folder:acme",
		"media:logo#owner@user:bert",
		"media:logo#blocked@user:carl",
		"media:logo#viewer@user:carl",
		`media:poster#viewer@user:dora with office_hours {"opens":9}`,
	)
	for _, c := range []struct{ name, question, want string }{
		{"through folder and group", "user:anna can_view media:logo", "allowed"},
		{"by computed relation", "user:bert can_view media:logo", "allowed"},
		{"excluded", "user:carl can_view media:logo", "denied"},
		{"nobody has heard of", "user:nobody can_view media:unknown", "denied"},
		{"missing context", "user:dora can_view media:poster", "conditional"},
		{"userset subject", "group:design#member can_view media:logo", "allowed"},
		{"wildcard subject", "user:* can_view media:logo", "denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := w.check(c.question); got != c.want {
				t.Errorf("%s: got %s, want %s", c.question, got, c.want)
			}
		})
	}
}

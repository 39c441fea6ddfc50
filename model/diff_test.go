package model

import (
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	const old = `model
  schema 1.1
type user
type team
  relations
    define member: [user]
type doc
  relations
    define owner: [user]
    define viewer: [user, user:*, team#member, user with hours] or owner
    define editor: [user] or owner
    define same: [user, team#member] and owner
condition hours(hour: int) {
  hour > 8
}
condition late(hour: int) {
  hour > 20
}
`
	const new = `model
  schema 1.2
type user
type doc
  relations
    define same: [group#member, user] and owner
    define viewer: [user with hours, user]
    define editor: owner
    define owner: [user]
    define commenter: [user] or editor
type group
  relations
    define member: [user]
condition hours(hour: int, zone: string) {
  hour > 8 && zone == ""
}
condition early(hour: int) {
  hour < 6
}
`
	m, _ := parse(t, old)
	n, _ := parse(t, new)
	want := `~ schema: 1.1 → 1.2
+ doc#commenter: [user] or editor
~ doc#editor: [user] or owner → owner; no longer allowed: user
~ doc#same: [team#member, user] and owner → [group#member, user] and owner; no longer allowed: team#member
~ doc#viewer: [team#member, user, user with hours, user:*] or owner → [user, user with hours]; no longer allowed: team#member, user:*
+ type group
+ group#member: [user]
- type team
- team#member: [user]; no longer allowed: user
+ condition early: (hour: int) { hour < 6 }
~ condition hours: (hour: int) { hour > 8 } → (hour: int, zone: string) { hour > 8 && zone == "" }
- condition late: (hour: int) { hour > 20 }`
	if got := lines(Diff(m, n)); got != want {
		t.Errorf("differences are\n%s\nwant\n%s", got, want)
	}
	if got := Diff(m, m); len(got) != 0 {
		t.Errorf("a model differs from itself:\n%s", lines(got))
	}
}

func TestDiffIgnoresOrder(t *testing.T) {
	m, _ := parse(t, header+"    define a: [user, doc#b]\n    define b: [user]\n")
	n, _ := parse(t, "model\n  schema 1.1\ntype doc\n  relations\n    define b: [user]\n    define a: [doc#b, user]\ntype user\n")
	if got := Diff(m, n); len(got) != 0 {
		t.Errorf("differences:\n%s", lines(got))
	}
}

func lines(differences []Difference) string {
	all := make([]string, len(differences))
	for i, d := range differences {
		all[i] = d.String()
	}
	return strings.Join(all, "\n")
}

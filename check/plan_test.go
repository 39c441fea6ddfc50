package check_test

import "testing"

// Plans leave out what another part of a union decides too. Where a tuple on the way has a
// condition this must not change what an answer waits for: everything that the model, as
// it is written, depends on.
func TestPlansKeepTheCausesOfAnAnswer(t *testing.T) {
	w := newWorld(t, `
type user
type folder
  relations
    define shortcut: [folder, folder with linked]
    define parent: [folder]
    define editor: [user, user with shared]
    define viewer: [user] or editor
    define shown: editor from shortcut or viewer from shortcut
    define inherited: editor from parent or viewer from parent
condition linked(link: bool) {
  link
}
condition shared(share: bool) {
  share
}
`,
		"folder:b#editor@user:anna with shared", "folder:b#viewer@user:anna", "folder:b#editor@user:bert with shared",
		"folder:a#shortcut@folder:b with linked", "folder:a#parent@folder:b", "folder:c#shortcut@folder:b",
	)
	for _, tc := range []struct{ name, question, want string }{
		{"an editor perhaps, a viewer for sure, both behind a condition", "user:anna shown folder:a", "conditional on link, share"},
		{"the same without a condition on the way", "user:anna shown folder:c", "allowed"},
		{"the same from the parent", "user:anna inherited folder:a", "allowed"},
		{"an editor perhaps, behind a condition", "user:bert shown folder:a", "conditional on link, share"},
		{"an editor perhaps, from the parent", "user:bert inherited folder:a", "conditional on share"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := w.check(w.evaluator(), tc.question); got != tc.want {
				t.Errorf("%s: %s, want %s", tc.question, got, tc.want)
			}
			on, subject := parseQuestion(t, tc.question)
			written, err := w.evaluator().Explain(t.Context(), on, subject)
			if got := answer(written.Decision, err); got != tc.want {
				t.Errorf("%s, step by step: %s, want %s", tc.question, got, tc.want)
			}
		})
	}
}

package main

import (
	"strings"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// attributesText writes the restrictions of an allowed answer, one set on each line.
func attributesText(sets []*usherv1.AttributeSet) string {
	var b strings.Builder
	for _, set := range sets {
		if len(set.GetAttributes()) == 0 {
			b.WriteString("not restricted\n")
			continue
		}
		b.WriteString("restricted to:")
		for _, a := range set.GetAttributes() {
			b.WriteString(" " + a.GetName() + "=" + wire.ToValue(a.GetValue()).String())
		}
		b.WriteString("\n")
	}
	return b.String()
}

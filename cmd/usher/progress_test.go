package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestProgressShowsRowsAndBytes(t *testing.T) {
	for name, c := range map[string]struct {
		size int64
		want []string
	}{
		"of a file":   {4_000_000, []string{"12,345 rows, ", "25%", "1.0/4.0 MB"}},
		"of a stream": {-1, []string{"12,345 rows, ", "1.0 MB"}},
	} {
		t.Run(name, func(t *testing.T) {
			var terminal bytes.Buffer
			p := showProgress(&terminal, c.size)
			p.show(1_000_000, 12_345)
			for _, want := range c.want {
				if !strings.Contains(terminal.String(), want) {
					t.Errorf("the terminal shows %q, want %q in it", terminal.String(), want)
				}
			}
			p.clear()
			p.end()
			if lines := strings.Split(terminal.String(), "\r"); strings.TrimSpace(lines[len(lines)-1]) != "" {
				t.Errorf("behind the end stays %q", lines[len(lines)-1])
			}
		})
	}
}

func TestNobodySeesProgressWithoutATerminal(t *testing.T) {
	var file bytes.Buffer
	p := newProgress(&file, 100, false)
	p.show(50, 1)
	p.clear()
	p.end()
	if file.Len() > 0 {
		t.Errorf("written: %q", file.String())
	}
}

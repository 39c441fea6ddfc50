package main

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		GroupID: groupServer,
		Short:   "Print the version of this program",
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.stdout, versionText())
			return err
		},
	}
}

// version is what the build calls itself: the linker sets it, see the Makefile.
var version string

// versionText tells the version, the commit and the Go release that the binary was
// built from, as far as the build recorded them.
func versionText() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "usher " + cmp.Or(version, "unknown")
	}
	text := "usher " + cmp.Or(version, info.Main.Version, "unknown")
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			text += " commit " + setting.Value
		}
	}
	return text + " " + info.GoVersion
}

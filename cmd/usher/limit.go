package main

import (
	"errors"
	"math"
	"strconv"

	"github.com/spf13/cobra"
)

// limit is the value of --limit. A negative one is refused, here where it is written: it
// could be taken for none, and usher delete would delete everything.
type limit int32

// addLimit adds the flag that ends a list before its end.
func addLimit(cmd *cobra.Command, n *int32) {
	addLimitTo(cmd, n, "end the list after so many; 0 for the whole list")
}

// addLimitTo adds the flag to a command that limits something else than a list.
func addLimitTo(cmd *cobra.Command, n *int32, usage string) {
	cmd.Flags().Var((*limit)(n), "limit", usage)
}

// Set implements [pflag.Value].
func (l *limit) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return errors.New("write a number from 0 to " + strconv.Itoa(math.MaxInt32))
	}
	*l = limit(n)
	return nil
}

func (l *limit) String() string { return strconv.Itoa(int(*l)) }

// Type is the placeholder for the value in help.
func (l *limit) Type() string { return "N" }

package main

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

// addQuiet adds the flag of commands that show how far they are.
func addQuiet(cmd *cobra.Command, quiet *bool) {
	cmd.Flags().BoolVarP(quiet, "quiet", "q", false, "show no progress; none is shown either if stderr is no terminal")
}

// progress shows how far a long command is. A nil one shows nothing.
type progress struct {
	bar     *progressbar.ProgressBar
	started time.Time
	shown   time.Time // when it was drawn last
}

// redraw is how often progress is drawn anew.
const redraw = 100 * time.Millisecond

// newProgress returns nil if nobody is there to see it. size is that of the file in bytes,
// -1 if it is not known.
func newProgress(stderr io.Writer, size int64, quiet bool) *progress {
	if quiet || !isTerminal(stderr) {
		return nil
	}
	return showProgress(stderr, size)
}

func showProgress(w io.Writer, size int64) *progress {
	return &progress{
		bar: progressbar.NewOptions64(size,
			progressbar.OptionSetWriter(w),
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(20),
			progressbar.OptionClearOnFinish(),
		),
		started: time.Now(),
	}
}

// show draws anew how many bytes of the file and how many rows are done, if it is time.
func (p *progress) show(bytes, rows int64) {
	if p == nil || time.Since(p.shown) < redraw {
		return
	}
	p.shown = time.Now()
	rate := float64(rows) / max(time.Since(p.started).Seconds(), 0.001)
	_ = p.bar.Set64(bytes) // a terminal that is gone is no reason to stop
	p.bar.Describe(fmt.Sprintf("%s rows, %s/s", humanize.Comma(rows), humanize.Comma(int64(rate))))
}

// clear makes room for a line of text; the next show draws the bar again.
func (p *progress) clear() {
	if p != nil {
		_ = p.bar.Clear()
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p != nil {
		_ = p.bar.Finish()
		_ = p.bar.Clear()
	}
}

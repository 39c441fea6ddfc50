package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// byteSize is a setting in bytes, such as 512MiB.
type byteSize int64

// Set implements [pflag.Value].
func (b *byteSize) Set(text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n > math.MaxInt64 {
		return errors.New("write a number of bytes such as 512MiB or 2GB, or 0")
	}
	*b = byteSize(n)
	return nil
}

// String writes whole units that lose nothing.
func (b *byteSize) String() string {
	for _, unit := range []struct {
		size int64
		name string
	}{{humanize.GiByte, "GiB"}, {humanize.MiByte, "MiB"}, {humanize.KiByte, "KiB"}} {
		if n := int64(*b); n > 0 && n%unit.size == 0 {
			return fmt.Sprintf("%d%s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprint(int64(*b))
}

// Type is the placeholder for the value in help.
func (b *byteSize) Type() string { return "SIZE" }

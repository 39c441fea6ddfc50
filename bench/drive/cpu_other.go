//go:build !linux

package drive

import (
	"errors"
	"time"
)

// processCPU is known on Linux alone; elsewhere the server's metrics have to do.
func processCPU(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

package drive

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// processCPU reads the CPU clock of a process that runs: all its threads, those that have
// ended too. The clock's number is made of the process's as clock_getcpuclockid(3) does.
func processCPU(pid int) (time.Duration, error) {
	const scheduled = 2 // time as the scheduler counts it, and not in ticks
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &used); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

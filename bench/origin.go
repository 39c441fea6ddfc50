package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// origin says when and where results were measured, and of what.
type origin struct {
	Date    string `json:"date"`
	Machine string `json:"machine"`
	Command string `json:"command"`
	Usher   string `json:"usher"`   // the version of the binary
	Modules string `json:"modules"` // of what carries it
}

// newOrigin describes this run.
func (s settings) newOrigin(ctx context.Context, command string) (origin, error) {
	version, err := exec.CommandContext(ctx, s.usher, "version").Output()
	if err != nil {
		return origin{}, fmt.Errorf("%s version: %w; make build makes the binary", s.usher, err)
	}
	return origin{
		Date:    time.Now().UTC().Format(time.DateOnly),
		Machine: machine(),
		Command: strings.TrimSpace(command + " " + s.servedWith()),
		Usher:   strings.TrimSpace(string(version)),
		Modules: modules("google.golang.org/grpc", "go.etcd.io/bbolt"),
	}, nil
}

// servedWith returns the flag that the server's settings were changed by, if they were.
func (s settings) servedWith() string {
	if s.serve == "" {
		return ""
	}
	return fmt.Sprintf("-serve %q", s.serve)
}

// machine tells processor, cores, memory and kernel, as far as the system does.
func machine() string {
	text := fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if processor := fileFact("/proc/cpuinfo", "model name"); processor != "" {
		text += " of " + processor
	}
	if memory, err := humanize.ParseBytes(fileFact("/proc/meminfo", "MemTotal")); err == nil {
		text += ", " + humanize.IBytes(memory)
	}
	if kernel := fileFact("/proc/sys/kernel/osrelease", ""); kernel != "" {
		text += ", kernel " + kernel
	}
	return text
}

// fileFact returns what stands behind a label in a file of the kernel, or its first line.
func fileFact(file, label string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "" // another system than Linux
	}
	for line := range strings.Lines(string(text)) {
		if label == "" {
			return strings.TrimSpace(line)
		}
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == label {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// modules tells the versions that this program, and so the binary, is built with.
func modules(paths ...string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var versions []string
	for _, path := range paths {
		for _, module := range info.Deps {
			if module.Path == path {
				versions = append(versions, path+" "+module.Version)
			}
		}
	}
	return strings.Join(versions, ", ")
}

//go:build grpcurl

package usher

import "path/filepath"

// grpcurl is the program that make test-grpcurl builds.
var grpcurl = func() string {
	path, err := filepath.Abs("bin/grpcurl")
	if err != nil {
		panic(err)
	}
	return path
}()

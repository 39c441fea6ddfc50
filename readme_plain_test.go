//go:build !grpcurl

package usher

// grpcurl is empty: building it takes a download, so make test-grpcurl runs its
// commands and make test does without.
const grpcurl = ""

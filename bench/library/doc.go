// Package library generates a media library to measure with, of any size and always the
// same for the same seed, and knows what is right to answer about it.
//
// The library is that of one organisation under the default model (examples/media-library):
//
//	people       staff in groups that nest four deep, guests in a group for each client
//	folders      one tree of eight levels, shared with groups and users, a few with teams
//	collections  of media from anywhere, shared likewise; one public, two behind a password
//	media        in folders, collections and other media, some shared with users by name
//
// So that nothing can be left out of what is measured, a small part of everything is out
// of the ordinary: sealed folders, shares that expire or have expired, shares to addresses
// and to the whole organisation, statuses that hide, shares with attributes.
//
// Start with [New]. [Library.Tuples] streams the tuples. [Library.Checks],
// [Library.Batches], [Library.Pages] and [Library.Lists] draw questions, each with its
// answer. The answers come from how the library was made (oracle.go), and not from the
// model: the package knows neither parser nor engine, so that it can be held against them.
//
// What belongs to a user or a media is drawn from a die of its own (dice.go) whenever it is
// needed. Groups and folders alone are kept in memory: 17 MiB for ten million tuples.
package library

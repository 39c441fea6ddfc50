package server

import "time"

// Limits of requests, as the comments in proto/usher/v1 state them.
const (
	maxItems         = 10_000 // updates of a write, items of a batch, candidates of a filter
	maxPreconditions = 1_000
	maxContextual    = 100
	maxContextBytes  = 32 << 10 // of a question's context, encoded
	maxMetadata      = 32       // entries
	maxMetadataBytes = 16 << 10 // of all names and values
	maxRequestID     = 255      // bytes
	maxRelations     = 1_000    // of one ListRelations
	maxViolations    = 20       // that one refusal lists
	maxExamples      = 10       // of orphaned tuples
	maxTraceSteps    = 1_000    // changes that one TraceAccess goes back by
	maxGivers        = 20       // that one missing role names
	maxWatchFilters  = 20
	maxSourceAddress = 255 // bytes
	maxGrantedBy     = 10  // tuples that a recorded decision names

	maxShares        = 1_000     // of one SetShares
	maxSharePairs    = 100_000   // its objects times its shares
	maxShareTuples   = 1_000_000 // these times the roles; 900,000 took 340 MB of memory
	maxPreviewShares = 100
	maxPreviewPairs  = 10_000
	maxRoles         = 20 // that a share replaces
	maxShareGuards   = 10
	maxGuardChecks   = 20_000 // that the guards of one SetShares come to
	maxContainments  = 20     // relations by which objects lie in one another
	maxRoots         = 1_000  // of a tree

	maxImportRows         = maxItems // of one message
	maxCheckpointRows     = 250_000
	defaultCheckpointRows = 50_000
	maxCheckpointBytes    = 32 << 20 // of ids and grants
	maxCheckpointFailures = 1_000    // rows that are refused, and that one message names

	defaultExpandPage = 1_000
	defaultListPage   = 50
	maxListPage       = 1_000

	minHeartbeat     = time.Second
	maxHeartbeat     = time.Hour
	defaultHeartbeat = 15 * time.Second
)

// A streamed message has as many items as fit into these bounds, one at least. Clients
// accept 4 MiB by default, and one item has some 50 KiB at most.
const (
	messageItems = 100
	messageBytes = 1 << 20
	// listItems is the bound for objects and subjects of a list.
	listItems = 1_000
	// exportItems is the bound for tuples of an export.
	exportItems = 1_000
	// changeItems is the bound for the changes of one revision.
	changeItems = 1_000
)

// maxStretchBytes is the memory for what pages of lists leave behind.
const maxStretchBytes = 32 << 20

// maxRequestBytes is the size of the largest request that is read: 10,000 updates of
// 1,600 bytes each.
const maxRequestBytes = 16 << 20

package server

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	channelz "google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// Options are the settings of a server. The zero value is good for production.
type Options struct {
	// Logger gets one line for every call (successes at debug level) and the details of
	// faults; nil for none.
	Logger *slog.Logger
	// Registry holds the metrics that [Server.HTTP] serves; nil for a new one.
	Registry *prometheus.Registry
	// Deadline is that of a unary call that comes without one; 10 seconds if 0.
	Deadline time.Duration
	// WorkBudget bounds the work on one permission question, in units of one tuple or
	// userset visited; check.DefaultBudget if 0.
	WorkBudget int
	// Tracing gets a span for every call; nil for none, which is 5 to 7 µs cheaper.
	Tracing trace.TracerProvider
	// Decisions are recorded as this says; the zero value is no decision log.
	Decisions DecisionOptions
	// IndexMemory is how many bytes the indexes of all stores take at most, with the closures
	// of subjects. Without, or if it is negative, every read goes to the database.
	IndexMemory int64
}

const defaultDeadline = 10 * time.Second

// Server answers usher.v1 over gRPC from a database.
type Server struct {
	db      tuples.Database
	options Options
	log     *slog.Logger
	tokens  *sealer
	cursors *sealer
	indexes *indexing // nil for none
	// stretches are those of the lists of all stores.
	stretches *stretches

	mu        sync.RWMutex
	handles   map[tuples.StoreID]*handle
	byDefault atomic.Pointer[handle] // of the default store; nil until it was asked for

	grpc     *grpc.Server
	methods  map[string]*method // by full name; it does not change once calls come
	health   *health.Server
	draining context.Context // ends when Drain begins
	drain    context.CancelCauseFunc
}

// New returns a server over db, which it does not close.
func New(db tuples.Database, options Options) *Server {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Registry == nil {
		options.Registry = prometheus.NewRegistry()
	}
	if options.Deadline == 0 {
		options.Deadline = defaultDeadline
	}
	s := &Server{
		db:        db,
		options:   options,
		log:       options.Logger,
		tokens:    newSealer(db.TokenKey(), "token"),
		cursors:   newSealer(db.TokenKey(), "cursor"),
		stretches: newStretches(maxStretchBytes),
		indexes:   newIndexing(options.IndexMemory, options.Logger),
		handles:   make(map[tuples.StoreID]*handle),
		health:    health.NewServer(),
	}
	s.draining, s.drain = context.WithCancelCause(context.Background())
	s.grpc = s.assemble()
	if s.indexes != nil {
		s.indexes.warming.Go(func() { s.warmAll(s.draining) })
	}
	return s
}

// streamWorkers is how many goroutines serve calls without growing a stack for each:
// 23 % of the CPU of a Check in the prototype (performance notes). A burst of more calls than
// that grows stacks again: with a hundred callers 64 take 5 to 7 % less than 32, with 32
// callers the same (decision 0016).
const streamWorkers = 64

// WireOptions are the settings of gRPC itself, without interceptors: a bare server that has
// them tells what those cost (docs/performance.md).
func WireOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxRequestBytes),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	}
}

// assemble puts services and interceptors together.
func (s *Server) assemble() *grpc.Server {
	options := append(WireOptions(),
		grpc.ChainUnaryInterceptor(s.unaryInterceptors()...),
		grpc.ChainStreamInterceptor(s.streamInterceptors()...))
	if s.options.Tracing != nil {
		options = append(options, grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(s.options.Tracing))))
	}
	g := grpc.NewServer(options...)
	usherv1.RegisterPermissionServiceServer(g, &permissionService{Server: s})
	usherv1.RegisterTupleServiceServer(g, &tupleService{Server: s, imported: newImportMetrics(s.options.Registry)})
	usherv1.RegisterModelServiceServer(g, &modelService{Server: s})
	usherv1.RegisterStoreServiceServer(g, &storeService{Server: s})
	usherv1.RegisterDecisionServiceServer(g, &decisionService{Server: s})
	healthv1.RegisterHealthServer(g, s.health)
	reflection.Register(g)
	channelz.RegisterChannelzServiceToServer(g)
	measureDecisions(s.options.Registry, s.options.Decisions.Log)
	s.indexes.measure(s.options.Registry)
	s.methods = newMetrics(s.options.Registry).methods(g.GetServiceInfo())
	s.announce(g)
	return g
}

// announce says that every service is up.
func (s *Server) announce(g *grpc.Server) {
	for name := range g.GetServiceInfo() {
		s.health.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
}

// GRPC is the server to be given a listener. End it with [Server.Drain].
func (s *Server) GRPC() *grpc.Server { return s.grpc }

// Drain ends the server in order: health and readiness say no, watches end with
// UNAVAILABLE (SHUTTING_DOWN), other calls may finish until ctx ends. Then whatever is
// left is cut off. When it returns no handler runs any more, and the database can be
// closed.
func (s *Server) Drain(ctx context.Context) {
	s.health.Shutdown()
	s.drain(errShuttingDown)
	stop := context.AfterFunc(ctx, s.grpc.Stop)
	defer stop()
	s.grpc.GracefulStop()
	s.indexes.wait()
}

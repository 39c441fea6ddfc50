package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// drainTime bounds how long a server that was asked to end waits for calls under way.
const drainTime = 10 * time.Second

func (p *program) serveCommand() *cobra.Command {
	var s settings
	var config string
	flags := s.flags()
	cmd := &cobra.Command{
		Use:     "serve",
		GroupID: groupServer,
		Short:   "Start the service",
		Long: `Start the service on one database file, until SIGINT or SIGTERM. It then takes no
more calls, gives those under way 10 seconds, and exits with status 0; a second
signal ends it at once.

An empty database gets a store named default with the media-library model.

Each flag but --config can be set as an environment variable, such as
USHER_GRPC_ADDR, and as a key of the YAML file that --config or USHER_CONFIG names,
such as grpc-addr. A flag beats the environment, and that the file.`,
		Example: `  usher serve
  usher serve --db /var/lib/usher/usher.db --config /etc/usher.yaml
  usher serve --example media-library`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(flags, config); err != nil {
				return err
			}
			return p.serve(cmd.Context(), s)
		},
	}
	cmd.Flags().AddFlagSet(flags)
	cmd.Flags().StringVar(&config, "config", os.Getenv(envPrefix+"CONFIG"), "YAML `FILE` of settings (USHER_CONFIG)")
	completeFiles(cmd, "db", "config")
	complete(cmd, "log-level", "debug", "info", "warn", "error")
	complete(cmd, "log-format", "text", "json")
	complete(cmd, "example", exampleNames()...)
	return cmd
}

// serve runs the service until ctx ends.
func (p *program) serve(ctx context.Context, s settings) (err error) {
	paceCollector(ctx)
	log := p.logger(s)
	l, err := listen(s) // before the database: a taken address leaves no new file behind
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }() // for the failures below; a drain has closed them
	db, err := bolt.Open(s.db, bolt.Options{Retention: s.retention, Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	empty, err := bootstrap(ctx, db, s.example)
	if err != nil && !interrupted(ctx) {
		return fmt.Errorf("fill the empty database %s: %w", s.db, err)
	}
	stores, err := countStores(ctx, db)
	if interrupted(ctx) { // as while it serves; the next start goes on with what is left to do
		return nil
	}
	if err != nil {
		return err
	}
	if s.example != "" && !empty {
		log.Info("the database is not empty: the example is not loaded", "example", s.example, "db", s.db)
	}
	recorded, err := s.decisions.open(log)
	if err != nil {
		return err
	}
	if recorded.Log != nil {
		defer func() { err = errors.Join(err, recorded.Log.Close()) }() // writes what is queued
	}
	options := server.Options{
		Logger: log, Registry: newRegistry(), Deadline: s.deadline, WorkBudget: s.workBudget, Decisions: recorded,
		IndexMemory: int64(s.indexMemory),
	}
	if s.otlpEndpoint != "" {
		tracing, err := newTracing(ctx, log, s.otlpEndpoint)
		if err != nil {
			return err
		}
		defer func() { endTracing(log, tracing) }()
		options.Tracing = tracing
	}
	service := server.New(db, options)
	if s.example != "" && empty {
		fmt.Fprint(p.stdout, tryText(s.example, l.grpc.Addr().String()))
	}
	announce(log, s, l, stores)
	return serveUntil(ctx, log, service, l)
}

// listeners are the two sockets of the service.
type listeners struct {
	grpc, http net.Listener
}

func (l listeners) close() error { return errors.Join(l.grpc.Close(), l.http.Close()) }

func listen(s settings) (listeners, error) {
	grpc, err := listenAt("grpc-addr", s.grpcAddr)
	if err != nil {
		return listeners{}, err
	}
	http, err := listenAt("http-addr", s.httpAddr)
	if err != nil {
		return listeners{}, errors.Join(err, grpc.Close())
	}
	return listeners{grpc, http}, nil
}

func listenAt(setting, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s %s is taken by another process; stop it, or choose another address with --%s", setting, addr, setting)
	case err != nil:
		return nil, fmt.Errorf("%s %q: %w; write HOST:PORT of this machine, as in 127.0.0.1:50051", setting, addr, err)
	}
	return l, nil
}

// announce logs what the service runs on and where it listens.
func announce(log *slog.Logger, s settings, l listeners, stores int) {
	for _, listener := range []net.Listener{l.grpc, l.http} {
		if addr, ok := listener.Addr().(*net.TCPAddr); ok && !addr.IP.IsLoopback() {
			log.Warn("listening beyond this machine without authentication: whoever reaches the address can read and write everything",
				"addr", addr.String())
		}
	}
	log.Info("serving", "grpc", l.grpc.Addr().String(), "http", l.http.Addr().String(), "db", s.db, "stores", stores,
		"index_memory", s.indexMemory.String(), "version", versionText())
}

func countStores(ctx context.Context, db tuples.Database) (int, error) {
	count := 0
	for after := tuples.StoreID(""); ; {
		const page = 1000
		stores, err := db.Stores(ctx, after, page)
		if err != nil {
			return 0, err
		}
		if count += len(stores); len(stores) < page {
			return count, nil
		}
		after = stores[page-1].ID
	}
}

// serveUntil serves until ctx ends or a listener fails, and then drains.
func serveUntil(ctx context.Context, log *slog.Logger, service *server.Server, l listeners) error {
	web := &http.Server{Handler: service.HTTP(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 2)
	go func() { ended <- service.GRPC().Serve(l.grpc) }()
	go func() { ended <- web.Serve(l.http) }()
	var failure error
	select {
	case <-ctx.Done():
		log.Info("draining", "at_most", drainTime)
	case failure = <-ended:
		log.Error("a listener failed", "error", failure)
	}
	bound, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	service.Drain(bound)
	return errors.Join(failure, web.Shutdown(bound))
}

// newRegistry returns the metrics of the process, to which the server adds its own.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	live := collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)} // what a collection left
	registry.MustRegister(collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(live)), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// logger returns the service's log, on stderr.
func (p *program) logger(s settings) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.logLevel}
	if s.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(p.stderr, options))
	}
	return slog.New(slog.NewTextHandler(p.stderr, options))
}

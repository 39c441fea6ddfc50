package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/examples"
)

// settings are what usher serve can be told. Each has one name: the flag's, the key
// in the YAML file, and in the environment the same in capitals behind USHER_, with
// '_' for '-'. A flag beats the environment, that the file, and that the default.
type settings struct {
	db, grpcAddr, httpAddr string
	retention, deadline    time.Duration
	workBudget             int
	indexMemory            byteSize
	logLevel               slog.Level
	logFormat              string
	otlpEndpoint           string
	example                string
	decisions              decisionSettings
}

const envPrefix = "USHER_"

// flags returns the settings as flags, with their defaults.
func (s *settings) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	f.StringVar(&s.db, "db", "usher.db", "`FILE` of the database; it is made if there is none")
	f.StringVar(&s.grpcAddr, "grpc-addr", defaultAddr, "`HOST:PORT` for gRPC; port 0 takes a free one")
	f.StringVar(&s.httpAddr, "http-addr", "127.0.0.1:8080", "`HOST:PORT` for /metrics, /healthz and /readyz; port 0 takes a free one")
	f.DurationVar(&s.retention, "retention", 30*24*time.Hour, "how long past states can still be read")
	f.DurationVar(&s.deadline, "deadline", 10*time.Second, "time for a request that comes without a deadline")
	f.IntVar(&s.workBudget, "work-budget", check.DefaultBudget, "tuples and usersets that one question may visit")
	s.indexMemory = humanize.GiByte
	f.Var(&s.indexMemory, "index-memory", "memory for the index, such as 512MiB; what does not fit is read from the database, 0 for all")
	f.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "`debug|info|warn|error`")
	f.StringVar(&s.logFormat, "log-format", "text", "`text|json`")
	f.StringVar(&s.otlpEndpoint, "otlp-endpoint", "", "`HOST:PORT` of an OpenTelemetry collector to send traces to, over OTLP/gRPC")
	s.decisions.addTo(f)
	f.StringVar(&s.example, "example", "", "`NAME` of an example to load into an empty database: "+strings.Join(exampleNames(), ", "))
	return f
}

func exampleNames() []string {
	var names []string
	for _, e := range examples.All() {
		names = append(names, e.Name)
	}
	return names
}

// load gives the settings that flags left alone the values of the environment, then
// of the file, if one is named.
func (s *settings) load(flags *pflag.FlagSet, file string) error {
	environment, err := readEnvironment(flags)
	if err != nil {
		return err
	}
	if err := adopt(flags, environment, envName); err != nil {
		return err
	}
	if file != "" {
		values, err := readConfig(file)
		if err != nil {
			return err
		}
		if err := adopt(flags, values, func(name string) string { return file + ": " + name }); err != nil {
			return err
		}
	}
	if !flags.Changed("decision-log") {
		s.decisions.file = besideDatabase(s.db)
	}
	return s.validate()
}

// readEnvironment returns the variables that are settings and not empty. Others that
// begin with USHER_ belong to somebody else.
func readEnvironment(flags *pflag.FlagSet) (*koanf.Koanf, error) {
	k := koanf.New(".")
	return k, k.Load(env.Provider("", env.Opt{Prefix: envPrefix, TransformFunc: func(variable, value string) (string, any) {
		name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, envPrefix), "_", "-"))
		if value == "" || flags.Lookup(name) == nil {
			return "", nil
		}
		return name, value
	}}), nil)
}

func envName(setting string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// readConfig returns the settings of a YAML file.
func readConfig(file string) (*koanf.Koanf, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	k := koanf.New(".")
	if err := k.Load(rawbytes.Provider(text), yaml.Parser()); err != nil {
		return nil, fmt.Errorf("config file %s: %w; write one \"setting: value\" a line", file, err)
	}
	return k, nil
}

// adopt sets the flags that were not set before. origin says where a value comes from.
func adopt(flags *pflag.FlagSet, values *koanf.Koanf, origin func(name string) string) error {
	for _, name := range values.Keys() {
		flag := flags.Lookup(name)
		if flag == nil {
			return fmt.Errorf("%s is not a setting; usher serve --help lists them, without the --", origin(name))
		}
		if flag.Changed {
			continue
		}
		if err := flags.Set(name, values.String(name)); err != nil {
			return fmt.Errorf("%s: %w", origin(name), err)
		}
	}
	return nil
}

// validate reports the first setting that has no meaning.
func (s *settings) validate() error {
	switch {
	case s.logFormat != "text" && s.logFormat != "json":
		return fmt.Errorf("log-format %q is not known; use text or json", s.logFormat)
	case s.retention <= 0:
		return fmt.Errorf("retention %s is not positive; use for example 720h", s.retention)
	case s.deadline <= 0:
		return fmt.Errorf("deadline %s is not positive; use for example 10s", s.deadline)
	case s.workBudget <= 0:
		return fmt.Errorf("work-budget %d is not positive; use for example %d", s.workBudget, check.DefaultBudget)
	case s.example != "" && !slices.Contains(exampleNames(), s.example):
		return fmt.Errorf("example %q is not known; there is %s", s.example, strings.Join(exampleNames(), ", "))
	}
	if s.otlpEndpoint != "" {
		if _, _, err := net.SplitHostPort(s.otlpEndpoint); err != nil {
			return fmt.Errorf("otlp-endpoint %q: %w; write HOST:PORT, as in 127.0.0.1:4317", s.otlpEndpoint, err)
		}
	}
	return s.decisions.validate(s.db)
}

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/usher-authz/usher/decisions"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
)

// decisionSettings are what usher serve can be told about the decision log.
type decisionSettings struct {
	file      string // "" for no log
	relations []string
	retention time.Duration
	required  bool
}

func (s *decisionSettings) addTo(f *pflag.FlagSet) {
	f.StringVar(&s.file, "decision-log", "", "`FILE` of the decision log, \"\" for none (default usher.decisions.db beside usher.db)")
	f.StringSliceVar(&s.relations, "decision-log-relations", nil, "`RELATIONS` whose checks are recorded unasked, such as media#can_download or, of every type, can_download")
	f.DurationVar(&s.retention, "decision-log-retention", 90*24*time.Hour, "how long decisions are kept")
	f.BoolVar(&s.required, "decision-log-required", false, "fail a check that is to be recorded and cannot be, instead of counting it as dropped")
}

// besideDatabase returns the file of the decision log of a database: of usher.db it is
// usher.decisions.db.
func besideDatabase(db string) string {
	return strings.TrimSuffix(db, filepath.Ext(db)) + ".decisions.db"
}

// validate reports the first setting that has no meaning.
func (s *decisionSettings) validate(db string) error {
	switch {
	case s.file != "" && filepath.Clean(s.file) == filepath.Clean(db):
		return fmt.Errorf("decision-log %s is the database; use a file of its own, such as %s", s.file, besideDatabase(db))
	case s.file == "" && len(s.relations) > 0:
		return errors.New("decision-log-relations has no decision log to record in; set decision-log to a file")
	case s.file == "" && s.required:
		return errors.New("decision-log-required has no decision log to record in; set decision-log to a file")
	case s.retention <= 0:
		return fmt.Errorf("decision-log-retention %s is not positive; use for example 2160h", s.retention)
	}
	for _, text := range s.relations {
		if _, err := parseRecorded(text); err != nil {
			return err
		}
	}
	return nil
}

// parseRecorded reads "media#can_download" or "can_download".
func parseRecorded(text string) (r server.RecordedRelation, err error) {
	kind, relation, typed := strings.Cut(text, "#")
	if !typed {
		kind, relation = "", text
	}
	r = server.RecordedRelation{Type: tuples.ObjectType(kind), Relation: tuples.Relation(relation)}
	invalid := tuples.ValidateRelation(r.Relation)
	if typed && invalid == nil {
		invalid = tuples.ValidateType(r.Type)
	}
	if invalid != nil {
		return r, fmt.Errorf("decision-log-relations %q: %w; write TYPE#RELATION or RELATION, as in media#can_download", text, invalid)
	}
	return r, nil
}

// open opens the log, if there is to be one.
func (s *decisionSettings) open(log *slog.Logger) (options server.DecisionOptions, err error) {
	if s.file == "" {
		return options, nil
	}
	for _, text := range s.relations {
		relation, err := parseRecorded(text)
		if err != nil {
			return options, err
		}
		options.Relations = append(options.Relations, relation)
	}
	options.Log, err = decisions.Open(s.file, decisions.Options{Retention: s.retention, Required: s.required, Logger: log})
	return options, err
}

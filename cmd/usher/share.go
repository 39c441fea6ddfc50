package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// noRole is the value of --as for no right.
const noRole = "none"

// sharing is the flags of usher share.
type sharing struct {
	change
	shareGuards
	to      []string
	as      string
	roles   []string
	expires string
	preview string
	context string
}

func (p *program) shareCommand() *cobra.Command {
	var s sharing
	cmd := &cobra.Command{
		Use:     "share OBJECT… --to SUBJECT --as RELATION --roles RELATION,…",
		GroupID: groupTuples,
		Short:   "Give recipients one right on a selection of objects",
		Long: `Give recipients one right, or none, on a selection of objects, all in one step.

--roles names the relations that count as rights: whatever of these a recipient has on
an object is replaced by the one that --as names, or taken away by --as none. Other
relations stay.

With --preview nothing is shared: it tells on which of the objects the recipients would
still not have a relation, and what stands in the way.`,
		Example: `  usher share media:logo media:poster --to user:anna --as viewer --roles viewer,editor
  usher share media:logo --to group:design#member --as editor --roles viewer,editor --expires 2026-12-31
  usher share media:logo --to user:anna --as none --roles viewer,editor
  usher share media:logo --to user:bert --as viewer --roles viewer,editor --preview can_view
  usher share media:logo --to user:bert --as viewer --roles viewer,editor \
    --actor user:anna --if-actor can_share --if-recipient-in organisation:halden#member`,
		Args: func(_ *cobra.Command, args []string) error { return s.complete(args) },
	}
	s.change.addTo(cmd)
	s.shareGuards.addTo(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&s.to, "to", nil, "`SUBJECT` to share with, such as user:anna or group:design#member (repeatable)")
	flags.StringVar(&s.as, "as", "", "`RELATION` to give, one of the roles; none to take all of them away")
	flags.StringSliceVar(&s.roles, "roles", nil, "`RELATIONS` that are replaced, such as viewer,editor")
	flags.StringVar(&s.expires, "expires", "", "`TIME` when the share ends, such as 2026-12-31 or 2026-12-31T18:00+01:00")
	flags.StringVar(&s.preview, "preview", "", "share nothing; tell on which objects this `RELATION` would be missing")
	flags.StringVar(&s.context, "context", "", "for --preview: values for conditions, as a `JSON` object")
	return patient(p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		if s.preview != "" {
			return s.placed(s.tellPreview(ctx, c, args), args)
		}
		return s.placed(s.send(ctx, c, args), args)
	}))
}

// complete asks for what a share cannot do without.
func (s *sharing) complete(args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("OBJECT is missing; name what to share, as in media:logo")
	case len(s.to) == 0:
		return errors.New("--to is missing; name whom to share with, as in --to user:anna")
	case s.as == "":
		return errors.New("--as is missing; name the right to give, as in --as viewer, or --as none")
	case len(s.roles) == 0:
		return errors.New("--roles is missing; name the rights that are replaced, as in --roles viewer,editor")
	case s.context != "" && s.preview == "":
		return errors.New("--context is set without --preview, and sharing asks for none; leave it out, or preview the share first")
	}
	return nil
}

// parts reads objects and shares.
func (s *sharing) parts(args []string) (objects []*usherv1.Object, shares []*usherv1.Share, err error) {
	if objects, err = parseObjects(args); err != nil {
		return nil, nil, err
	}
	var expires *timestamppb.Timestamp
	if s.expires != "" {
		if expires, err = parseTime("--expires", s.expires); err != nil {
			return nil, nil, err
		}
	}
	for _, text := range s.to {
		subject, err := parseSubject(text)
		if err != nil {
			return nil, nil, fmt.Errorf("--to: %w", err)
		}
		share := &usherv1.Share{Subject: subject, ExpiresAt: expires}
		if s.as != noRole {
			share.Relation = s.as
		}
		shares = append(shares, share)
	}
	return objects, shares, nil
}

// send sets the shares.
func (s *sharing) send(ctx context.Context, c *client, args []string) error {
	request := &usherv1.SetSharesRequest{Store: c.store, Roles: s.roles, RequestId: s.requestID}
	var err error
	if request.Objects, request.Shares, err = s.parts(args); err != nil {
		return err
	}
	if request.Actor, request.Metadata, err = s.change.parts(); err != nil {
		return err
	}
	if request.Preconditions, err = s.preconditions(); err != nil {
		return err
	}
	if request.Guards, err = s.shareGuards.messages(); err != nil {
		return err
	}
	answer, err := call(ctx, c, c.tuples().SetShares, request)
	if err != nil {
		return err
	}
	return c.print(answer, func() string { return writtenText(answer) })
}

// sharePath finds a part of a share, or a guard, in a message.
var sharePath = regexp.MustCompile(`\b(shares|guards)\[(\d+)\]\.(\w+)`)

// placed makes an error speak of arguments and flags; nil stays nil.
func (s *sharing) placed(err error, args []string) error {
	if err == nil {
		return nil
	}
	flags := map[string]string{"relation": "--as", "expires_at": "--expires"}
	texts := s.change.texts()
	lists := inLists(func(list string, index int) string {
		switch {
		case list == "objects" && index < len(args):
			return args[index]
		case list == "roles":
			return "--roles"
		case list == "preconditions" && index < len(texts):
			return texts[index]
		}
		return ""
	})
	return &placedError{err, func(message string) string {
		return lists(sharePath.ReplaceAllStringFunc(message, func(path string) string {
			parts := sharePath.FindStringSubmatch(path)
			index, err := strconv.Atoi(parts[2])
			switch {
			case err != nil:
				return path
			case parts[1] == "guards":
				return s.shareGuards.text(index, path)
			case parts[3] == "subject" && index < len(s.to):
				return "--to " + s.to[index]
			case flags[parts[3]] != "":
				return flags[parts[3]]
			}
			return path
		}))
	}}
}

// shareGuards is the flags that guard each share.
type shareGuards struct {
	actor, recipient, recipientIn []string
}

func (g *shareGuards) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&g.actor, "if-actor", nil, "only if the actor has this `RELATION` to every object (repeatable)")
	flags.StringArrayVar(&g.recipientIn, "if-recipient-in", nil, "only if every recipient that is given a right is in this `OBJECT#RELATION` (repeatable)")
	flags.StringArrayVar(&g.recipient, "if-recipient", nil, "only if every recipient that is given a right has this `RELATION` to every object (repeatable)")
}

// text returns the flag of a guard, by its place in the request.
func (g *shareGuards) text(index int, otherwise string) string {
	var all []string
	for _, list := range []struct {
		flag   string
		values []string
	}{{"--if-actor ", g.actor}, {"--if-recipient-in ", g.recipientIn}, {"--if-recipient ", g.recipient}} {
		for _, value := range list.values {
			all = append(all, list.flag+value)
		}
	}
	if index >= len(all) {
		return otherwise
	}
	return all[index]
}

// messages returns the guards of a request.
func (g *shareGuards) messages() (all []*usherv1.ShareGuard, err error) {
	for _, relation := range g.actor {
		all = append(all, &usherv1.ShareGuard{Guard: &usherv1.ShareGuard_ActorHas{ActorHas: relation}})
	}
	for _, text := range g.recipientIn {
		name, relation, ok := strings.Cut(text, "#")
		if !ok {
			return nil, fmt.Errorf("--if-recipient-in %q names no relation; write for example organisation:halden#member", text)
		}
		object, err := parseObject(name)
		if err != nil {
			return nil, fmt.Errorf("--if-recipient-in: %w", err)
		}
		in := &usherv1.Userset{Object: object, Relation: relation}
		all = append(all, &usherv1.ShareGuard{Guard: &usherv1.ShareGuard_RecipientIn{RecipientIn: in}})
	}
	for _, relation := range g.recipient {
		all = append(all, &usherv1.ShareGuard{Guard: &usherv1.ShareGuard_RecipientHas{RecipientHas: relation}})
	}
	return all, nil
}

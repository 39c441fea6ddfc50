package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// defaultAddr is where usher serve listens, and clients look for it, unless told otherwise.
const defaultAddr = "127.0.0.1:50051"

// maxMessageBytes bounds an answer: a model of 256 KiB or 10,000 long tuples fit in.
const maxMessageBytes = 64 << 20

// client is a connection to a server, with what the command's flags say about it.
type client struct {
	*program
	conn    *grpc.ClientConn
	addr    string
	store   string
	output  string // "table" or "json"
	timeout time.Duration
}

// remote makes cmd a client command: it gets a client's flags, and run is called with
// a connection.
func (p *program) remote(cmd *cobra.Command, run func(context.Context, *client, []string) error) *cobra.Command {
	c := &client{program: p}
	flags := cmd.Flags()
	flags.StringVar(&c.addr, "addr", cmp.Or(os.Getenv("USHER_ADDR"), defaultAddr), "`HOST:PORT` of the server (USHER_ADDR)")
	flags.StringVar(&c.store, "store", cmp.Or(os.Getenv("USHER_STORE"), "default"), "`NAME` or id of the store (USHER_STORE)")
	flags.StringVarP(&c.output, "output", "o", "table", "how to print: `table|json`")
	flags.DurationVar(&c.timeout, "timeout", 30*time.Second, "how long to wait for an answer, or for the next piece of a list")
	complete(cmd, "output", "table", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if c.output != "table" && c.output != "json" {
			return fmt.Errorf("--output %q is not known; use table or json", c.output)
		}
		if c.timeout <= 0 {
			return fmt.Errorf("--timeout %s is not positive; use for example 30s", c.timeout)
		}
		var err error
		if c.conn, err = grpc.NewClient(c.addr,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes)),
		); err != nil {
			return fmt.Errorf("--addr %q: %w; write HOST:PORT", c.addr, err)
		}
		defer c.conn.Close()
		if err := run(cmd.Context(), c, args); err != nil {
			return &callError{err: err, addr: c.addr, timeout: c.timeout}
		}
		return nil
	}
	return cmd
}

// patience is how long commands wait that can change as many tuples as there are.
const patience = 10 * time.Minute

// patient lets a client command wait longer than others do by default.
func patient(cmd *cobra.Command) *cobra.Command {
	flag := cmd.Flags().Lookup("timeout")
	flag.DefValue = patience.String()
	if err := flag.Value.Set(flag.DefValue); err != nil {
		panic(err) // it is a duration
	}
	return cmd
}

func (c *client) permissions() usherv1.PermissionServiceClient {
	return usherv1.NewPermissionServiceClient(c.conn)
}
func (c *client) tuples() usherv1.TupleServiceClient { return usherv1.NewTupleServiceClient(c.conn) }
func (c *client) models() usherv1.ModelServiceClient { return usherv1.NewModelServiceClient(c.conn) }
func (c *client) decisions() usherv1.DecisionServiceClient {
	return usherv1.NewDecisionServiceClient(c.conn)
}
func (c *client) stores() usherv1.StoreServiceClient { return usherv1.NewStoreServiceClient(c.conn) }

// call sends one request, within the client's timeout.
func call[Q, A any](ctx context.Context, c *client, method func(context.Context, Q, ...grpc.CallOption) (A, error), request Q) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return method(ctx, request)
}

// errSilent ends a stream on which nothing came within the client's timeout.
var errSilent = errors.New("nothing came within the timeout")

// errStop is how the taker of a stream ends it early, without a failure.
var errStop = errors.New("stop")

// receive opens a stream and gives each of its messages to take, until the stream
// ends, take returns [errStop], or nothing comes within the client's timeout.
func receive[Q, A any](
	ctx context.Context, c *client,
	method func(context.Context, Q, ...grpc.CallOption) (grpc.ServerStreamingClient[A], error), request Q,
	take func(*A) error,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(c.timeout, func() { cancel(errSilent) })
	defer silence.Stop()
	stream, err := method(ctx, request)
	for err == nil {
		var message *A
		if message, err = stream.Recv(); err == nil {
			silence.Reset(c.timeout)
			err = take(message)
		}
	}
	switch {
	case errors.Is(err, errStop), errors.Is(err, io.EOF):
		return nil
	case errors.Is(context.Cause(ctx), errSilent):
		return errSilent
	}
	return err
}

// print prints an answer: one line of JSON, or what text returns.
func (c *client) print(answer proto.Message, text func() string) error {
	if c.output == "table" {
		_, err := io.WriteString(c.stdout, text())
		return err
	}
	line, err := jsonLine(answer)
	if err != nil {
		return err
	}
	_, err = c.stdout.Write(line)
	return err
}

// note tells people something beside the output.
func (c *client) note(format string, args ...any) {
	fmt.Fprintf(c.stderr, format+"\n", args...)
}

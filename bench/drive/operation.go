package drive

import (
	"context"
	"fmt"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// Operation is a kind of request.
type Operation struct {
	Name string
	// Ask asks one of the requests, whichever number is given, and compares the answer with
	// the one that is right. It is called by many callers at once, with the numbers from 1 on.
	Ask func(ctx context.Context, number int) error

	server *Target // whose CPU time is counted; nil if no server is asked
}

// WrongAnswerError says that the server's answer is not the one that follows from how the
// library was made.
type WrongAnswerError struct {
	Asked, Got, Want string
}

// Error names the question and both answers.
func (e *WrongAnswerError) Error() string {
	return fmt.Sprintf("wrong answer: %s: the server says %s, right is %s", e.Asked, e.Got, e.Want)
}

// Health is the floor: an RPC that passes all interceptors and has nothing to do.
func (t *Target) Health() Operation {
	client := healthv1.NewHealthClient(t.connection)
	return Operation{Name: "health", server: t, Ask: func(ctx context.Context, _ int) error {
		response, err := client.Check(ctx, &healthv1.HealthCheckRequest{})
		if err == nil && response.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			return &WrongAnswerError{"health", response.GetStatus().String(), healthv1.HealthCheckResponse_SERVING.String()}
		}
		return err
	}}
}

// Named returns the operation under another name.
func (o Operation) Named(name string) Operation {
	o.Name = name
	return o
}

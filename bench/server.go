package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// callers is how many requests are under way at once.
const callers = 32

// measureServer asks a real server over gRPC, in turns with its health RPC.
func measureServer(ctx context.Context, s settings, path string, questions []question, r *report) error {
	server, err := startServer(ctx, s.usher, path)
	if err != nil {
		return err
	}
	defer server.stop()
	connection, err := grpc.NewClient(server.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()

	var health, check load32
	requests := toRequests(questions)
	healthClient, checkClient := healthv1.NewHealthClient(connection), usherv1.NewPermissionServiceClient(connection)
	var next atomic.Int64
	for range s.rounds {
		err := errors.Join(
			health.round(ctx, s.round, server, func(ctx context.Context) error {
				_, err := healthClient.Check(ctx, &healthv1.HealthCheckRequest{})
				return err
			}),
			check.round(ctx, s.round, server, func(ctx context.Context) error {
				i := int(next.Add(1)) % len(requests)
				response, err := checkClient.Check(ctx, requests[i])
				if err == nil && (response.Outcome == usherv1.Outcome_OUTCOME_ALLOWED) != questions[i].allowed {
					return fmt.Errorf("%v: %v, the engine said allowed=%v", requests[i], response.Outcome, questions[i].allowed)
				}
				return err
			}),
		)
		if err != nil {
			return err
		}
	}
	r.add("health RPC, 32 callers", health.String(), "")
	r.add("Check RPC, 32 callers", check.String(),
		fmt.Sprintf("%.2f × the health RPC's server CPU", check.cpuPerCall()/health.cpuPerCall()))
	return nil
}

func toRequests(questions []question) []*usherv1.CheckRequest {
	requests := make([]*usherv1.CheckRequest, len(questions))
	for i, q := range questions {
		requests[i] = &usherv1.CheckRequest{
			Object:   &usherv1.Object{Type: string(q.on.Object.Type), Id: string(q.on.Object.ID)},
			Relation: string(q.on.Relation),
			Subject:  &usherv1.Subject{Type: string(q.subject.Type), Id: string(q.subject.ID)},
		}
	}
	return requests
}

// load32 is what rounds of one kind of call came to.
type load32 struct {
	latencies []time.Duration
	elapsed   time.Duration
	cpu       time.Duration // of the server
}

// round makes calls from all callers for a while.
func (l *load32) round(ctx context.Context, length time.Duration, server *process, call func(context.Context) error) error {
	before, err := server.cpu()
	if err != nil {
		return err
	}
	start := time.Now()
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range callers {
		group.Go(func() {
			var own []time.Duration
			var err error
			for err == nil && time.Since(start) < length {
				began := time.Now()
				err = call(ctx)
				own = append(own, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			l.latencies = append(l.latencies, own...)
			failed = errors.Join(failed, err)
		})
	}
	group.Wait()
	l.elapsed += time.Since(start)
	after, err := server.cpu()
	l.cpu += after - before
	return errors.Join(failed, err)
}

func (l *load32) cpuPerCall() float64 { return float64(l.cpu) / float64(len(l.latencies)) }

// String returns throughput, latencies and CPU for the report.
func (l *load32) String() string {
	slices.Sort(l.latencies)
	n := len(l.latencies)
	return fmt.Sprintf("%.1f µs server CPU, %.0f/s, p50 %.2f ms, p99 %.2f ms", l.cpuPerCall()/1000,
		float64(n)/l.elapsed.Seconds(), ms(l.latencies[n/2]), ms(l.latencies[n*99/100]))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// process is a running server.
type process struct {
	command *exec.Cmd
	addr    string
}

// startServer runs the binary on free ports and waits until it listens.
func startServer(ctx context.Context, binary, path string) (*process, error) {
	command := exec.CommandContext(ctx, binary, "serve", "--db", path,
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--log-format", "json")
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("%w (make build makes it)", err)
	}
	p := &process{command: command}
	var seen bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(stderr, &seen))
	for lines.Scan() {
		var line struct {
			Addr string `json:"grpc"`
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Addr != "" {
			p.addr = line.Addr
			go io.Copy(io.Discard, stderr) //nolint:errcheck // ends with the process
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s did not start:\n%s%w", binary, seen.String(), errors.Join(command.Wait(), lines.Err()))
}

func (p *process) stop() {
	p.command.Process.Signal(syscall.SIGTERM) //nolint:errcheck // Wait tells
	p.command.Wait()                          //nolint:errcheck // its work is done
}

// tick is the unit of CPU time in /proc/PID/stat on Linux.
const tick = 10 * time.Millisecond

// cpu is the CPU time that the process has used, user and system.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	user, err1 := strconv.Atoi(string(fields[11]))
	system, err2 := strconv.Atoi(string(fields[12]))
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

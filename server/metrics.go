package server

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
)

// metrics counts calls under the names and labels of go-grpc-middleware's metrics, so that
// dashboards made for those go on working. Those look their labels up several times in
// every call; here a call finds all that is counted of its method by one look-up (decision
// 0016).
type metrics struct {
	started, handled, received, sent *prometheus.CounterVec
	seconds                          *prometheus.HistogramVec
}

// latencyBuckets are in seconds: from what a warm Check takes to the default deadline.
var latencyBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// methodLabels are those of every metric of a method.
var methodLabels = []string{"grpc_type", "grpc_service", "grpc_method"}

func newMetrics(registry *prometheus.Registry) *metrics {
	counter := func(name, help string, more ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "grpc_server_" + name, Help: help}, slices.Concat(methodLabels, more))
	}
	m := &metrics{
		started:  counter("started_total", "Calls that began."),
		handled:  counter("handled_total", "Calls that ended, by the code that the caller got.", "grpc_code"),
		received: counter("msg_received_total", "Messages that callers sent."),
		sent:     counter("msg_sent_total", "Messages that were sent to callers."),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "grpc_server_handling_seconds", Help: "Time from the first message of a call to its end.", Buckets: latencyBuckets,
		}, methodLabels),
	}
	registry.MustRegister(m.started, m.handled, m.received, m.sent, m.seconds)
	return m
}

// method is what interceptors know of one RPC.
type method struct {
	name                    string // such as /usher.v1.PermissionService/Check
	unbounded, endless      bool
	started, received, sent prometheus.Counter
	handled                 []prometheus.Counter // by code
	seconds                 prometheus.Observer
}

// methods returns the RPCs of a server by their full names. All that can be counted of them
// is shown from now on, with 0.
func (m *metrics) methods(services map[string]grpc.ServiceInfo) map[string]*method {
	found := make(map[string]*method)
	for service, offered := range services {
		for _, info := range offered.Methods {
			made := m.method(service, info)
			found[made.name] = made
		}
	}
	return found
}

func (m *metrics) method(service string, info grpc.MethodInfo) *method {
	labels := []string{kindOf(info), service, info.Name}
	name := "/" + service + "/" + info.Name
	made := &method{
		name:      name,
		unbounded: unbounded(name),
		endless:   endless(name),
		started:   m.started.WithLabelValues(labels...),
		received:  m.received.WithLabelValues(labels...),
		sent:      m.sent.WithLabelValues(labels...),
		seconds:   m.seconds.WithLabelValues(labels...),
	}
	for _, code := range codeNames() {
		made.handled = append(made.handled, m.handled.WithLabelValues(append(labels, code)...))
	}
	return made
}

// kindOf names the kind of an RPC as the label grpc_type does.
func kindOf(info grpc.MethodInfo) string {
	switch {
	case info.IsClientStream && info.IsServerStream:
		return "bidi_stream"
	case info.IsClientStream:
		return "client_stream"
	case info.IsServerStream:
		return "server_stream"
	}
	return "unary"
}

// ended counts the end of a call with the number of its code.
func (m *method) ended(code uint32, took time.Duration) {
	m.handled[code].Inc()
	m.seconds.Observe(took.Seconds())
}

// countedStream counts the messages of a stream.
type countedStream struct {
	grpc.ServerStream
	method *method
}

// SendMsg counts what was sent.
func (s *countedStream) SendMsg(message any) error {
	err := s.ServerStream.SendMsg(message)
	if err == nil {
		s.method.sent.Inc()
	}
	return err
}

// RecvMsg counts what was received.
func (s *countedStream) RecvMsg(message any) error {
	err := s.ServerStream.RecvMsg(message)
	if err == nil {
		s.method.received.Inc()
	}
	return err
}

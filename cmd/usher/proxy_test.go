package main

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy stands between a client and a server, and cuts their connections.
type proxy struct {
	addr string

	mu     sync.Mutex
	target string
	after  int64  // bytes from the client until the next cut
	cut    func() // what happens then, once
	open   []net.Conn
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: listener.Addr().String(), target: target}
	t.Cleanup(func() {
		listener.Close()
		p.cutAll()
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.join(client)
		}
	}()
	return p
}

// cutAfter has every connection cut when so many bytes more have gone through, towards the
// server or from it, and then does something else.
func (p *proxy) cutAfter(bytes int64, then func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after, p.cut = bytes, then
}

// moveTo sends connections to another server from now on.
func (p *proxy) moveTo(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *proxy) join(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		client.Close()
		return
	}
	p.open = append(p.open, client, server)
	go p.pass(client, server)
	go p.pass(server, client)
}

// pass copies from one side to the other, until either is cut.
func (p *proxy) pass(from, to net.Conn) {
	_, _ = io.Copy(to, io.TeeReader(from, (*meter)(p)))
	from.Close()
	to.Close()
}

func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.open {
		conn.Close()
	}
	p.open = nil
}

// meter counts what goes through a proxy.
type meter proxy

func (m *meter) Write(b []byte) (int, error) {
	m.mu.Lock()
	m.after -= int64(len(b))
	var cut func()
	if m.after <= 0 {
		cut, m.cut = m.cut, nil
	}
	m.mu.Unlock()
	if cut != nil {
		(*proxy)(m).cutAll()
		cut()
	}
	return len(b), nil
}

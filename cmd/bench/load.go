package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// order of work for the load process.
type loadOrder struct {
	Address string        `json:"address"`
	Clients int           `json:"clients"`
	Time    time.Duration `json:"time"`
	// Head is the request line and the header fields but Content-Length; it and
	// Body have holes for the value of a request.
	Head string `json:"head"`
	Body string `json:"body"`
	// Secret, when set, signs each body as the sandbox does.
	Secret string `json:"secret"`
	// Values are used in turn, once each unless Again says so; without any they
	// are Prefix and a number.
	Values []string `json:"values"`
	Again  bool     `json:"again"`
	Prefix string   `json:"prefix"`
}

// sample is what a round brought.
type sample struct {
	Took time.Duration `json:"took"`
	// Latencies has an entry for each request, in microseconds.
	Latencies []uint32 `json:"latencies"`
	// Processor time, of all requests together: of the floor or the service, of
	// the database, and of the load process.
	programTime, databaseTime, loadTime time.Duration
}

func (s sample) rate() float64 { return float64(len(s.Latencies)) / s.Took.Seconds() }

// load reads an order from in, carries it out and writes the sample to out.
func load(ctx context.Context, in io.Reader, out io.Writer) error {
	var o loadOrder
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return err
	}
	clients := make([]*client, o.Clients)
	for i := range clients {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", o.Address)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }() //nolint:gocritic // all of them live until the load is done
		clients[i] = newClient(conn, &o)
	}
	s, err := timed(ctx, o.Clients, o.Time, o.supply(), func(worker int, i int) error {
		return clients[worker].exchange(o.value(i))
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(s)
}

func (o *loadOrder) supply() int {
	if o.Again || len(o.Values) == 0 {
		return 0
	}
	return len(o.Values)
}

func (o *loadOrder) value(i int) string {
	if len(o.Values) == 0 {
		return o.Prefix + strconv.Itoa(i)
	}
	return o.Values[i%len(o.Values)]
}

// timed has workers do work until the time is over or the supply (0 for no end)
// is used up, and takes the time of each piece.
func timed(ctx context.Context, workers int, length time.Duration, supply int, work func(worker, i int) error) (sample, error) {
	latencies := make([][]uint32, workers)
	var next atomic.Int64
	begun := time.Now()
	err := together(workers, func(worker int) error {
		at := time.Now()
		for at.Sub(begun) < length && ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if supply > 0 && i >= supply {
				return nil
			}
			if err := work(worker, i); err != nil {
				return err
			}
			done := time.Now()
			latencies[worker] = append(latencies[worker], uint32(done.Sub(at).Microseconds()))
			at = done
		}
		return ctx.Err()
	})
	s := sample{Took: time.Since(begun)}
	for _, l := range latencies {
		s.Latencies = append(s.Latencies, l...)
	}
	return s, err
}

// client sends requests over one connection. It does as little as it can, so
// that the machine is left to what is measured.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
	order  *loadOrder
	head   []string // between the holes
	body   []string
	out    []byte
	filled []byte
}

func newClient(conn net.Conn, o *loadOrder) *client {
	return &client{
		conn: conn, reader: bufio.NewReaderSize(conn, 16<<10), order: o,
		head: strings.Split(o.Head, hole), body: strings.Split(o.Body, hole),
	}
}

func (c *client) exchange(value string) error {
	c.filled = fillHoles(c.filled[:0], c.body, value)
	c.out = fillHoles(c.out[:0], c.head, value)
	if c.order.Secret != "" {
		c.out = sign(c.out, c.order.Secret, c.filled)
	}
	if len(c.filled) > 0 {
		c.out = append(c.out, "Content-Length: "...)
		c.out = strconv.AppendInt(c.out, int64(len(c.filled)), 10)
		c.out = append(c.out, "\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
	c.out = append(c.out, c.filled...)
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	return c.answer()
}

func fillHoles(out []byte, parts []string, value string) []byte {
	for i, part := range parts {
		if i > 0 {
			out = append(out, value...)
		}
		out = append(out, part...)
	}
	return out
}

// sign adds the header field that proves that the sandbox sent the body.
func sign(out []byte, secret string, body []byte) []byte {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	out = append(out, "Sandbox-Signature: t="+stamp+",v1="...)
	out = hex.AppendEncode(out, mac.Sum(nil))
	return append(out, "\r\n"...)
}

var (
	lengthField  = []byte("Content-Length: ")
	chunkedField = []byte("Transfer-Encoding: chunked")
)

// answer reads an answer, which must be 200, and drops its body.
func (c *client) answer() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	ok := bytes.HasPrefix(line, []byte("HTTP/1.1 200 "))
	status := string(line[:min(len(line), len("HTTP/1.1 200"))])
	length, chunked := 0, false
	for {
		if line, err = c.line(); err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		if text, found := bytes.CutPrefix(line, lengthField); found {
			if length, err = strconv.Atoi(string(text)); err != nil {
				return err
			}
		}
		chunked = chunked || bytes.Equal(line, chunkedField)
	}
	if !ok {
		text, _ := c.reader.Peek(min(length, 500)) // what there is of it
		return fmt.Errorf("the service answered %s: %s", status, text)
	}
	if !chunked {
		_, err = c.reader.Discard(length)
		return err
	}
	return c.dropChunks()
}

func (c *client) dropChunks() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return err
		}
		if _, err := c.reader.Discard(int(size) + len("\r\n")); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

func (c *client) line() ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the service closed the connection")
	}
	return bytes.TrimRight(line, "\r\n"), err
}

package simulation

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"encoding/json"

	"github.com/paysvc/paysvc/internal/sandbox"
)

// network is an instance's way to the PSP.
type network struct {
	h  *history
	at *instance
}

// request is what the network can read of a request to the PSP.
type request struct {
	method, path string
	// reference is ours: of what is asked for, or asked about.
	reference string
	body      []byte
}

func (r request) String() string {
	return strings.TrimSpace(r.method + " " + r.path + " " + r.ofBody())
}

func (r request) ofBody() string {
	if strings.HasSuffix(r.path, r.reference) {
		return ""
	}
	return r.reference
}

// moves tells of a request that may move money.
func (r request) moves() bool {
	return r.method == http.MethodPost && !strings.HasSuffix(r.path, "/close")
}

// pathList is where the PSP lists what it did.
const pathList = "/operations"

func readRequest(req *http.Request) (request, error) {
	r := request{method: req.Method, path: strings.TrimPrefix(req.URL.Path, "/sandbox/v1")}
	var err error
	if req.Body != nil {
		if r.body, err = io.ReadAll(req.Body); err != nil {
			return r, err
		}
		req.Body = io.NopCloser(bytes.NewReader(r.body))
	}
	var named struct {
		Reference string `json:"reference"`
	}
	if len(r.body) > 0 && json.Unmarshal(r.body, &named) == nil && named.Reference != "" {
		r.reference = named.Reference
		return r, nil
	}
	parts := strings.Split(strings.TrimSuffix(r.path, "/close"), "/")
	r.reference = parts[len(parts)-1]
	return r, nil
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	r, err := readRequest(req)
	if err != nil {
		return nil, err
	}
	ctx, h := req.Context(), n.h
	who := whoIn(ctx)
	f := h.sched.pass(&gate{
		who: who, what: "psp > " + r.String(), at: n.at,
		faults: []fault{refused, lostRequest, brokenSend, zombie, failedIn, stalled},
	}, ctx.Done())
	if f == refused {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	if f == died || ctx.Err() != nil {
		return nil, syscall.ECONNRESET
	}
	if f == stalled {
		time.Sleep(h.stall())
	}
	h.left(ctx, r)
	switch f {
	case lostRequest:
		return nil, gone(ctx)
	case brokenSend:
		return nil, io.ErrUnexpectedEOF
	case zombie:
		h.landLater(r, req)
		return nil, gone(ctx)
	case failedIn:
		return answer(http.StatusServiceUnavailable, `{"error":{"code":"closed","message":"Later."}}`), nil
	default:
	}
	return n.answered(req, r, who)
}

// answered carries a request to the PSP, and its answer back.
func (n *network) answered(req *http.Request, r request, who string) (*http.Response, error) {
	h, ctx := n.h, req.Context()
	if r.path == pathList {
		query := req.URL.Query()
		query.Set("limit", h.pageOf())
		req = req.Clone(ctx)
		req.URL.RawQuery = query.Encode()
	}
	resp, err := sandbox.Transport(h.psp.Handler()).RoundTrip(req)
	if err != nil {
		return nil, err
	}
	g := &gate{
		who: who, what: fmt.Sprintf("psp < %d %s", resp.StatusCode, r.String()), at: n.at,
		faults: []fault{lostAnswer, brokenRead, failedOut, garbage},
	}
	if r.method == http.MethodGet && r.path != pathList {
		g.faults = append(g.faults, lagging)
	}
	switch h.sched.pass(g, ctx.Done()) {
	case died, brokenRead:
		return nil, io.ErrUnexpectedEOF
	case lostAnswer:
		return nil, gone(ctx)
	case failedOut:
		return answer(http.StatusInternalServerError, `{"error":{"code":"internal_error","message":"Sorry."}}`), nil
	case garbage:
		return answer(http.StatusOK, `{"id":"sbx_`), nil
	case lagging:
		if h.mayLag(r.reference) {
			return answer(http.StatusNotFound, `{"error":{"code":"not_found","message":"No payment has this reference."}}`), nil
		}
	default:
	}
	return resp, nil
}

// gone waits until nobody waits for the answer any more.
func gone(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// left is called when the first byte of a request has left us: what may move money
// must be in the books by then, and must not have left before.
func (h *history) left(ctx context.Context, r request) {
	if _, known := h.leftAt[r.reference]; !known {
		h.leftAt[r.reference] = time.Now()
	}
	if !r.moves() {
		return
	}
	h.count.charges++
	if h.sends[r.reference]++; h.sends[r.reference] > 1 {
		h.violate("I2", "%s was sent twice", r)
	}
	rows, err := h.db.look("select state from transactions where reference = '" + r.reference + "'")
	if err != nil {
		h.violate("harness", "%v", err)
	}
	if len(rows) != 1 {
		h.violate("I2", "%s was sent before it was in the books", r)
	}
	h.leftFor(ctx, r)
}

// leftFor is called with what a client's request has the PSP do: under one key that
// is done once (I8), and money goes back once (I13).
func (h *history) leftFor(ctx context.Context, r request) {
	x, _ := ctx.Value(asked{}).(*exchange)
	if x == nil || x.key == "" {
		return
	}
	invariant, most := "I13", 1
	switch {
	case r.path == "/payments", r.path == pathTake:
		invariant, most = "I8", x.parts()
	case strings.HasSuffix(r.path, "/increases"):
		invariant = "I8"
	}
	at := x.path + " " + x.key + " > " + r.path
	if h.sends[at]++; h.sends[at] > most {
		h.violate(invariant, "%s of %s was carried out again: %s", x.path, x.key, r)
	}
}

// landMargin is how much later than it was announced a request may leave us.
const landMargin = 20 * time.Second

// landLater has a request arrive once we have given it up, but while the PSP still
// says that it may.
func (h *history) landLater(r request, req *http.Request) {
	after := pspTimeout + time.Duration(h.sched.rng.Int64N(int64(finality-pspTimeout-landMargin)))
	ctx := as(context.WithoutCancel(req.Context()), "zombie "+r.reference)
	again := req.Clone(ctx)
	again.Body = io.NopCloser(bytes.NewReader(r.body))
	h.spawn(whoIn(ctx), func(context.Context) {
		time.Sleep(after)
		if h.sched.pass(&gate{who: whoIn(ctx), what: "psp > " + r.String() + " lands"}, nil) == died {
			return
		}
		cut, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if resp, err := sandbox.Transport(h.psp.Handler()).RoundTrip(again.WithContext(cut)); err == nil {
			_ = resp.Body.Close()
		}
	})
}

// mayLag tells whether the PSP may still say that it does not know what it was sent.
func (h *history) mayLag(reference string) bool {
	at, known := h.leftAt[reference]
	return !known || time.Since(at) < finality-landMargin
}

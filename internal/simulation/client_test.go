package simulation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"encoding/json"
)

// exchange is a request to the API and what became of it.
type exchange struct {
	who, method, path, key string
	sent                   []byte
	status                 int // 0 where there was no answer
	replayed               bool
	body                   []byte
	said                   said
}

// said is what an answer says.
type said struct {
	Code       string `json:"code"`
	MoneyMoved string `json:"money_moved"`
	NextAction *struct {
		URL string `json:"url"`
	} `json:"next_action"`
	ID     string `json:"id"`
	Secret string `json:"secret"`
	Total  string `json:"total"`
	// PaymentStatus is that of an order.
	PaymentStatus string `json:"payment_status"`
	Order         struct {
		ID            string `json:"id"`
		PaymentStatus string `json:"payment_status"`
	} `json:"order"`
	Payments []struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	} `json:"payments"`
}

// asked is the key of a context under which it has the exchange that it serves.
type asked struct{}

// parts is how many payments a request may begin.
func (x *exchange) parts() int {
	var sent struct {
		Payments []json.RawMessage `json:"payments"`
	}
	_ = json.Unmarshal(x.sent, &sent) // not all are JSON
	return max(1, len(sent.Payments))
}

var errConnection = errors.New("the connection is gone")

// serve has an instance answer a request. A client that goes away after a while
// leaves it to the instance what becomes of it; zero never goes.
func (i *instance) serve(ctx context.Context, req *http.Request, patience time.Duration) (*http.Response, error) {
	type result struct{ recorder *httptest.ResponseRecorder }
	served := make(chan result, 1)
	ctx, cancel := context.WithCancel(ctx)
	i.h.group.Go(func() {
		defer cancel()
		recorder := httptest.NewRecorder()
		req := req.WithContext(ctx)
		req.RemoteAddr, req.RequestURI = "192.0.2.7:4711", req.URL.RequestURI()
		i.api.ServeHTTP(recorder, req)
		served <- result{recorder}
	})
	var leaves <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		leaves = timer.C
	}
	select {
	case r := <-served:
		if i.isDead() {
			return nil, errConnection
		}
		return r.recorder.Result(), nil
	case <-i.dead:
	case <-leaves:
		cancel()
	}
	return nil, errConnection
}

// send sends a request of the store, or of a browser, and writes down what came of
// it. No answer is an exchange of status 0.
func (h *history) send(ctx context.Context, method, path, key string, body any) *exchange {
	key = strings.ReplaceAll(key, " ", "-")
	x := &exchange{who: whoIn(ctx), method: method, path: path, key: key}
	if body != nil {
		x.sent, _ = json.Marshal(body)
	}
	i := h.alive(x.who)
	if i == nil {
		time.Sleep(3 * time.Second)
		return x
	}
	f := h.sched.pass(&gate{who: x.who, what: method + " " + path + " " + key, at: i, faults: []fault{hungUp, unanswered}}, nil)
	if f == died {
		time.Sleep(time.Second)
		return x
	}
	req, err := http.NewRequestWithContext(ctx, method, ourURL+path, bytes.NewReader(x.sent))
	if err != nil {
		h.violate("harness", "%v", err)
		return x
	}
	req.Header.Set("Authorization", "Bearer "+h.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	var patience time.Duration
	if f == hungUp {
		patience = time.Duration(1 + h.rng(fmt.Sprint(x.who, " hangs up ", len(h.answers))).Int64N(int64(3*time.Second)))
	}
	resp, err := i.serve(context.WithValue(ctx, asked{}, x), req, patience)
	if err != nil || f == unanswered {
		return x
	}
	x.status, x.replayed = resp.StatusCode, resp.Header.Get("Idempotent-Replayed") == "true"
	var read bytes.Buffer
	_, _ = read.ReadFrom(resp.Body)
	x.body = read.Bytes()
	_ = json.Unmarshal(x.body, &x.said) // pages are not JSON
	h.mu.Lock()
	h.answers = append(h.answers, x)
	h.mu.Unlock()
	h.trace.note("%s: %d %s%s", x.who, x.status, x.said.Code, x.said.MoneyMoved)
	// What has no key, and was never told whether it is committed, knows nothing better.
	unknown := (strings.HasPrefix(path, "/v1/webhook-endpoints") || strings.HasPrefix(path, "/v1/gift-cards")) &&
		(h.plan.on[lostCommit.class()] || h.plan.on[cutAfter.class()])
	if x.status == http.StatusInternalServerError && !unknown {
		h.violate("I9", "%s %s was answered with 500: %s", method, path, x.body)
	}
	return x
}

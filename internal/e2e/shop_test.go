package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shop is a storefront's server: a client of the API.
type shop struct {
	t      testing.TB
	base   string
	key    string
	token  string // of one order, for publishable keys
	client *http.Client
}

func newShop(t testing.TB, base, key string) *shop {
	return &shop{t: t, base: base, key: key, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 32},
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what the API said, read the way that the tests need it.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // the connection broke
}

// try sends a request and may get no answer. An idempotency key goes with POST.
func (s *shop) try(method, path, idempotencyKey, body string) answer {
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
	}
	if s.token != "" {
		req.Header.Set("X-Order-Token", s.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: text, err: err}
}

// do sends a request that must be answered with the status.
func (s *shop) do(status int, method, path, idempotencyKey, body string) answer {
	s.t.Helper()
	a := s.try(method, path, idempotencyKey, body)
	require.NoError(s.t, a.err)
	require.Equal(s.t, status, a.status, "%s %s: %s", method, path, a.body)
	return a
}

// async sends a request without waiting for its answer.
func (s *shop) async(method, path, idempotencyKey, body string) <-chan answer {
	answers := make(chan answer, 1)
	go func() { answers <- s.try(method, path, idempotencyKey, body) }()
	return answers
}

// order is an order as the API shows it.
type order struct {
	ID            string
	Number        string
	Status        string
	PaymentStatus string `json:"payment_status"`
	Total         string
	Review        *struct{ Kind string }
	HasNews       bool `json:"has_new_payment_notification"`
	Amounts       struct{ Authorized, Captured, Refunded, Voided, Due string }
	Payments      []struct {
		Method, Status string
		Transactions   []transaction
	}
}

type transaction struct {
	ID, Type, State, Amount, Reference string
	Reason                             *struct{ Code string }
}

// transactions are those of all payments.
func (o order) transactions() []transaction {
	var all []transaction
	for _, p := range o.Payments {
		all = append(all, p.Transactions...)
	}
	return all
}

// paid is the answer of pay.
type paid struct {
	Order      order
	NextAction *struct{ Type, URL, Kind, Content string } `json:"next_action"`
	MoneyMoved string                                     `json:"money_moved"`
	Redirect   string                                     `json:"redirect_url"`
}

// problem is the answer to what did not work.
type problem struct {
	Code       string
	Status     int
	MoneyMoved string `json:"money_moved"`
	Reason     *struct{ Code string }
}

func read[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	require.NoError(t, a.err)
	require.NoError(t, json.Unmarshal(a.body, &v), "%s", a.body)
	return v
}

// newOrder creates an order over 129.95 and returns its id; more is put into its
// JSON.
func (s *shop) newOrder(number, more string) string {
	s.t.Helper()
	a := s.do(http.StatusCreated, http.MethodPost, "/v1/orders", "create-"+number, orderJSON(number, more))
	return read[order](s.t, a).ID
}

func orderJSON(number, more string) string {
	return `{"number": "` + number + `", "currency": "EUR", "total": "129.95",
		"lines": [{"sku": "A-1", "name": "Lamp", "quantity": 1, "unit_price": "129.95", "total": "129.95"}],
		"customer": {"email": "a@example.org", "name": "A. Person"}` + more + `}`
}

func (s *shop) order(id string) order {
	s.t.Helper()
	return read[order](s.t, s.do(http.StatusOK, http.MethodGet, "/v1/orders/"+id, "", ""))
}

// pay pays an order with a method; data is JSON or "".
func (s *shop) pay(id, idempotencyKey, method string) answer {
	s.t.Helper()
	return s.try(http.MethodPost, "/v1/orders/"+id+"/pay", idempotencyKey, payJSON(method))
}

func payJSON(method string) string { return `{"method": "` + method + `"}` }

// submit tells that the shopper came back: the PSP is asked.
func (s *shop) submit(id string) order {
	s.t.Helper()
	return read[order](s.t, s.do(http.StatusOK, http.MethodPost, "/v1/orders/"+id+"/submit", "", ""))
}

// awaitOrder polls an order until it is as wanted.
func (s *shop) awaitOrder(id, what string, as func(o order) bool) order {
	s.t.Helper()
	var last order
	deadline := time.Now().Add(patience)
	for last = s.order(id); !as(last); last = s.order(id) {
		require.True(s.t, time.Now().Before(deadline), "%s: order is %s, %s", what, last.Status, last.PaymentStatus)
		pause()
	}
	return last
}

func isPaid(o order) bool { return o.PaymentStatus == "paid" }

// pause is between two looks at something.
func pause() { <-time.After(pollWait) }

// setStock sets the stock of the article that the orders are about.
func (s *shop) setStock(quantity string) {
	s.t.Helper()
	s.do(http.StatusOK, http.MethodPut, "/v1/stock", "", `{"items": [{"sku": "A-1", "quantity": `+quantity+`}]}`)
}

func (s *shop) stock() int {
	s.t.Helper()
	return read[struct{ Quantity int }](s.t, s.do(http.StatusOK, http.MethodGet, "/v1/stock/A-1", "", "")).Quantity
}

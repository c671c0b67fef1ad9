package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/sandbox"
)

// recordings are what the floor replays and the load sends.
type recordings struct {
	pay, status *recording
	// changes are the operations on orders that were prepared before.
	changes map[string]*change
	// notice is the notification that confirmed an order, with holes for another's.
	notice string
}

// change is an operation on an order of the same request: how that was made, and
// what was done with it then.
type change struct {
	method     string // that the order was paid by
	made, done *recording
	order      payment.OrderID // the recorded one
}

// hole stands, in what the load sends, for what differs between requests.
const hole = "{value}"

const (
	apiKey      = "paysk_test_bench"
	confirmPath = "/confirm/sandbox/sandbox"
	publicURL   = "http://127.0.0.1:8080"
)

// orderWith is the order that every pay makes: three lines and an address. It
// has no article numbers and no e-mail address: deducting stock and sending a
// mail are background work, which neither side is measured by.
func orderWith(method string) string {
	return `{"number":"` + hole + `","currency":"EUR","total":"129.95","lines":[` +
		`{"name":"Lamp","quantity":1,"unit_price":"60.00","total":"60.00"},` +
		`{"name":"Bulb, warm white","quantity":2,"unit_price":"25.00","total":"50.00"},` +
		`{"name":"Cord","quantity":1,"unit_price":"10.00","total":"10.00"}],` +
		`"shipping":"9.95","tax":"20.75","tax_included":true,"customer":{"id":"c-77","name":"A. Person"},` +
		`"billing_address":{"name":"A. Person","line1":"Main Street 1","postal_code":"1000 AA","city":"Town","country":"NL"},` +
		`"locale":"nl","pay":{"method":"` + method + `"}}`
}

// firstPayment is the number of the payment that an order is made with: it is the
// first child that the order numbers.
const firstPayment = 1

func eventOf(reference string) string { return "evt_" + reference }

// session is a service in this process that is asked once for each operation.
type session struct {
	*served
	recorder *recorder
	client   *http.Client
	notices  chan []byte
}

// record carries out one request of each kind and keeps what it sent.
func record(ctx context.Context, databaseURL string) (*recordings, error) {
	s := &session{recorder: &recorder{}, notices: make(chan []byte, 1)}
	var err error
	s.served, err = wiring{
		databaseURL: databaseURL, publicURL: publicURL, secret: "recorded", tracer: s.recorder,
		notify: &http.Client{Transport: s},
	}.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.client = &http.Client{Transport: sandbox.Transport(s.api)}
	if err := s.makeKey(ctx); err != nil {
		return nil, err
	}
	if _, _, err := s.order(ctx, "card", "recorded-0"); err != nil { // looks up the API key, which is then known for a second
		return nil, err
	}
	r := &recordings{changes: map[string]*change{}}
	if err := s.recordPay(ctx, r); err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	if err := s.recordConfirm(ctx, r); err != nil {
		return nil, fmt.Errorf("confirm: %w", err)
	}
	for _, operation := range []string{opCapture, opRefund, opVoid} {
		if err := s.recordOperation(ctx, r, operation); err != nil {
			return nil, fmt.Errorf("%s: %w", operation, err)
		}
	}
	r.status, err = s.recorder.during(func() error {
		_, err := s.request(ctx, http.MethodGet, "/v1/orders/"+r.changes[opConfirm].order.String()+"/status", "", "")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	r.status.parametrize()
	return r, r.check()
}

// makeKey makes the API key that all requests of the bench use.
func (s *session) makeKey(ctx context.Context) error {
	hash := sha256.Sum256([]byte(apiKey))
	return s.store.CreateKey(ctx, payment.APIKey{
		ID: "key_bench", Hash: hash[:], Store: "demo", Kind: payment.SecretKey, Name: "bench", CreatedAt: time.Now(),
		Scopes: []payment.Scope{payment.ScopeOrders, payment.ScopePayments, payment.ScopeRefunds, payment.ScopeRead, payment.ScopeAdmin},
	}, payment.ByCommandLine(time.Now()))
}

func (s *session) recordPay(ctx context.Context, r *recordings) (err error) {
	var reference string
	r.pay, err = s.recorder.during(func() error {
		_, reference, err = s.order(ctx, "card", "recorded-1")
		return err
	})
	r.pay.parametrize("recorded-1", "recorded-1-key", reference)
	return err
}

// recordMade makes an order that something is done with later, and returns its
// reference at the PSP.
func (s *session) recordMade(ctx context.Context, method, number string) (c *change, reference string, err error) {
	c = &change{method: method}
	c.made, err = s.recorder.during(func() error {
		c.order, reference, err = s.order(ctx, method, number)
		return err
	})
	c.made.parametrize(number, number+"-key", reference)
	return c, reference, err
}

func (s *session) recordConfirm(ctx context.Context, r *recordings) error {
	c, reference, err := s.recordMade(ctx, "wallet", "recorded-2")
	if err != nil {
		return err
	}
	c.done, err = s.recorder.during(func() error {
		_, err := s.request(ctx, http.MethodPost, "/sandbox/payments/"+reference+"/notify", "", `{"event":"paid"}`)
		return err
	})
	if err != nil {
		return err
	}
	var notice struct {
		ID string `json:"id"`
	}
	body := <-s.notices
	if err := json.Unmarshal(body, &notice); err != nil {
		return err
	}
	c.done.parametrize(reference, notice.ID)
	r.changes[opConfirm] = c
	r.notice = strings.NewReplacer(notice.ID, eventOf(hole), reference, hole).Replace(string(body))
	return nil
}

// methodOf is how an order is paid that something is done with later.
func methodOf(operation string) string {
	if operation == opRefund {
		return "card"
	}
	return "card-manual"
}

// recordOperation records a capture, a refund or a void of all that there is.
func (s *session) recordOperation(ctx context.Context, r *recordings, operation string) error {
	c, _, err := s.recordMade(ctx, methodOf(operation), "recorded-"+operation)
	if err != nil {
		return err
	}
	paid := payment.PaymentID{Order: c.order, N: firstPayment}
	var answer []byte
	c.done, err = s.recorder.during(func() error {
		answer, err = s.request(ctx, http.MethodPost, "/v1/payments/"+paid.String()+"/"+operation, paid.String(), "{}")
		return err
	})
	if err != nil {
		return err
	}
	var view struct {
		Transactions []transactionView `json:"transactions"`
	}
	if err := json.Unmarshal(answer, &view); err != nil {
		return err
	}
	if len(view.Transactions) != 1 {
		return errors.New("the operation does not have one transaction")
	}
	c.done.parametrize(paid.String(), view.Transactions[0].Reference)
	r.changes[operation] = c
	return nil
}

// RoundTrip keeps the notification that the sandbox sends, and delivers it.
func (s *session) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	s.notices <- body
	req.Body = io.NopCloser(bytes.NewReader(body))
	return sandbox.Transport(s.api).RoundTrip(req)
}

type transactionView struct {
	Reference string `json:"reference"`
}

// order makes an order, pays it, and returns it with our reference at the PSP.
func (s *session) order(ctx context.Context, method, number string) (payment.OrderID, string, error) {
	answer, err := s.request(ctx, http.MethodPost, "/v1/orders", number+"-key",
		strings.ReplaceAll(orderWith(method), hole, number))
	if err != nil {
		return payment.OrderID{}, "", err
	}
	var view struct {
		Order struct {
			ID string `json:"id"`
		} `json:"order"`
		Payment struct {
			Transactions []transactionView `json:"transactions"`
		} `json:"payment"`
	}
	if err := json.Unmarshal(answer, &view); err != nil {
		return payment.OrderID{}, "", err
	}
	if len(view.Payment.Transactions) != 1 {
		return payment.OrderID{}, "", errors.New("the payment does not have one transaction")
	}
	id, err := payment.ParseOrderID(view.Order.ID)
	return id, view.Payment.Transactions[0].Reference, err
}

func (s *session) request(ctx context.Context, method, path, key, body string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, publicURL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s answered %d: %.300s", method, path, resp.StatusCode, answer)
	}
	return answer, err
}

// check refuses recordings that are not what the table says they are.
func (r *recordings) check() error {
	type expected struct {
		name    string
		made    *recording
		trips   int
		commits int
	}
	all := []expected{
		{opPay, r.pay, 3, 2}, {opConfirm, r.changes[opConfirm].done, 2, 1}, {opStatus, r.status, 1, 0},
		{opCapture, r.changes[opCapture].done, 4, 2}, {opRefund, r.changes[opRefund].done, 4, 2}, {opVoid, r.changes[opVoid].done, 4, 2},
	}
	for operation, c := range r.changes {
		all = append(all, expected{"the order for " + operation, c.made, 3, 2})
	}
	for _, want := range all {
		commits := 0
		for _, s := range want.made.steps {
			if s.batch && s.ends() {
				commits++
			}
		}
		if len(want.made.steps) != want.trips || commits != want.commits {
			return fmt.Errorf("%s took %d round trips and %d commits, not %d and %d",
				want.name, len(want.made.steps), commits, want.trips, want.commits)
		}
	}
	return nil
}

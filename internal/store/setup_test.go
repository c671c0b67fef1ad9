package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/internal/store"
)

// bundle is what a test of the store starts with: a database of its own, a clock
// that stands still, and ids that are the same in each run.
type bundle struct {
	*store.Store
	t   *testing.T
	url string
	// raw reads and writes around the store.
	raw    *pgxpool.Pool
	ids    *payment.IDs
	clock  atomic.Int64 // in microseconds
	tracer *recorder
	orders atomic.Int64
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, url: pgtest.Database(t), tracer: &recorder{}}
	b.clock.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMicro())
	b.ids = payment.NewIDs(b.now, rand.NewChaCha8([32]byte{1}))
	var err error
	b.Store, err = store.Open(t.Context(), b.url, store.Options{NewID: b.ids.New, Tracer: b.tracer, GiftCardKey: cardKey(t, 1)})
	require.NoError(t, err)
	t.Cleanup(b.Close)
	b.raw, err = pgxpool.New(t.Context(), b.url)
	require.NoError(t, err)
	t.Cleanup(b.raw.Close)
	return b
}

func (b *bundle) now() time.Time { return time.UnixMicro(b.clock.Load()).UTC() }

// by begins the entry of what somebody does now.
func (b *bundle) by() payment.AuditEntry { return payment.ByActor("key_1", b.now()) }

// tick lets time pass and returns what it is then.
func (b *bundle) tick(d time.Duration) time.Time {
	b.clock.Add(d.Microseconds())
	return b.now()
}

// exec runs a statement around the store.
func (b *bundle) exec(statement string, args ...any) {
	b.t.Helper()
	_, err := b.raw.Exec(b.t.Context(), statement, args...)
	require.NoError(b.t, err)
}

// value reads one value around the store.
func value[T any](b *bundle, query string, args ...any) (v T) {
	b.t.Helper()
	require.NoError(b.t, b.raw.QueryRow(b.t.Context(), query, args...).Scan(&v))
	return v
}

var eur = currency("EUR")

func currency(code string) payment.Currency {
	c, err := payment.ParseCurrency(code)
	if err != nil {
		panic(err)
	}
	return c
}

func money(amount, code string) payment.Money {
	m, err := payment.ParseMoney(amount, currency(code))
	if err != nil {
		panic(err)
	}
	return m
}

// order creates an order of 30.00 EUR: two lamps and a bulb. change may alter it
// before it is written.
func (b *bundle) order(storeName string, change func(o *payment.Order)) *payment.Order {
	b.t.Helper()
	return b.priced(storeName, "30.00", "EUR", change)
}

func (b *bundle) priced(storeName, total, code string, change func(o *payment.Order)) *payment.Order {
	b.t.Helper()
	c := currency(code)
	o := &payment.Order{
		ID: payment.OrderID(b.ids.New()), Store: storeName, ContentHash: []byte("hash"),
		ClientToken: b.ids.Token(), ReturnToken: b.ids.Token(), CreatedAt: b.now(), UpdatedAt: b.now(),
		Details: payment.Details{
			Number: strconv.Itoa(10000 + int(b.orders.Add(1))), Currency: c, Total: money(total, code),
			Shipping: payment.Zero(c), Discount: payment.Zero(c), Tax: payment.Zero(c),
			Lines: []payment.Line{
				{SKU: "lamp", Name: "Lamp", Quantity: 2, UnitPrice: money("10", code), Total: money("20", code)},
				{SKU: "bulb", Name: "Bulb", Quantity: 1, UnitPrice: money("10", code), Total: money("10", code)},
			},
			Customer: payment.Customer{ID: "c-1", Email: "Ann@Example.org", Name: "Ann"},
		},
		Progress: payment.Progress{Status: payment.OrderPending},
	}
	if change != nil {
		change(o)
	}
	o.Save()
	err := b.Stretch(b.t.Context(), payment.Opening{New: o, Token: b.ids.New()},
		func(*payment.Order) (payment.Closing, error) { return payment.Closing{}, nil })
	require.NoError(b.t, err)
	return o
}

// work runs a stretch on an order.
func (b *bundle) work(id payment.OrderID, work func(o *payment.Order) payment.Closing) {
	b.t.Helper()
	err := b.Stretch(b.t.Context(), payment.Opening{Order: id, Token: b.ids.New()},
		func(o *payment.Order) (payment.Closing, error) { return work(o), nil })
	require.NoError(b.t, err)
}

// pay announces a payment of the whole order by a method, and tells its state.
// It returns our reference of the transaction.
func (b *bundle) pay(id payment.OrderID, method string, state payment.State) string {
	b.t.Helper()
	reference := b.ids.Reference()
	b.work(id, func(o *payment.Order) payment.Closing {
		now := b.now()
		p := o.OpenPayment(method, method+"-gateway", "main", payment.ModeTest, o.Total, now)
		o.Announce(p, payment.AuthorizeAndCapture, reference, o.Total, now, now.Add(15*time.Second))
		return payment.Closing{}
	})
	if state == payment.Sending {
		return reference
	}
	b.work(id, func(o *payment.Order) payment.Closing {
		_, err := o.Record(payment.Fact{
			Source: payment.SourceAnswer, Reference: reference, State: state, GatewayReference: "psp-" + reference,
		}, b.now())
		require.NoError(b.t, err)
		return payment.Closing{}
	})
	return reference
}

// stage stages effects on an order, due now.
func (b *bundle) stage(id payment.OrderID, change func(o *payment.Order)) {
	b.t.Helper()
	b.work(id, func(o *payment.Order) payment.Closing {
		change(o)
		return payment.Closing{}
	})
}

// eachPage walks a list by its cursors to its end.
func eachPage(t *testing.T, limit int, list func(page payment.Page) (next string, err error)) {
	t.Helper()
	page := payment.Page{Limit: limit}
	for range 100 {
		next, err := list(page)
		require.NoError(t, err)
		if page.After = next; next == "" {
			return
		}
		require.Regexp(t, "^[A-Za-z0-9_-]+$", next, "what the API takes for a cursor")
	}
	require.Fail(t, "the list does not end")
}

// together calls do from n goroutines at once and waits for them.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// numbers are the numbers of orders, in their order.
func numbers(orders []*payment.Order) []string {
	list := make([]string, len(orders))
	for i, o := range orders {
		list[i] = o.Number
	}
	return list
}

// recorder remembers the statements that the store sent.
type recorder struct {
	mu         sync.Mutex
	statements []statement
}

type statement struct {
	sql  string
	args []any
}

func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	args := d.Args
	for len(args) > 0 {
		if _, ok := args[0].(pgx.QueryExecMode); !ok {
			break
		}
		args = args[1:]
	}
	r.statements = append(r.statements, statement{d.SQL, args})
	return ctx
}

func (*recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart, TraceBatchQuery and TraceBatchEnd see the statements of batches.
func (*recorder) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (r *recorder) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements = append(r.statements, statement{d.SQL, d.Args})
}

func (*recorder) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// during returns the statements that do made the store send.
func (r *recorder) during(do func()) []statement {
	r.mu.Lock()
	r.statements = nil
	r.mu.Unlock()
	do()
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]statement(nil), r.statements...)
}

// name makes a distinct text of a number.
func name(prefix string, n int) string { return fmt.Sprintf("%s-%05d", prefix, n) }

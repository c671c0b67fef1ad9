package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// officeStore takes money outside of any PSP, and asks fees.
const officeStore = `  office:
    return_origins: [https://shop.example]
    accounts:
      desk:
        gateway: offline
        settings:
          prepayment: {mode_on_order: authorized, instructions: "Transfer {total} {currency} for {number}."}
          manual: {mode_on_order: paid}
      per-customer:
        gateway: offline
        settings: {purchase-order-number: {unique: customer}}
      office-sandbox:
        gateway: sandbox
        mode: test
        settings:
          base_url: {env: PAYSVC_SANDBOX_URL}
          account: demo
          api_key: {env: PAYSVC_SANDBOX_API_KEY}
          webhook_secrets: [{env: PAYSVC_SANDBOX_WEBHOOK_SECRET}]
    methods:
      invoice: {account: desk, kind: invoice, fee: {EUR: 2.50}}
      advance: {account: desk, kind: prepayment, fee: {EUR: 1.00}, fee_percent: "1.5"}
      debit: {account: desk, kind: direct-debit}
      number: {account: desk, kind: purchase-order-number}
      number-too: {account: desk, kind: purchase-order-number}
      own-number: {account: per-customer, kind: purchase-order-number}
      discount: {account: desk, kind: manual, fee_percent: -2}
      present: {account: desk, kind: manual, fee: {EUR: -500.00}}
      card: {account: office-sandbox, kind: card, fee: {EUR: 2.50}}
      card-present: {account: office-sandbox, kind: card, fee: {EUR: -500.00}}
`

// office speaks as a server of store office.
func (b *bundle) office() *client {
	secret, _ := b.Key("office")
	return b.As(secret)
}

// number is the data of a purchase order.
func number(n string) map[string]any { return map[string]any{"purchase_order_number": n} }

// taken requires the refusal of a number that another order uses.
func (a *answer) taken() {
	a.t.Helper()
	a.Refused(http.StatusUnprocessableEntity, "payment_data_invalid")
	require.Equal(a.t, "data.purchase_order_number", a.Text("errors.0.field"))
	require.Equal(a.t, "already_used", a.Text("errors.0.code"))
	require.Equal(a.t, "no", a.Text("money_moved"))
}

func TestAPurchaseOrderNumberPaysForOneOrder(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	first, second := c.Order(), c.Order()
	paid := c.Pay(first, "number", number(" PO-1 ")).Is(http.StatusAccepted)
	require.Equal(t, map[string]any{"purchase_order_number": "PO-1"}, paid.At("payment.details"))
	c.Pay(second, "number", number("PO-1")).taken()
	c.Pay(second, "number-too", number("po-1")).taken()
	require.Empty(t, c.Get("/v1/orders/"+second).List("payments"), "nothing is half done")

	// An order that is made by the same request is not made either.
	o := orderOf(map[string]any{"pay": map[string]any{"method": "number", "data": number("PO-1")}})
	c.Post("/v1/orders", o).taken()
	require.Empty(t, c.Get("/v1/orders?number="+o["number"].(string)).List("data"))

	// A refused key is free, and another number is another.
	key := fmt.Sprintf("again-%s", second)
	c.Pay(second, "number", number("PO-1"), "Idempotency-Key", key).taken()
	c.Pay(second, "number", number("PO-2"), "Idempotency-Key", key).Is(http.StatusAccepted)

	// What a cancelled order used is free again, for one.
	c.Post("/v1/orders/"+first+"/cancel", map[string]any{"reason": "changed their mind"}).Is(http.StatusOK)
	third := c.Order()
	c.Pay(third, "number", number("PO-1")).Is(http.StatusAccepted)
	c.Pay(c.Order(), "number", number("PO-1")).taken()

	// The order itself may use it again.
	b.decline(third)
	c.Pay(third, "number", number("PO-1")).Is(http.StatusAccepted)
	require.Len(t, c.Get("/v1/orders/"+third).List("payments"), 2)
}

// The first answer is repeated byte for byte, and what a server is told is not for
// a page.
func TestAKeyForBrowsersIsNotRepeatedWhatAServerWasTold(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	id := c.Order()
	token := c.Get("/v1/orders/" + id).Text("client_token")
	c.Pay(id, "number", number("PO-9"), "Idempotency-Key", "both").Is(http.StatusAccepted)
	b.As(b.PublishableKey("office")).Pay(id, "number", number("PO-9"), "X-Order-Token", token, "Idempotency-Key", "both").
		Refused(http.StatusUnprocessableEntity, "idempotency_key_reused")
	c.Pay(id, "number", number("PO-9"), "Idempotency-Key", "both").Is(http.StatusAccepted)
}

// decline ends what is open of an order, as an operator would.
func (b *bundle) decline(id string) {
	b.t.Helper()
	order, err := payment.ParseOrderID(id)
	require.NoError(b.t, err)
	err = b.Store.Stretch(b.t.Context(), payment.Opening{Order: order, Token: b.ids.New()}, func(o *payment.Order) (payment.Closing, error) {
		for _, x := range o.OpenTransactions() {
			_, err := o.Record(payment.Fact{Source: payment.SourceOperator, Reference: x.Reference, State: payment.Declined}, b.Clock.Now())
			if err != nil {
				return payment.Closing{}, err
			}
		}
		return payment.Closing{}, nil
	})
	require.NoError(b.t, err)
}

func TestWithinWhatAPurchaseOrderNumberIsUnique(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	customer := func(id string) string {
		return c.Order(map[string]any{"customer": map[string]any{"id": id}})
	}
	c.Pay(customer("ann"), "own-number", number("PO-1")).Is(http.StatusAccepted)
	c.Pay(customer("bob"), "own-number", number("PO-1")).Is(http.StatusAccepted)
	c.Pay(customer("ann"), "own-number", number("PO-1")).taken()
	c.Pay(customer(""), "own-number", number("PO-1")).Is(http.StatusAccepted)
	c.Pay(customer(""), "own-number", number("PO-1")).taken()
}

func TestOfManyAtOnceOneGetsThePurchaseOrderNumber(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	const many = 20
	orders := make([]string, many)
	for i := range orders {
		orders[i] = c.Order()
	}
	var accepted, refused atomic.Int64
	done := make(chan error, many)
	for _, id := range orders {
		go func() {
			a, err := c.try(t.Context(), http.MethodPost, "/v1/orders/"+id+"/pay", map[string]any{"method": "number", "data": number("PO-7")})
			if err == nil && a.Status == http.StatusAccepted {
				accepted.Add(1)
			} else if err == nil && a.Status == http.StatusUnprocessableEntity {
				refused.Add(1)
			}
			done <- err
		}()
	}
	for range many {
		require.NoError(t, <-done)
	}
	require.EqualValues(t, 1, accepted.Load())
	require.EqualValues(t, many-1, refused.Load())
	payments := 0
	for _, id := range orders {
		payments += len(c.Get("/v1/orders/" + id).List("payments"))
	}
	require.Equal(t, 1, payments)
}

// An IBAN whose digits have the shape of a card number is one all the same.
const cardLikeIBAN = "DE41370400440000000001"

func TestADirectDebitKeepsNoIBAN(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	id := c.Order()
	for _, bad := range []string{"", "NL91ABNA0417164301", "4111111111111111", "ZZ91ABNA0417164300"} {
		a := c.Pay(id, "debit", map[string]any{"account_holder": "Ann", "iban": bad}).Refused(http.StatusUnprocessableEntity, "payment_data_invalid")
		require.Equal(t, "data.iban", a.Text("errors.0.field"), bad)
	}
	for _, field := range []string{"account_holder", "bic"} {
		c.Pay(id, "debit", map[string]any{"iban": cardLikeIBAN, field: "4111 1111 1111 1111"}).
			Refused(http.StatusUnprocessableEntity, "card_data_refused")
	}
	checked := c.Post("/v1/orders/"+id+"/payment-data", map[string]any{
		"method": "debit", "data": map[string]any{"account_holder": "Ann", "iban": cardLikeIBAN},
	}).Is(http.StatusOK)
	require.Equal(t, "•••• "+cardLikeIBAN[len(cardLikeIBAN)-4:], checked.Text("summary.masked"))
	paid := c.Pay(id, "debit", map[string]any{"account_holder": "Ann", "iban": cardLikeIBAN, "bic": "COBADEFFXXX"}).Is(http.StatusAccepted)
	want := map[string]any{"account_holder": "Ann", "iban": "•••• " + cardLikeIBAN[len(cardLikeIBAN)-4:]}
	require.Equal(t, want, paid.At("payment.details"))
	require.Equal(t, want, c.Get("/v1/orders/"+id).At("payments.0.details"))
	require.Equal(t, want, c.Get("/v1/payments/"+paid.Text("payment.id")).At("details"))
	require.NotContains(t, b.Log.String(), cardLikeIBAN[4:])
	require.Empty(t, b.tablesWith(cardLikeIBAN[4:]))
	require.NotEmpty(t, b.tablesWith("•••• "+cardLikeIBAN[len(cardLikeIBAN)-4:]), "the search finds what is there")
}

// tablesWith lists the tables that hold a text anywhere.
func (b *bundle) tablesWith(text string) []string {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.Database)
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(b.t.Context()) }()
	rows, _ := conn.Query(b.t.Context(), "select table_name::text from information_schema.tables where table_schema = 'public'")
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b.t, err)
	var holding []string
	for _, table := range tables {
		var found bool
		err := conn.QueryRow(b.t.Context(), fmt.Sprintf("select exists (select from %s t where t::text like $1)",
			pgx.Identifier{table}.Sanitize()), "%"+text+"%").Scan(&found)
		require.NoError(b.t, err)
		if found {
			holding = append(holding, table)
		}
	}
	return holding
}

func TestABrowserDoesNotSeeTheDetails(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	id := c.Order()
	token := c.Get("/v1/orders/" + id).Text("client_token")
	paid := b.As(b.PublishableKey("office")).Pay(id, "number", number("PO-1"), "X-Order-Token", token).Is(http.StatusAccepted)
	require.NotContains(t, string(paid.Body), "PO-1")
	require.Equal(t, "PO-1", c.Get("/v1/orders/"+id).Text("payments.0.details.purchase_order_number"))
}

func TestFeesAreShownAndCharged(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	id := c.Order()
	fees := map[string]string{}
	for i, m := range c.Get("/v1/orders/" + id + "/payment-methods?include=excluded").List("data") {
		m := m.(map[string]any)
		fees[m["method"].(string)] = fmt.Sprint(m["fee"], " ", m["total_with_fee"])
		if m["method"] == "card-present" {
			require.Contains(t, fmt.Sprint(m["excluded"]), "leaves nothing to charge", i)
		}
	}
	require.Equal(t, "2.50 132.45", fees["invoice"])
	require.Equal(t, "2.95 132.90", fees["advance"])
	require.Equal(t, "0.00 129.95", fees["debit"])
	require.Equal(t, "-2.60 127.35", fees["discount"])
	require.Equal(t, "-129.95 0.00", fees["present"])
	c.Pay(id, "card-present", nil).Refused(http.StatusUnprocessableEntity, "method_unavailable")

	for method, charged := range map[string]string{
		"card": "132.45", "discount": "127.35", "present": "0.00", "advance": "132.90",
	} {
		id := c.Order()
		a := c.Pay(id, method, nil).Is(http.StatusOK)
		status := "paid"
		if method == "advance" {
			status = "authorized"
			require.Equal(t, "Transfer 132.90 EUR for "+a.Text("order.number")+".", a.Text("next_action.content"), "while it is only trusted")
		}
		require.Equal(t, status, a.Text("order.payment_status"), method)
		require.Equal(t, status, a.Text("payment.status"), method)
		require.Equal(t, "processing", a.Text("order.status"), method)
		require.Equal(t, "0.00", a.Text("order.amounts.due"), method)
		require.Equal(t, "129.95", a.Text("payment.amount"), method)
		require.Equal(t, charged, a.Text("payment.transactions.0.amount"), method)
		require.Nil(t, a.At("order.review"), method)
		require.Equal(t, status == "paid", a.At("order.paid_at") != nil, method)
		c.Pay(id, method, nil).Refused(http.StatusConflict, "order_already_paid")
	}
}

func TestAnOperatorMarksAnInvoicePaid(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	id := c.Order()
	p := c.Pay(id, "invoice", nil).Is(http.StatusAccepted).Text("payment.id")
	path, body := "/v1/payments/"+p+"/mark-paid", map[string]any{"reason": " Statement 17 "}
	first := c.Post(path, body, "Idempotency-Key", "mark-1").Is(http.StatusOK)
	require.Equal(t, "yes", first.Text("money_moved"))
	require.Equal(t, "paid", first.Text("order.payment_status"))
	require.Equal(t, "processing", first.Text("order.status"))
	require.Equal(t, "132.45", first.Text("payment.amounts.captured"))
	require.NotNil(t, first.At("order.paid_at"))
	require.Nil(t, first.At("next_action"))
	require.Nil(t, first.At("order.review"))

	again := c.Post(path, body, "Idempotency-Key", "mark-1").Is(http.StatusOK)
	require.Equal(t, string(first.Body), string(again.Body))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	c.Post(path, map[string]any{"reason": "another"}, "Idempotency-Key", "mark-1").Refused(http.StatusUnprocessableEntity, "idempotency_key_reused")

	var notes []string
	for _, n := range c.Get("/v1/orders/" + id + "/notes").List("data") {
		n := n.(map[string]any)
		notes = append(notes, fmt.Sprint(n["author"], ": ", n["text"]))
	}
	require.Contains(t, notes, "till: Marked as paid: Statement 17")
	c.refusesToMark(p, "already_paid")
	require.Len(t, c.Get("/v1/orders/"+id).At("payments.0.transactions"), 1)
}

// refusesToMark requires that a payment cannot be marked paid, and why.
func (c *client) refusesToMark(id, why string) {
	c.t.Helper()
	a := c.Post("/v1/payments/"+id+"/mark-paid", map[string]any{"reason": "the money came"}).
		Refused(http.StatusConflict, "action_not_allowed")
	require.Equal(c.t, why, a.Text("why_not.code"))
	require.NotEmpty(c.t, a.Text("why_not.message"))
	require.Equal(c.t, "no", a.Text("money_moved"))
}

func TestMoneyThatWasTrustedIsCaptured(t *testing.T) {
	t.Parallel()
	c := boot(t).office()
	id := c.Order()
	p := c.Pay(id, "advance", nil).Is(http.StatusOK).Text("payment.id")
	a := c.Post("/v1/payments/"+p+"/mark-paid", map[string]any{"reason": "Statement 17"}).Is(http.StatusOK)
	require.Equal(t, "paid", a.Text("order.payment_status"))
	require.Nil(t, a.At("next_action"), "nothing is left to do")
	require.Equal(t, "capture approved 132.90 "+a.Text("payment.transactions.0.id"), fmt.Sprint(
		a.Text("payment.transactions.1.type"), " ", a.Text("payment.transactions.1.state"), " ",
		a.Text("payment.transactions.1.amount"), " ", a.Text("payment.transactions.1.parent")))
	c.refusesToMark(p, "already_paid")
}

func TestWhatCannotBeMarkedPaid(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	c.refusesToMark(c.Pay(c.Order(), "card", nil).Text("payment.id"), "gateway_decides")
	c.refusesToMark(c.Pay(c.Order(), "discount", nil).Text("payment.id"), "already_paid")

	p := c.Pay(c.Order(), "invoice", nil).Text("payment.id")
	c.Post("/v1/payments/"+p+"/mark-paid", map[string]any{"reason": "Statement 17"}).Is(http.StatusOK)
	c.Post("/v1/payments/"+p+"/refund", map[string]any{"amount": "1.00"}).Is(http.StatusOK)
	c.refusesToMark(p, "refunded_already")

	path := "/v1/payments/" + p + "/mark-paid"
	c.Post(path, map[string]any{"reason": "x"}, "Idempotency-Key", "").Refused(http.StatusBadRequest, "idempotency_key_required")
	for _, reason := range []string{"", "  ", strings.Repeat("x", 501)} {
		require.Equal(t, "no", c.Post(path, map[string]any{"reason": reason}).Is(http.StatusUnprocessableEntity).Text("money_moved"))
	}
	c.Post(path, map[string]any{}).Is(http.StatusUnprocessableEntity)
	b.Client().Post(path, map[string]any{"reason": "x"}).Refused(http.StatusNotFound, "not_found")
	c.Post("/v1/payments/pay_nonsense/mark-paid", map[string]any{"reason": "x"}).Refused(http.StatusNotFound, "not_found")
}

// Money may come after all: for an order that was cancelled, or a payment that was
// given up. It is recorded, and a person has to look.
func TestMoneyThatComesLateIsMarkedToo(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.office()
	cancelled := c.Order()
	p := c.Pay(cancelled, "invoice", nil).Text("payment.id")
	c.Post("/v1/orders/"+cancelled+"/cancel", map[string]any{"reason": "changed their mind"}).Is(http.StatusOK)
	a := c.Post("/v1/payments/"+p+"/mark-paid", map[string]any{"reason": "Statement 17"}).Is(http.StatusOK)
	require.Equal(t, "cancelled", a.Text("order.status"))
	require.Equal(t, "paid", a.Text("payment.status"))
	require.Equal(t, "paid_after_cancel", a.Text("order.review.kind"))

	declined := c.Order()
	p = c.Pay(declined, "invoice", nil).Text("payment.id")
	b.decline(declined)
	a = c.Post("/v1/payments/"+p+"/mark-paid", map[string]any{"reason": "Statement 17"}).Is(http.StatusOK)
	require.Equal(t, "paid", a.Text("order.payment_status"))
	require.Equal(t, "processing", a.Text("order.status"))
}

// Of many operators who mark the same payment, one does.
func TestAPaymentIsMarkedPaidOnce(t *testing.T) {
	t.Parallel()
	c := boot(t).office()
	id := c.Order()
	p := c.Pay(id, "advance", nil).Is(http.StatusOK).Text("payment.id")
	const many = 10
	statuses := make(chan int, many)
	for range many {
		go func() {
			a, err := c.try(t.Context(), http.MethodPost, "/v1/payments/"+p+"/mark-paid", map[string]any{"reason": "Statement 17"})
			if err != nil {
				statuses <- 0
				return
			}
			statuses <- a.Status
		}()
	}
	count := map[int]int{}
	for range many {
		count[<-statuses]++
	}
	require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusConflict: many - 1}, count)
	require.Equal(t, "132.90", c.Get("/v1/orders/"+id).Text("amounts.captured"))
}

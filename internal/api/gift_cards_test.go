package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// GiftCard issues a card of 200.00 EUR and returns its id and code.
func (c *client) GiftCard(change map[string]any) (id, code string) {
	c.t.Helper()
	body := map[string]any{"amount": "200.00", "currency": "EUR"}
	for name, value := range change {
		body[name] = value
	}
	a := c.Post("/v1/gift-cards", body).Is(http.StatusCreated)
	return a.Text("id"), a.Text("code")
}

func TestAnOrderIsPaidByGiftCard(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	card, code := c.GiftCard(nil)
	order := c.Order()
	var offered map[string]any
	for _, m := range c.Get("/v1/orders/" + order + "/payment-methods").Is(http.StatusOK).List("data") {
		if m := m.(map[string]any); m["method"] == "gift-card" {
			offered = m
		}
	}
	require.Equal(t, "standard", offered["type"])
	require.Equal(t, map[string]any{"kind": "form", "fields": []any{map[string]any{"name": "code", "required": true}}}, offered["widget"])
	typed := map[string]any{"code": " " + strings.ToLower(code)}
	a := c.Post("/v1/orders/"+order+"/payment-data", map[string]any{"method": "gift-card", "data": typed}).Is(http.StatusOK)
	require.Equal(t, "•••• "+code[len(code)-4:], a.Text("summary.masked"))

	a = c.Pay(order, "gift-card", typed).Is(http.StatusOK)
	require.Equal(t, "yes", a.Text("money_moved"))
	require.Equal(t, "paid", a.Text("order.payment_status"))
	require.Nil(t, a.At("order.review"))
	require.Equal(t, "•••• "+code[len(code)-4:], a.Text("payment.details.gift_card"))
	require.Equal(t, "authorize_and_capture", a.Text("payment.transactions.0.type"))
	require.Equal(t, card+"-2", a.Text("payment.transactions.0.gateway_reference"))

	ledger := c.Get("/v1/gift-cards/" + card).Is(http.StatusOK)
	require.Equal(t, "70.05", ledger.Text("balance"))
	require.Equal(t, "200.00", ledger.Text("initial"))
	require.Equal(t, "-129.95", ledger.Text("entries.0.amount"))
	require.Equal(t, order, ledger.Text("entries.0.order"))
	require.Equal(t, a.Text("payment.transactions.0.reference"), ledger.Text("entries.0.reference"))
	require.Equal(t, "issue", ledger.Text("entries.1.kind"))
	b.requireNowhere(code)
}

// requireNowhere looks for a code in the log, and in all text and bytes of the database.
func (b *bundle) requireNowhere(code string) {
	b.t.Helper()
	plain := strings.ReplaceAll(code, "-", "")
	conn, err := pgx.Connect(b.t.Context(), b.Database)
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(b.t.Context())) }()
	rows, _ := conn.Query(b.t.Context(), `select table_name from information_schema.tables where table_schema = 'public'`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b.t, err)
	require.NotEmpty(b.t, tables)
	for _, table := range tables {
		for _, text := range []string{plain, code, strings.ToLower(plain), strings.ToLower(code)} {
			var n int
			// Bytes are shown in hexadecimal.
			require.NoError(b.t, conn.QueryRow(b.t.Context(), `select count(*) from `+pgx.Identifier{table}.Sanitize()+` t
				where position($1 in t::text) > 0 or position(encode($1::bytea, 'hex') in t::text) > 0`, text).Scan(&n))
			require.Zero(b.t, n, "%s holds a code", table)
		}
	}
	require.NotContains(b.t, b.Log.String(), plain)
	require.NotContains(b.t, b.Log.String(), code)
}

func TestWhatAGiftCardDoesNotPay(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.Order()
	declined := func(code, reason string) {
		t.Helper()
		a := c.Pay(order, "gift-card", map[string]any{"code": code}).Refused(http.StatusPaymentRequired, "payment_declined")
		require.Equal(t, reason, a.Text("reason.code"), "%s", a.Body)
		require.Equal(t, "no", a.Text("money_moved"))
	}
	_, small := c.GiftCard(map[string]any{"amount": "129.94"})
	declined(small, "insufficient_funds")
	_, dollars := c.GiftCard(map[string]any{"currency": "USD"})
	declined(dollars, "gift_card_currency")
	_, foreign := b.As(b.keyWith("other", allScopes...)).GiftCard(nil)
	declined(foreign, "gift_card_invalid")
	declined(b.ids.GiftCardCode().Reveal(), "gift_card_invalid")
	_, old := c.GiftCard(map[string]any{"expires_at": b.Clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	b.Clock.Advance(time.Hour)
	declined(old, "gift_card_expired")
	card, code := c.GiftCard(map[string]any{"code": "6006-4912-6055-0219"})
	require.Equal(t, "6006-4912-6055-0219", code, "a card that exists has the code that it has")
	require.Equal(t, false, c.Post("/v1/gift-cards/"+card+"/deactivate", nil).Is(http.StatusOK).At("active"))
	declined(code, "gift_card_invalid")

	typo := "2" + small[1:]
	if typo == small {
		typo = "3" + small[1:]
	}
	a := c.Pay(order, "gift-card", map[string]any{"code": typo}).Refused(http.StatusUnprocessableEntity, "payment_data_invalid")
	require.Equal(t, "data.code", a.Text("errors.0.field"))
	require.Equal(t, true, c.Post("/v1/gift-cards/"+card+"/activate", nil).Is(http.StatusOK).At("active"))
	require.Equal(t, "paid", c.Pay(order, "gift-card", map[string]any{"code": code}).Is(http.StatusOK).Text("order.payment_status"))
}

// lost moves the money and loses the answer.
type lost struct{ gateways.GiftCards }

func (l lost) TakeFromGiftCard(ctx context.Context, t payment.GiftCardTaking) (payment.GiftCardEntry, error) {
	_, _ = l.GiftCards.TakeFromGiftCard(ctx, t)
	return payment.GiftCardEntry{}, errors.New("commit, outcome unknown")
}

func TestALostAnswerOfAGiftCardResolvesItself(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	card, code := c.GiftCard(nil)
	b.cards = lost{b.Store}
	order := c.Order()
	a := c.Pay(order, "gift-card", map[string]any{"code": code}).Is(http.StatusAccepted)
	require.Equal(t, "unknown", a.Text("money_moved"))
	require.Equal(t, "pending", a.Text("order.payment_status"))
	c.Post("/v1/orders/"+order+"/submit", nil).Is(http.StatusOK)
	require.Equal(t, "paid", c.Get("/v1/orders/"+order).Is(http.StatusOK).Text("payment_status"))
	require.Equal(t, "70.05", c.Get("/v1/gift-cards/"+card).Is(http.StatusOK).Text("balance"), "taken once")
}

// never says nothing, and moves nothing.
type never struct{ gateways.GiftCards }

func (never) TakeFromGiftCard(context.Context, payment.GiftCardTaking) (payment.GiftCardEntry, error) {
	return payment.GiftCardEntry{}, errors.New("commit, outcome unknown")
}

func TestAGiftCardThatWasNotTakenIsKnownNotToBe(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	card, code := c.GiftCard(nil)
	b.cards = never{b.Store}
	order := c.Order()
	pay := map[string]any{"code": code}
	c.Pay(order, "gift-card", pay).Is(http.StatusAccepted)
	c.Post("/v1/orders/"+order+"/submit", nil).Is(http.StatusOK)
	c.Pay(order, "card", nil).Refused(http.StatusConflict, "payment_in_progress")
	b.Clock.Advance(36 * time.Second)
	c.Post("/v1/orders/"+order+"/submit", nil).Is(http.StatusOK)
	require.Equal(t, "not_sent", c.Get("/v1/orders/"+order).Is(http.StatusOK).Text("payments.0.transactions.0.state"))
	require.Equal(t, "200.00", c.Get("/v1/gift-cards/"+card).Is(http.StatusOK).Text("balance"))
	require.Equal(t, "paid", c.Pay(order, "card", nil).Is(http.StatusOK).Text("order.payment_status"))
}

func TestACodeIsShownToTheSameKeyOnly(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	body := map[string]any{"amount": "50.00", "currency": "EUR", "metadata": map[string]any{"sold_with": "10001"}}
	first := c.Post("/v1/gift-cards", body, "Idempotency-Key", "card-1").Is(http.StatusCreated)
	again := c.Post("/v1/gift-cards", body, "Idempotency-Key", "card-1").Is(http.StatusCreated)
	require.Equal(t, string(first.Body), string(again.Body))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	require.Empty(t, first.Header.Get("Idempotent-Replayed"))
	require.Len(t, c.Get("/v1/gift-cards").Is(http.StatusOK).List("data"), 1)
	b.requireNowhere(first.Text("code"))

	a := b.Client().Post("/v1/gift-cards", body, "Idempotency-Key", "card-1").Refused(http.StatusConflict, "gift_card_issued")
	require.Equal(t, "no", a.Text("money_moved"))
	body["amount"] = "60.00"
	c.Post("/v1/gift-cards", body, "Idempotency-Key", "card-1").Refused(http.StatusUnprocessableEntity, "idempotency_key_reused")
	c.Post("/v1/gift-cards", body, "Idempotency-Key", "").Refused(http.StatusBadRequest, "idempotency_key_required")
	for _, path := range []string{"/v1/gift-cards", "/v1/gift-cards/" + first.Text("id")} {
		require.NotContains(t, string(c.Get(path).Is(http.StatusOK).Body), first.Text("code"))
	}
	require.Equal(t, "10001", c.Get("/v1/gift-cards/"+first.Text("id")).Text("metadata.sold_with"))
}

func TestManyRequestsWithOneKeyIssueOneCard(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	var group sync.WaitGroup
	answers := make([]*answer, 8)
	for i := range answers {
		group.Go(func() {
			answers[i], _ = c.try(t.Context(), http.MethodPost, "/v1/gift-cards", map[string]any{"amount": "50.00", "currency": "EUR"}, "Idempotency-Key", "one")
		})
	}
	group.Wait()
	codes := map[string]bool{}
	for _, a := range answers {
		require.NotNil(t, a)
		if a.Status == http.StatusCreated {
			codes[a.Text("code")] = true
		}
	}
	require.Len(t, codes, 1)
	require.Len(t, c.Get("/v1/gift-cards").Is(http.StatusOK).List("data"), 1)
}

func TestTheBalanceOfACode(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	card, code := c.GiftCard(nil)
	a := c.Post("/v1/gift-cards/balance", map[string]any{"code": strings.ReplaceAll(code, "-", " ")}).Is(http.StatusOK)
	require.Equal(t, card, a.Text("id"))
	require.Equal(t, "200.00", a.Text("balance"))
	other := b.As(b.keyWith("other", allScopes...))
	other.Post("/v1/gift-cards/balance", map[string]any{"code": code}).Refused(http.StatusNotFound, "not_found")
	c.Post("/v1/gift-cards/balance", map[string]any{"code": "6006491260550219"}).Refused(http.StatusNotFound, "not_found")
	a = c.Post("/v1/gift-cards/balance", map[string]any{"code": code + "2"}).Refused(http.StatusNotFound, "not_found")
	require.NotContains(t, string(a.Body), code)
	a = c.Post("/v1/gift-cards/balance", map[string]any{"code": "x"}).Refused(http.StatusUnprocessableEntity, "code_invalid")
	require.Equal(t, "code", a.Text("errors.0.field"))
	list := c.Get("/v1/gift-cards?limit=1").Is(http.StatusOK)
	require.Len(t, list.List("data"), 1)
	c.Get("/v1/gift-cards?cursor=gcd_x").Refused(http.StatusBadRequest, "cursor_invalid")
}

func TestACardThatCannotBeIsNotIssued(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	c.GiftCard(map[string]any{"code": "GIFT-0001-OLD1"})
	refused := func(status int, code string, change map[string]any) {
		t.Helper()
		body := map[string]any{"amount": "50.00", "currency": "EUR"}
		for name, value := range change {
			body[name] = value
		}
		a := c.Post("/v1/gift-cards", body).Refused(status, code)
		require.Equal(t, "no", a.Text("money_moved"))
	}
	const unprocessable = http.StatusUnprocessableEntity
	refused(http.StatusConflict, "gift_card_code_taken", map[string]any{"code": "gift0001old1"})
	refused(unprocessable, "code_invalid", map[string]any{"code": "SHORT"})
	refused(unprocessable, "code_invalid", map[string]any{"code": strings.Repeat("A", 20)})
	refused(unprocessable, "amount_invalid", map[string]any{"amount": "0.00"})
	refused(unprocessable, "amount_invalid", map[string]any{"amount": "-1.00"})
	refused(unprocessable, "amount_invalid", map[string]any{"amount": "1.001"})
	refused(unprocessable, "currency_unknown", map[string]any{"currency": "XXY"})
	refused(unprocessable, "expires_at_past", map[string]any{"expires_at": "2020-01-01T00:00:00Z"})
	refused(unprocessable, "length", map[string]any{"metadata": map[string]any{"k": strings.Repeat("v", 501)}})
	refused(unprocessable, "card_data_refused", map[string]any{"metadata": map[string]any{"k": "4111111111111111"}})
	require.Len(t, c.Get("/v1/gift-cards").Is(http.StatusOK).List("data"), 1)
}

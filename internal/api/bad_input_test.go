package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// badOrder is a body that must be refused.
type badOrder struct {
	name   string
	body   string
	status int
	code   string // of the problem
	field  string // that is blamed, "" for none
	why    string // the field's own code, "" for any
	secret string // what the answer must not repeat, "" for nothing to look for
}

// with is an order with one field written as raw JSON.
func with(t *testing.T, field, rawValue string) string {
	t.Helper()
	encoded, err := json.Marshal(orderOf(map[string]any{field: "@@"}))
	require.NoError(t, err)
	return strings.Replace(string(encoded), `"@@"`, rawValue, 1)
}

// inside is an order with more text behind its opening brace.
func inside(t *testing.T, more string) string {
	t.Helper()
	encoded, err := json.Marshal(orderOf())
	require.NoError(t, err)
	return "{" + more + string(encoded[1:])
}

func malformedOrders(t *testing.T) []badOrder {
	t.Helper()
	good := inside(t, "")
	const malformed = "malformed_json"
	return []badOrder{
		{name: "nothing", body: "", status: 400, code: "body_required"},
		{name: "not JSON", body: "number=1", status: 400, code: malformed},
		{name: "cut off", body: good[:len(good)-5], status: 400, code: malformed},
		{name: "something behind", body: good + "{}", status: 400, code: malformed},
		{name: "a comment", body: inside(t, "/* hello */"), status: 400, code: malformed},
		{name: "not an object", body: `[]`, status: 422, code: "validation_failed"},
		{name: "null", body: `null`, status: 422, code: "validation_failed"},
		{name: "oversized", body: inside(t, `"x":"`+strings.Repeat("a", 256<<10)+`",`), status: 413, code: "body_too_large"},
		{name: "deeply nested", body: inside(t, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,`), status: 400, code: malformed, why: "too_deep"},
		{name: "very deeply nested", body: strings.Repeat("[", 100_000), status: 400, code: malformed},
		{name: "duplicate key", body: inside(t, `"total":"1.00",`), status: 400, code: malformed, field: "total", why: "duplicate_field"},
		{name: "duplicate key within", body: with(t, "customer", `{"id":"a","id":"b"}`), status: 400, code: malformed, field: "customer.id"},
		{name: "duplicate key by an escape", body: inside(t, `"\u0074otal":"1.00",`), status: 400, code: malformed, field: "total"},
		{name: "invalid UTF-8", body: with(t, "locale", "\"n\xffl\""), status: 400, code: malformed},
		{name: "half a surrogate", body: with(t, "locale", `"\ud800"`), status: 400, code: malformed},
		{name: "NaN", body: with(t, "total", `NaN`), status: 400, code: malformed},
		{name: "infinity", body: with(t, "total", `Infinity`), status: 400, code: malformed},
		{name: "a number with a plus", body: with(t, "total", `+5`), status: 400, code: malformed},
	}
}

func wrongFields(t *testing.T) []badOrder {
	t.Helper()
	const invalid = "validation_failed"
	return []badOrder{
		{name: "unknown field", body: inside(t, `"discounts":"SECRET",`), status: 422, code: invalid, field: "discounts", why: "unknown_field", secret: "SECRET"},
		{name: "unknown field within", body: with(t, "customer", `{"vip":true}`), status: 422, code: invalid, field: "customer.vip"},
		{name: "wrong case", body: inside(t, `"Total":"0.01",`), status: 422, code: invalid, field: "Total", why: "unknown_field"},
		{name: "wrong case within", body: with(t, "customer", `{"Email":"SECRET@example.org"}`), status: 422, code: invalid, field: "customer.Email", secret: "SECRET"},
		{name: "NUL", body: with(t, "locale", `"a\u0000SECRET"`), status: 422, code: invalid, field: "locale", why: "nul_character", secret: "SECRET"},
		{name: "NUL in a name", body: with(t, "metadata", `{"a\u0000":"b"}`), status: 422, code: invalid, why: "nul_character"},
		{name: "number for a string", body: with(t, "number", `4711`), status: 422, code: invalid, field: "number", secret: "4711"},
		{name: "string for a number", body: with(t, "lines", `[{"quantity":"2","unit_price":"1.00","total":"2.00"}]`), status: 422, code: invalid, field: "lines[0].quantity"},
		{name: "half a piece", body: with(t, "lines", `[{"quantity":1.5,"unit_price":"1.00","total":"1.50"}]`), status: 422, code: invalid, field: "lines[0].quantity"},
		{name: "1e400 pieces", body: with(t, "lines", `[{"quantity":1e400,"unit_price":"1.00","total":"1.50"}]`), status: 422, code: invalid, field: "lines[0].quantity"},
		{name: "no number", body: with(t, "number", `""`), status: 422, code: invalid, field: "number"},
		{name: "a long number", body: with(t, "number", `"`+strings.Repeat("9a", 40)+`"`), status: 422, code: invalid, field: "number"},
		{name: "no currency", body: with(t, "currency", `""`), status: 422, code: invalid, field: "currency"},
		{name: "null total", body: with(t, "total", `null`), status: 422, code: "amount_invalid", field: "total"},
		{name: "not a country", body: with(t, "billing_address", `{"country":"nl"}`), status: 422, code: invalid, field: "billing_address.country"},
		{name: "not an e-mail address", body: with(t, "customer", `{"email":"SECRET"}`), status: 422, code: invalid, field: "customer.email", secret: "SECRET"},
		{name: "not a time", body: with(t, "expires_at", `"tomorrow"`), status: 422, code: invalid, field: "expires_at", secret: "tomorrow"},
		{name: "a time of the past", body: with(t, "expires_at", `"2020-01-01T00:00:00Z"`), status: 422, code: "expires_at_past", field: "expires_at"},
		{name: "many lines", body: with(t, "lines", `[`+strings.TrimSuffix(strings.Repeat(`{"quantity":1,"unit_price":"0","total":"0"},`, 501), ",")+`]`), status: 422, code: invalid, field: "lines"},
	}
}

func wrongMoney(t *testing.T) []badOrder {
	t.Helper()
	const amount = "amount_invalid"
	rows := []badOrder{
		{name: "unknown currency", body: with(t, "currency", `"EUX"`), status: 422, code: "currency_unknown", field: "currency", secret: "EUX"},
		{name: "currency in small letters", body: with(t, "currency", `"eur"`), status: 422, code: "currency_unknown", field: "currency"},
		{name: "currency of look-alikes", body: with(t, "currency", `"ЕUR"`), status: 422, field: "currency"},
		{name: "a metal", body: with(t, "currency", `"XAU"`), status: 422, code: "currency_unknown", field: "currency"},
		{name: "two decimals of yen", body: `{"number":"1","currency":"JPY","total":"10.00"}`, status: 422, code: amount, field: "total"},
		{name: "four decimals of dinars", body: `{"number":"1","currency":"KWD","total":"1.2500"}`, status: 422, code: amount, field: "total"},
		{name: "decimals in a line", body: with(t, "lines", `[{"quantity":1,"unit_price":"1.001","total":"1.00"}]`), status: 422, code: amount, field: "lines[0].unit_price"},
		{name: "total too low", body: with(t, "total", `"129.94"`), status: 422, code: "total_mismatch", field: "total", secret: "129.94"},
		{name: "total too high", body: with(t, "total", `"129.96"`), status: 422, code: "total_mismatch", field: "total"},
		{name: "tax not counted", body: with(t, "tax_included", `false`), status: 422, code: "total_mismatch", field: "total"},
		{name: "more discount than all", body: `{"number":"1","currency":"EUR","total":"0.00","discount":"1.00"}`, status: 422, code: "total_mismatch", field: "total"},
	}
	for name, value := range map[string]string{
		"a number": `129.95`, "1e400": `1e400`, "1e400 in quotes": `"1e400"`, "an exponent": `"1e2"`, "minus nothing": `"-0.00"`,
		"minus": `"-129.95"`, "plus": `"+5"`, "full-width digits": `"１２９.９５"`, "Arabic digits": `"١٢٩"`, "a comma": `"129,95"`,
		"thousands": `"1,299.95"`, "spaces": `" 129.95"`, "NaN in quotes": `"NaN"`, "infinity in quotes": `"Infinity"`,
		"hexadecimal": `"0x81"`, "no whole": `".95"`, "no fraction": `"129."`, "nothing": `""`, "three decimals": `"129.950"`,
		"out of range": `"9999999999999999.00"`, "a list": `["129.95"]`, "a boolean": `true`,
	} {
		rows = append(rows, badOrder{name: "total is " + name, body: with(t, "total", value), status: 422, code: amount, field: "total"})
	}
	return rows
}

func foreignURLs(t *testing.T) []badOrder {
	t.Helper()
	var rows []badOrder
	for name, url := range map[string]string{
		"another host": "https://evil.example/thanks", "another scheme": "http://shop.example/thanks",
		"another port": "https://shop.example:8443/", "a host below": "https://shop.example.evil.example/",
		"a host above": "https://evil.shop.example/", "a user": "https://shop.example@evil.example/",
		"a backslash": `https://evil.example\\@shop.example/`, "no scheme": "//shop.example/", "a path": "/thanks", "a script": "javascript:alert(1)",
		"data": "data:text/html,hello", "another store's": "https://other.example/", "a line break": `https://shop.example/\r\nSet-Cookie: a=b`,
	} {
		rows = append(rows, badOrder{
			name: "return to " + name, body: with(t, "return_urls", `{"success":"`+url+`"}`),
			status: 422, code: "return_url_not_allowed", field: "return_urls.success", secret: "evil",
		})
	}
	return append(rows, badOrder{
		name: "failure elsewhere", body: with(t, "return_urls", `{"failure":"https://evil.example/"}`),
		status: 422, code: "return_url_not_allowed", field: "return_urls.failure", secret: "evil",
	})
}

func cardNumbers(t *testing.T) []badOrder {
	t.Helper()
	const card = "4111111111111111"
	var rows []badOrder
	for field, body := range map[string]string{
		"customer.name":           with(t, "customer", `{"name":"`+card+`"}`),
		"billing_address.line1":   with(t, "billing_address", `{"line1":"card 4111 1111 1111 1111"}`),
		"shipping_address.phone":  with(t, "shipping_address", `{"phone":"4111-1111-1111-1111"}`),
		"metadata.note":           with(t, "metadata", `{"note":"exp 12/30, `+card+`"}`),
		"lines[0].name":           with(t, "lines", `[{"name":"`+card+`","quantity":1,"unit_price":"1.00","total":"1.00"}]`),
		"promotion_codes[0]":      with(t, "promotion_codes", `["5500005555555559"]`),
		"locale":                  with(t, "locale", `"\u0034111111111111111"`),
		"metadata.[card]":         with(t, "metadata", `{"`+card+`":"x"}`),
		"pay.data.number":         inside(t, `"pay":{"method":"card","data":{"number":"`+card+`"}},`),
		"return_urls.success":     with(t, "return_urls", `{"success":"https://shop.example/?pan=`+card+`"}`),
		"customer.id":             with(t, "customer", `{"id":"`+card+`"}`),
		"lines[0].quantity":       with(t, "lines", `[{"quantity":`+card+`,"unit_price":"1.00","total":"1.00"}]`),
		"shipping_address.region": with(t, "shipping_address", `{"region":"x 5500 0055 5555 5559 12/30"}`),
	} {
		rows = append(rows, badOrder{name: "card number in " + field, body: body, status: 422, code: "card_data_refused", field: field, secret: "1111111"})
	}
	return rows
}

func TestABadOrderIsRefusedByItsFieldAndLeavesNothing(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	rows := malformedOrders(t)
	for _, more := range [][]badOrder{wrongFields(t), wrongMoney(t), foreignURLs(t), cardNumbers(t)} {
		rows = append(rows, more...)
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := c.Post("/v1/orders", row.body, "Idempotency-Key", "the-same-for-all", "Content-Type", "application/json")
			require.Equal(t, row.status, a.Status, "%s", a.Body)
			assert.Equal(t, "application/problem+json", a.Header.Get("Content-Type"))
			assert.Equal(t, "no", a.Text("money_moved"))
			assert.NotEmpty(t, a.Text("request_id"))
			if row.code != "" {
				assert.Equal(t, row.code, a.Text("code"), "%s", a.Body)
			}
			if row.field != "" {
				assert.Equal(t, row.field, a.Text("errors.0.field"), "%s", a.Body)
			}
			if row.why != "" {
				assert.Equal(t, row.why, a.Text("errors.0.code"), "%s", a.Body)
			}
			if row.secret != "" {
				assert.NotContains(t, string(a.Body), row.secret, "the answer repeats the request")
			}
		})
	}
	require.Empty(t, c.Get("/v1/orders").Is(http.StatusOK).List("data"))
	require.NotContains(t, b.Log.String(), "SECRET")
	c.Post("/v1/orders", orderOf(), "Idempotency-Key", "the-same-for-all").Is(http.StatusCreated)
}

func TestOnlyPlainJSONIsTakenIn(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/xml"} {
		c.Post("/v1/orders", orderOf(), "Content-Type", contentType).Refused(http.StatusUnsupportedMediaType, "unsupported_media_type")
	}
	c.Post("/v1/orders", orderOf(), "Content-Encoding", "gzip").Refused(http.StatusUnsupportedMediaType, "unsupported_media_type")
	c.Post("/v1/orders", orderOf(), "Content-Type", "application/json; charset=UTF-8").Is(http.StatusCreated)
}

func TestAFilterThatIsMisspeltListsNothing(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	for query, field := range map[string]string{
		"statsu=paid": "query.statsu", "status=paid": "query.status", "limit=0": "query.limit", "limit=201": "query.limit",
		"limit=many": "query.limit", "from=yesterday": "query.from", "needs_review=1": "query.needs_review", "cursor=%25": "query.cursor",
	} {
		a := c.Get("/v1/orders?" + query)
		require.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, a.Status, "%s: %s", query, a.Body)
		require.Equal(t, field, a.Text("errors.0.field"), "%s: %s", query, a.Body)
	}
	c.Get("/v1/orders?cursor=abc").Refused(http.StatusBadRequest, "cursor_invalid")
	c.Get("/v1/orders?status=pending&status=complete").Refused(http.StatusBadRequest, "malformed_url")
}

func TestTheShopsOwnNumbersMayHaveTheShapeOfACard(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	const gtin = "4006381333931" // passes Luhn, like one number in ten
	c.Post("/v1/orders", `{"number":"4111111111111111","currency":"EUR","total":"5.00","basket_id":"`+gtin+`",
		"lines":[{"sku":"`+gtin+`","name":"Pen","quantity":1,"unit_price":"5.00","total":"5.00"}]}`).Is(201)
}

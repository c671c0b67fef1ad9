package httpkit_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

// order puts a body together from the valid one with parts replaced.
func order(replace ...string) string {
	body := `{"number":"10001","currency":"EUR","total":"129.95",` +
		`"lines":[{"sku":"A-1","name":"Lamp","quantity":2,"unit_price":"60.00","total":"120.00"}],` +
		`"metadata":{"k":"v"}}`
	return strings.NewReplacer(replace...).Replace(body)
}

const testPAN = "4111111111111111"

// TestHostileBodies is the promise of strictness: what is refused, how, and
// which field is named. Secrets in these bodies are marked "canary", and no
// answer may repeat them.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	k, logged := newKit(t, nil)
	createOrder(k, httpkit.Route{})

	type row struct {
		body      string
		status    int
		code      string
		field     string
		fieldCode string
	}
	rows := map[string]row{
		"empty":                {"", 400, "body_required", "", ""},
		"not JSON":             {`canary`, 400, "malformed_json", "", "syntax"},
		"cut off":              {`{"number":"canary`, 400, "malformed_json", "number", "syntax"},
		"single quotes":        {`{'number':'canary'}`, 400, "malformed_json", "", "syntax"},
		"comment":              {`{"number":"1"/*canary*/}`, 400, "malformed_json", "", "syntax"},
		"trailing comma":       {order(`"k":"v"`, `"k":"v",`), 400, "malformed_json", "metadata", "syntax"},
		"trailing data":        {order() + `{"number":"canary"}`, 400, "malformed_json", "", "trailing_data"},
		"trailing garbage":     {order() + `canary`, 400, "malformed_json", "", "trailing_data"},
		"byte order mark":      {"\ufeff" + order(), 400, "malformed_json", "", "syntax"},
		"duplicate":            {order(`"total":"129.95"`, `"total":"129.95","total":"canary"`), 400, "malformed_json", "total", "duplicate_field"},
		"duplicate, escaped":   {order(`"total":"129.95"`, `"total":"129.95","tot\u0061l":"1"`), 400, "malformed_json", "total", "duplicate_field"},
		"duplicate, deep":      {order(`"sku":"A-1"`, `"sku":"A-1","sku":"canary"`), 400, "malformed_json", "lines[0].sku", "duplicate_field"},
		"duplicate in a map":   {order(`"k":"v"`, `"k":"v","k":"canary"`), 400, "malformed_json", "metadata.k", "duplicate_field"},
		"invalid UTF-8":        {order("Lamp", "canary\xff"), 400, "malformed_json", "lines[0].name", "invalid_utf8"},
		"overlong UTF-8":       {order("Lamp", "canary\xc0\xaf"), 400, "malformed_json", "lines[0].name", "invalid_utf8"},
		"lone surrogate":       {order("Lamp", `canary\ud800`), 400, "malformed_json", "lines[0].name", "syntax"},
		"raw control":          {order("Lamp", "canary\x01"), 400, "malformed_json", "lines[0].name", "syntax"},
		"raw NUL":              {order("Lamp", "canary\x00"), 400, "malformed_json", "lines[0].name", "syntax"},
		"escaped NUL":          {order("Lamp", `canary\u0000`), 422, "validation_failed", "lines[0].name", "nul_character"},
		"escaped NUL in a map": {order(`"k":"v"`, `"k":"canary\u0000"`), 422, "validation_failed", "metadata.k", "nul_character"},
		"escaped NUL in name":  {order(`"k":"v"`, `"k\u0000":"canary"`), 422, "validation_failed", "metadata.k?", "nul_character"},
		"33 deep":              {order(`"k":"v"}`, `"k":"v"},"data":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)), 400, "malformed_json", "", "too_deep"},
		"20,000 deep":          {strings.Repeat("[", 20000), 400, "malformed_json", "", "too_deep"},
		"20,000 deep objects":  {strings.Repeat(`{"a":`, 20000), 400, "malformed_json", "", "too_deep"},

		"array":             {`[]`, 422, "validation_failed", "", "wrong_type"},
		"string":            {`"canary"`, 422, "validation_failed", "", "wrong_type"},
		"null":              {`null`, 422, "validation_failed", "", "wrong_type"},
		"unknown":           {order(`"k":"v"}`, `"k":"v"},"admin":"canary"`), 422, "validation_failed", "admin", "unknown_field"},
		"unknown, deep":     {order(`"sku":"A-1"`, `"sku":"A-1","price":"canary"`), 422, "validation_failed", "lines[0].price", "unknown_field"},
		"wrong case":        {order(`"total":"129.95"`, `"total":"129.95","Total":"canary"`), 422, "validation_failed", "Total", "unknown_field"},
		"missing":           {order(`"number":"10001",`, ``), 422, "validation_failed", "number", "required"},
		"missing, deep":     {order(`"sku":"A-1",`, ``), 422, "validation_failed", "lines[0].sku", "required"},
		"null for required": {order(`"10001"`, `null`), 422, "validation_failed", "number", "wrong_type"},
		"number for string": {order(`"10001"`, `10001`), 422, "validation_failed", "number", "wrong_type"},
		"string for number": {order(`"quantity":2`, `"quantity":"2"`), 422, "validation_failed", "lines[0].quantity", "wrong_type"},
		"fraction":          {order(`"quantity":2`, `"quantity":1.5`), 422, "validation_failed", "lines[0].quantity", "wrong_type"},
		"out of range":      {order(`"quantity":2`, `"quantity":0`), 422, "validation_failed", "lines[0].quantity", "out_of_range"},
		"huge number":       {order(`"quantity":2`, `"quantity":1e400`), 422, "validation_failed", "lines[0].quantity", "wrong_type"},
		"NaN":               {order(`"quantity":2`, `"quantity":NaN`), 400, "malformed_json", "lines[0].quantity", "syntax"},
		"too long":          {order(`"10001"`, `"`+strings.Repeat("c", 65)+`"`), 422, "validation_failed", "number", "wrong_length"},
		"not in the list":   {order(`"EUR"`, `"canary"`), 422, "validation_failed", "currency", "not_allowed"},
		"bad email":         {order(`"k":"v"}`, `"k":"v"},"customer":{"email":"canary"}`), 422, "validation_failed", "customer.email", "wrong_format"},
		"bad time":          {order(`"k":"v"}`, `"k":"v"},"expires_at":"canary"`), 422, "validation_failed", "expires_at", "wrong_format"},
		"time huma takes":   {order(`"k":"v"}`, `"k":"v"},"expires_at":"2026-11-21T1:02:03Z"`), 422, "validation_failed", "expires_at", "wrong_type"},
		"number in a map":   {order(`"k":"v"`, `"k":7`), 422, "validation_failed", "metadata.k", "wrong_type"},
		"long unknown name": {order(`"k":"v"}`, `"k":"v"},"`+strings.Repeat("x", 5000)+`":1`), 422, "validation_failed", strings.Repeat("x", 200) + "…", "unknown_field"},

		"card in a string":      {order("Lamp", "canary "+testPAN), 422, "card_data_refused", "lines[0].name", "card_data_refused"},
		"card in groups":        {order("Lamp", "canary 4111 1111 1111 1111 12/29"), 422, "card_data_refused", "lines[0].name", "card_data_refused"},
		"card with dashes":      {order(`"k":"v"`, `"k":"canary 3782-822463-10005"`), 422, "card_data_refused", "metadata.k", "card_data_refused"},
		"card, escaped":         {order("Lamp", `canary \u0034111111111111111`), 422, "card_data_refused", "lines[0].name", "card_data_refused"},
		"card, all escaped":     {order("Lamp", `canary `+strings.ReplaceAll(testPAN, "1", `\u0031`)), 422, "card_data_refused", "lines[0].name", "card_data_refused"},
		"card, escaped spaces":  {order("Lamp", `canary 4111\u00201111\u00201111\u00201111`), 422, "card_data_refused", "lines[0].name", "card_data_refused"},
		"card as a number":      {order(`"k":"v"}`, `"k":"v"},"data":{"canary":[1,`+testPAN+`]}`), 422, "card_data_refused", "data.canary[1]", "card_data_refused"},
		"card, deep in data":    {order(`"k":"v"}`, `"k":"v"},"data":{"a":[{"b":"`+testPAN+`"}]}`), 422, "card_data_refused", "data.a[0].b", "card_data_refused"},
		"card as a name":        {order(`"k":"v"`, `"`+testPAN+`":"canary"`), 422, "card_data_refused", "metadata.[card]", "card_data_refused"},
		"card as unknown field": {order(`"k":"v"}`, `"k":"v"},"`+testPAN+`":1`), 422, "card_data_refused", "[card]", "card_data_refused"},
		"card as an amount":     {order(`"129.95"`, `"`+testPAN+`"`), 422, "card_data_refused", "total", "card_data_refused"},
	}
	for name, value := range map[string]string{
		"1e400": `"1e400"`, "1E-400": `"1E-400"`, "NaN": `"NaN"`, "Infinity": `"Infinity"`, "minus zero": `"-0.00"`,
		"minus": `"-1"`, "plus": `"+5"`, "hex": `"0x10"`, "underscore": `"1_000"`, "full width": `"１"`, "Arabic digit": `"٣"`,
		"leading space": `" 1"`, "trailing space": `"1 "`, "line break": `"1\n"`, "comma": `"1,00"`, "five decimals": `"1.00000"`,
		"no integer": `".5"`, "no decimals": `"1."`, "two points": `"1.0.0"`, "empty": `""`, "sixteen digits": `"9999999999999998"`,
		"number": `129.95`, "big number": `1e400`, "true": `true`, "object": `{}`, "null": `null`,
	} {
		rows["amount: "+name] = row{order(`"129.95"`, value), 422, "amount_invalid", "total", "amount_invalid"}
		rows["amount, deep: "+name] = row{order(`"60.00"`, value), 422, "amount_invalid", "lines[0].unit_price", "amount_invalid"}
	}
	rows["amount, in a map"] = row{order(`"k":"v"}`, `"k":"v"},"flags":{"x":{"fee":1}}`), 422, "amount_invalid", "flags.x.fee", "amount_invalid"}
	rows["amount, optional"] = row{order(`"k":"v"}`, `"k":"v"},"shipping":"-1"`), 422, "amount_invalid", "shipping", "amount_invalid"}

	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(k, post("/v1/orders", row.body))
			require.Equal(t, row.status, w.Code, w.Body.String())
			p := problemOf(t, w)
			require.Equal(t, row.code, p.Code, w.Body.String())
			require.Empty(t, p.MoneyMoved)
			if row.fieldCode == "" {
				require.Empty(t, p.Errors)
				return
			}
			require.Len(t, p.Errors, 1, w.Body.String())
			require.Equal(t, row.fieldCode, p.Errors[0].Code, w.Body.String())
			if row.field != "" {
				require.Equal(t, row.field, p.Errors[0].Field)
			}
			require.NotEmpty(t, p.Errors[0].Message)
			values := strings.NewReplacer("data.canary", "", "canary.", "").Replace(w.Body.String())
			require.NotContains(t, values, "canary", "an answer repeats a value")
			require.NotContains(t, w.Body.String(), testPAN)
		})
	}
	t.Cleanup(func() {
		require.NotContains(t, logged.String(), "canary")
		require.NotContains(t, logged.String(), testPAN)
	})
}

// TestFriendlyBodies guards against strictness that hurts honest callers.
func TestFriendlyBodies(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{CardExempt: []string{"lines[].sku"}})
	for name, body := range map[string]string{
		"plain":                  order(),
		"white space":            " \n" + order() + "\r\n\t ",
		"order of fields":        `{"total":"1","currency":"EUR","number":"1"}`,
		"other scripts":          order("Lamp", "Лампа 灯 مصباح 🏮"),
		"escapes":                order("Lamp", `L\u00e4mpchen \ud83c\udfee \"x\" \\ \n`),
		"HTML and SQL":           order("Lamp", `<b>'; drop table orders; --</b>`),
		"right to left":          order("Lamp", "\u202eabc"),
		"explicit null":          order(`"k":"v"}`, `"k":"v"},"customer":null,"expires_at":null,"shipping":null`),
		"offset":                 order(`"k":"v"}`, `"k":"v"},"expires_at":"2026-11-21T13:00:00+01:00"`),
		"32 deep":                order(`"k":"v"}`, `"k":"v"},"data":`+strings.Repeat("[", 31)+strings.Repeat("]", 31)),
		"any data":               order(`"k":"v"}`, `"k":"v"},"data":{"a":[1,null,true,"x",1e5]}`),
		"UUID that passes":       order("Lamp", "41111111-1111-1111-8111-11111111111a"),
		"sixteen digits, no sum": order("Lamp", "4111111111111112"),
		"twelve digits":          order("Lamp", "411111111113"),
		"phone numbers":          order("Lamp", "+31 20 123 4567 / +49 30 901820"),
		"exempt field":           order("A-1", testPAN),
		"zero amount":            order(`"129.95"`, `"0.00"`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(k, post("/v1/orders", body))
			require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
		})
	}
}

func TestExemptionIsForItsFieldOnly(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{CardExempt: []string{"lines[].sku"}})
	w := serve(k, post("/v1/orders", order("A-1", testPAN, "Lamp", testPAN)))
	require.Equal(t, "lines[0].name", problemOf(t, w).Errors[0].Field)
}

func TestManyErrorsAreCutAndSorted(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	var unknown strings.Builder
	for i := range 5000 {
		unknown.WriteString(`,"x` + strings.Repeat("y", i%7) + string(rune('a'+i%26)) + strings.Repeat("z", i/26) + `":1`)
	}
	body := order(`"k":"v"}`, `"k":"v"}`+unknown.String())
	if len(body) > httpkit.BodyMaxBytes {
		body = order(`"k":"v"}`, `"k":"v"}`+unknown.String()[:strings.LastIndex(unknown.String()[:200_000], ",")])
	}
	first := problemOf(t, serve(k, post("/v1/orders", body)))
	require.Len(t, first.Errors, 32)
	second := problemOf(t, serve(k, post("/v1/orders", body)))
	require.Equal(t, first.Errors, second.Errors)
}

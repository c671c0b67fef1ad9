package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// typed is a field that people type into.
type typed struct {
	path, field string
	lines       bool
	rest        map[string]any // what else the request needs
}

// typedInto are all fields that people type into, of an order and of a payment.
func typedInto(order, pay string) []typed {
	order, pay = "/v1/orders/"+order, "/v1/payments/"+pay
	resolution := map[string]any{"resolution": "seen"}
	return []typed{
		{path: order + "/notes", field: "text", lines: true},
		{path: order + "/cancel", field: "reason", lines: true},
		{path: order + "/refund", field: "reason", lines: true},
		{path: order + "/refund", field: "reference"},
		{path: pay + "/capture", field: "reference"},
		{path: pay + "/refund", field: "reason", lines: true},
		{path: pay + "/refund", field: "reference"},
		{path: pay + "/void", field: "reason", lines: true},
		{path: pay + "/mark-paid", field: "reason", lines: true},
		{path: pay + "/mark-authorized", field: "reason", lines: true},
		{path: "/v1/cases/cas_1/resolve", field: "reason", lines: true, rest: resolution},
	}
}

func (f typed) body(text string) map[string]any {
	body := map[string]any{f.field: text}
	for name, value := range f.rest {
		body[name] = value
	}
	return body
}

// What people type is shown to other people, in pages, terminals and mails of others:
// it must not be able to look like something that it is not.
func TestWhatPeopleTypeHoldsNoControlCharacters(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order, pay := c.paidBy("card")
	bad := map[string]string{
		"a bell": "\a", "an escape": "\x1b[31m", "a backspace": "\b", "a return alone": "\r", "a return before another": "\r\r\n",
		"DEL": "\x7f", "an escape of eight bits": "\u009b", "an override": "\u202e", "an embedding": "\u202a", "an isolate": "\u2067",
		"the end of an isolate": "\u2069",
	}
	for _, f := range typedInto(order, pay) {
		for name, text := range bad {
			a := c.Post(f.path, f.body("canary"+text+"canary")).Refused(http.StatusUnprocessableEntity, "validation_failed")
			require.Equal(t, f.field, a.Text("errors.0.field"), "%s: %s", f.path, name)
			require.Equal(t, "control_character", a.Text("errors.0.code"), "%s: %s", f.path, name)
			require.NotContains(t, string(a.Body), "canary")
		}
		if !f.lines {
			for _, text := range []string{"\n", "\t", "\r\n", "\u2028"} {
				a := c.Post(f.path, f.body("a"+text+"b")).Refused(http.StatusUnprocessableEntity, "validation_failed")
				require.Equal(t, "control_character", a.Text("errors.0.code"), f.path)
			}
		}
	}
	require.Equal(t, "paid", c.Get("/v1/orders/"+order).Text("payment_status"), "nothing of it was done")
	require.Len(t, c.Get("/v1/payments/"+pay).List("transactions"), 1)
}

// Joiners are letters of Persian, of Indic scripts and of emoji.
const anyScript = "می\u200cخواهم, क्\u200dष, 👩\u200d👧, Ñandú, 山田, עברית, Ω̃"

func TestWhatPeopleTypeIsOfAnyScriptAndOfSeveralLines(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	id := c.PaidOrder()
	for _, text := range []string{anyScript, "first\nsecond\n\n\tindented", "first\r\nsecond"} {
		a := c.Post("/v1/orders/"+id+"/notes", map[string]any{"text": text}).Is(http.StatusCreated)
		require.Equal(t, text, a.Text("text"))
	}
	a := c.Post("/v1/orders/"+id+"/refund", map[string]any{"amount": "1.00", "reason": "broken\n" + anyScript, "reference": anyScript})
	a.Is(http.StatusOK)
	require.Contains(t, string(c.Get("/v1/orders/"+id+"/timeline").Body), "خواهم")
}

// What a shop sends of an order is its own, as it has it: shops in Israel send marks
// of direction with names, and others what their forms let through.
func TestOrdersAreTakenWithNamesOfAnyScript(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	name := anyScript + "\u200f"
	id := c.Order(map[string]any{
		"customer":         map[string]any{"name": name},
		"shipping_address": map[string]any{"name": name, "line1": name},
		"metadata":         map[string]any{"gift": "first\nsecond" + name},
	})
	a := c.Get("/v1/orders/" + id).Is(http.StatusOK)
	require.Equal(t, name, a.Text("customer.name"))
	require.Equal(t, name, a.Text("shipping_address.line1"))
}

// sentByPrograms are the texts of bodies that no person types into paysvc: names,
// numbers and codes of the shop, and the data of its orders.
var sentByPrograms = []string{
	"basket_id", "city", "code", "company", "currency", "failure", "from", "id", "ip", "line1", "line2", "locale", "method", "name",
	"number", "order", "phone", "pipeline", "postal_code", "promotion_codes", "region", "sku", "success", "types", "url",
}

// schema is as much of a schema as says what a text may be.
type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Format     string
	Pattern    string
	Enum       []any
	Control    string `json:"x-control-characters"`
	Properties map[string]*schema
	Items      *schema
}

// Whoever adds a field of text decides whether people type into it.
func TestEveryTextIsTypedByPeopleOrSentByPrograms(t *testing.T) {
	t.Parallel()
	recorder := httptest.NewRecorder()
	uncalled(t).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	var document struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct{ Schema *schema }
			}
		}
		Components struct{ Schemas map[string]*schema }
	}
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &document))
	guarded, sent := map[string]bool{}, map[string]bool{}
	var walk func(path, field string, s *schema)
	walk = func(path, field string, s *schema) {
		for s != nil && s.Ref != "" {
			s = document.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
		}
		if s == nil {
			return
		}
		for name, member := range s.Properties {
			walk(path, strings.TrimPrefix(field+"."+name, "."), member)
		}
		walk(path, field, s.Items)
		if !strings.Contains(strings.Join(typesOf(s.Type), " "), "string") || s.Format != "" || s.Pattern != "" || len(s.Enum) > 0 {
			return
		}
		if s.Control != "" {
			guarded[path+" "+field] = true
			return
		}
		last := field[strings.LastIndexByte(field, '.')+1:]
		assert.Contains(t, sentByPrograms, last, "%s %s: make it httpkit.Text or httpkit.Line where people type into it", path, field)
		sent[last] = true
	}
	for path, methods := range document.Paths {
		for _, o := range methods {
			for _, content := range o.RequestBody.Content {
				walk(path, "", content.Schema)
			}
		}
	}
	for _, f := range typedInto("{id}", "{id}") {
		require.True(t, guarded[strings.Replace(f.path, "cas_1", "{id}", 1)+" "+f.field], "%s %s", f.path, f.field)
	}
	require.Len(t, guarded, len(typedInto("", "")), "those of the table above")
	require.Len(t, sent, len(sentByPrograms), "there is none that nothing is called by: %v", sent)
}

func typesOf(declared any) []string {
	switch declared := declared.(type) {
	case string:
		return []string{declared}
	case []any:
		var all []string
		for _, one := range declared {
			if name, ok := one.(string); ok {
				all = append(all, name)
			}
		}
		return all
	}
	return nil
}

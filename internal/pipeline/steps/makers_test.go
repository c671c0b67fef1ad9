package steps_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// configure makes a step as settings do, from its `with:`.
func configure(name, with string, d steps.MakerDeps) (pipeline.Step, error) {
	for _, m := range steps.Makers(d) {
		if m.Name == name {
			return m.Make(func(target any) error { return yaml.UnmarshalWithOptions([]byte(with), target, yaml.Strict()) })
		}
	}
	return nil, payment.NotFound("the step")
}

func configured(t *testing.T, name, with string) pipeline.Step {
	t.Helper()
	step, err := configure(name, with, steps.MakerDeps{Poster: &shop{}})
	require.NoError(t, err)
	require.Equal(t, name, step.Name())
	return step
}

const httpWith = "url: https://shop.example/hook\nsecret: whsec_ok\n"

func TestWrongConfigurationsAreRefusedAndTheSettingIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ step, with, field string }{
		{"note", `display_to_customer: true`, "text"},
		{"note", `text: "Thanks, {name}"`, "text"},
		{"note", `text: "` + strings.Repeat("a", 1001) + `"`, "text"},
		{"set-attribute", `value: 1`, "key"},
		{"set-attribute", `{key: "a b", value: 1}`, "key"},
		{"set-attribute", `key: a`, "value"},
		{"set-attribute", `{key: a, value: "` + strings.Repeat("a", 64<<10) + `"}`, "value"},
		{"emit-event", `{}`, "type"},
		{"emit-event", `type: order.paid`, "type"},
		{"emit-event", `type: custom`, "type"},
		{"emit-event", `type: custom.Order.paid`, "type"},
		{"emit-event", `type: custom.a.b.c.d`, "type"},
		{"ip-range-validation", `networks: []`, "networks"},
		{"http", `secret: whsec_ok`, "url"},
		{"http", `{url: "http://10.0.0.1", secret: whsec_ok}`, "url"},
		{"http", `url: https://shop.example/hook`, "secret"},
		{"http", httpWith + "timeout: 31s", "timeout"},
		{"http", httpWith + "timeout: 0s", "timeout"},
		{"http", httpWith + "on_failure: shrug", "on_failure"},
		{"http", httpWith + `attributes: ["a b"]`, "attributes"},
		{"http", httpWith + `attributes: ["a*b"]`, "attributes"},
		{"http", httpWith + `attributes: [""]`, "attributes"},
	} {
		_, err := configure(c.step, c.with, steps.MakerDeps{Poster: &shop{}})
		refusal, ok := err.(*payment.Error) //nolint:errorlint // the makers return it as it is
		require.True(t, ok, "%s: %v", c.with, err)
		require.Equal(t, c.field, refusal.Fields[0].Field, c.with)
	}
	for _, c := range []struct{ step, with string }{
		{"ip-range-validation", `networks: [somewhere]`}, {"note", `{text: a, colour: red}`}, {"http", httpWith + "header: a"},
	} {
		_, err := configure(c.step, c.with, steps.MakerDeps{Poster: &shop{}})
		require.Error(t, err, c.with)
	}
}

func TestAnAddressForANetworkIsToldHowToWriteIt(t *testing.T) {
	t.Parallel()
	_, err := configure("ip-range-validation", `networks: [192.0.2.0/24, 192.0.2.7]`, steps.MakerDeps{})
	require.ErrorContains(t, err, "one address is 192.0.2.7/32")
}

func TestASetAttributeStepSetsIt(t *testing.T) {
	t.Parallel()
	for with, want := range map[string]string{
		`{key: tier, value: gold}`: `"gold"`, `{key: tier, value: 80}`: `80`, `{key: tier, value: 'true'}`: `true`,
		`{key: tier, value: '{"a": [1, null]}'}`: `{"a": [1, null]}`, `{key: tier, value: '"80"'}`: `"80"`,
	} {
		step := configured(t, "set-attribute", with)
		require.True(t, step.(pipeline.AttributeReader).ReadsAttributes(), "the order is opened with its attributes")
		o := newOrder(t)
		o.Attributes = map[string]payment.Attribute{}
		for range 2 {
			require.NoError(t, step.Do(&pipeline.Run{Order: o, At: noon()}))
		}
		require.Equal(t, want, string(o.Attributes["tier"].Value), with)
		require.Len(t, o.Staged.Attributes, 1, "the second time nothing changes")
	}
}

func TestANoteSaysWhatTheSettingsSay(t *testing.T) {
	t.Parallel()
	step := configured(t, "note", `{text: "Order {number}: {total} {currency} by {method}.", display_to_customer: true}`)
	o := newOrder(t)
	run := &pipeline.Run{Order: o, At: noon(), Payment: begin(o, payment.AuthorizeAndCapture)}
	require.NoError(t, step.Do(run))
	require.NoError(t, configured(t, "note", `text: "{method} — packed"`).Do(&pipeline.Run{Order: o, At: noon()}))
	notes := o.Staged.Notes[len(o.Staged.Notes)-2:]
	require.Equal(t, "Order 1001: 10.00 EUR by card.", notes[0].Text)
	require.True(t, notes[0].DisplayToCustomer)
	require.Equal(t, " — packed", notes[1].Text)
	require.False(t, notes[1].DisplayToCustomer)
}

func TestAnEventOfTheShopIsEmitted(t *testing.T) {
	t.Parallel()
	o := paid(t)
	run := &pipeline.Run{Order: o, At: noon(), Payment: o.Payments[0]}
	require.NoError(t, configured(t, "emit-event", `type: custom.gift_packed.v2`).Do(run))
	event := o.Staged.Events[len(o.Staged.Events)-1]
	require.Equal(t, "custom.gift_packed.v2", event.Type)
	require.Equal(t, "paid", event.Status)
	require.Equal(t, o.Payments[0].N, event.Payment)
	require.Equal(t, o.Sequence, event.N)
}

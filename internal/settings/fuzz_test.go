package settings_test

import (
	"strings"
	"testing"

	"github.com/paysvc/paysvc/internal/settings"
)

// FuzzLoad: no file makes Load panic, settings come without problems or
// problems without settings, and a secret is in neither, nor in what people see of
// a pipeline.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		full, string(settings.Demo()), account("api_key: " + canary), account("api_key: {env: X_Y}"), free("min_total: {EUR: 1.5}"),
		"a: &x [*x]", "? {a: b}\n: c", "- - - a", "a: |\n  b\n", "a: 'b''c'", "{a: [b, {c: d}]}", "\"\\u0000\": 1", "%YAML 1.2\n---\na: b",
		edited("confirm:\n  - insert: http\n    before: save-order\n    when: order.total > 1 and fact.exists\n    with: {url: a, secret: {env: X_Y}}"),
		edited("status-ok: [{append: note, as: x, to: post, with: {text: {env: X_Y}}}, {remove: pay-order}, {move: x, after: deduct-stock}]"),
		edited("status-ok: [{replace: pay-order, by: bell}, {change: bell, when: 'order.skus[\"" + canary + "\"] == 1'}]"),
		edited("status-pending: {pre: [bell], steps: [pending-order, {step: http, with: {secret: " + canary + "}}], post: []}"),
		edited("cancel: [{insert: order-path-selector, as: " + canary + ", before: " + canary + "}]"),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		s, err := settings.Load("f", source, deps())
		if (s == nil) == (err == nil) {
			t.Fatalf("settings %v, error %v", s, err)
		}
		if err != nil && (err.Error() == "" || strings.Contains(err.Error(), canary)) {
			t.Fatalf("problems: %v", err)
		}
		if s == nil || strings.Contains(string(source), canary) {
			return
		}
		for _, st := range s.Stores {
			for _, e := range st.Pipelines {
				if shown := e.Step.Text() + e.Step.Config; strings.Contains(shown, canary) {
					t.Fatalf("shown: %s", shown)
				}
			}
		}
	})
}

package settings_test

import (
	"strings"
	"testing"

	"github.com/paysvc/paysvc/internal/settings"
)

// FuzzLoad: no file makes Load panic, settings come without problems or
// problems without settings, and a secret is in neither.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		full, string(settings.Demo()), account("api_key: " + canary), account("api_key: {env: X_Y}"), free("min_total: {EUR: 1.5}"),
		"a: &x [*x]", "? {a: b}\n: c", "- - - a", "a: |\n  b\n", "a: 'b''c'", "{a: [b, {c: d}]}", "\"\\u0000\": 1", "%YAML 1.2\n---\na: b",
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
	})
}

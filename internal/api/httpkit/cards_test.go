package httpkit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

func TestCardNumbersAreFound(t *testing.T) {
	t.Parallel()
	// The test numbers that schemes publish, 13 to 19 digits.
	for _, text := range []string{
		"4222222222222", "30569309025904", "378282246310005", "371449635398431", "4111111111111111", "5555555555554444",
		"2223003122003222", "6011111111111117", "3530111333300000", "6200000000000005", "6304000000000000", "6799990100000000019",
		"4111 1111 1111 1111", "4111-1111-1111-1111", "3782 822463 10005", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "1 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 7",
		"card4111111111111111", "4111111111111111,", "my card: 4111 1111 1111 1111, exp 12/29", "4111111111111111 123",
		"20 4111111111111111", "1234567890123456789012345 4111111111111111", "é4111111111111111é", "PAN=4111111111111111&x=1",
		"1-4111-1111-1111-1111-22", strings.Repeat("1 ", 1000) + "4111111111111111",
		strings.Repeat("4111111111111111a", 20000), // too long for an id, and quick to tell
	} {
		require.True(t, httpkit.ContainsCardNumber(text), text)
		require.False(t, httpkit.ContainsCardNumber(httpkit.RedactCardNumbers(text)), text)
	}
	require.Equal(t, "my card: [card], exp 12/29", httpkit.RedactCardNumbers("my card: 4111 1111 1111 1111, exp 12/29"))
}

func TestOtherNumbersAreNotCards(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "129.95", "4111111111111112", "411111111113", "41111111111111111111111", "4111  1111  1111  1111",
		"+31 20 123 4567", "2026-11-21T12:00:00.123456Z", "NL91ABNA0417164300", "192.168.100.100",
		"0190f0a2-41111-1111", "41111111-1111-1111-8111-11111111111a",
		"4111111111111111aaaaffffbbbbcccc", "SELECT 1",
	} {
		require.False(t, httpkit.ContainsCardNumber(text), text)
		require.Equal(t, text, httpkit.RedactCardNumbers(text))
	}
}

// TestEveryCardIsFoundWhateverSurroundsIt makes numbers with a right check
// digit and hides them in bodies.
func TestEveryCardIsFoundWhateverSurroundsIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[1-9][0-9]{11,17}`).Draw(t, "digits")
		pan := withCheckDigit(digits)
		separator := rapid.SampledFrom([]string{"", " ", "-"}).Draw(t, "separator")
		size := rapid.IntRange(1, 6).Draw(t, "size")
		var parts []string
		for rest := pan; rest != ""; {
			n := min(size, len(rest))
			parts, rest = append(parts, rest[:n]), rest[n:]
		}
		text := rapid.StringMatching(`[g-z ,.:]{0,9}`).Draw(t, "before") + strings.Join(parts, separator) + rapid.StringMatching(`([ ,.:][g-z0-9 ]{0,9})?`).Draw(t, "after")
		require.True(t, httpkit.ContainsCardNumber(text), text)

		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		p := httpkit.ScanBody([]byte(`{"a":[{"b":`+string(quoted)+`}]}`), nil)
		require.NotNil(t, p)
		require.Equal(t, "a[0].b", p.Errors[0].Field)
	})
}

func withCheckDigit(digits string) string {
	for check := range 10 {
		pan := digits + string(rune('0'+check))
		sum := 0
		for i := range len(pan) {
			d := int(pan[len(pan)-1-i] - '0')
			if i%2 == 1 {
				d = d*2/10 + d*2%10
			}
			sum += d
		}
		if sum%10 == 0 {
			return pan
		}
	}
	panic("no check digit")
}

// FuzzScan compares the scanner, which reads bytes, with a walk over what
// another decoder made of the body.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		order(), typicalBody(), `{"a":"4111111111111111"}`, `["4111 1111 1111 1111"]`, `{"\u0000":1}`, `"\u0034111111111111111"`,
		`{"4111111111111111":[[{}]]}`, strings.Repeat("[", 40) + strings.Repeat("]", 40), `4111111111111111`, `"4111\u002d1111\u20001111"`,
		`{"a":"\"4111111111111111"}`, `{"a":"\\","b":"411111111111","c":"1111"}`, "\xff\"", `"\ud83c\udfee"`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := httpkit.ScanBody(body, nil)
		if p != nil && !httpkit.Suspicious(body) {
			t.Fatal("refused without suspicion")
		}
		var tree any
		decoder := json.NewDecoder(strings.NewReader(string(body)))
		decoder.UseNumber()
		if !utf8.Valid(body) || decoder.Decode(&tree) != nil || duplicated(body) {
			return // refused elsewhere
		}
		if (p != nil) != hostile(tree, 1) {
			t.Fatalf("scanner says %v of %q", p, body)
		}
	})
}

// duplicated is true if the strict decoder finds fault with the body.
func duplicated(body []byte) bool {
	var v any
	return httpkit.Decode(body, &v) != nil
}

func hostile(v any, depth int) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "\x00") || httpkit.ContainsCardNumber(v)
	case json.Number:
		return httpkit.ContainsCardNumber(v.String())
	case []any:
		for _, e := range v {
			if hostile(e, depth+1) {
				return true
			}
		}
		return depth > 32
	case map[string]any:
		for name, e := range v {
			if hostile(name, depth) || hostile(e, depth+1) {
				return true
			}
		}
		return depth > 32
	}
	return false
}

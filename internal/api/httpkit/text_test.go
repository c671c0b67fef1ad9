package httpkit_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

func TestATextIsTakenAsItWasTyped(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"", "a", "a\tb\nc\r\nd\r\n", "می\u200cخواهم", "👩\u200d👧", "é\u0301", "\u00a0", "\u2028", "\ufeff", "שלום\u200f", "\u200eA", "\u061cسبب"} {
		sent, err := json.Marshal(typed)
		require.NoError(t, err)
		var text httpkit.Text
		require.NoError(t, json.Unmarshal(sent, &text), "%q", typed)
		require.Equal(t, typed, string(text))
	}
}

func TestNoRangeOfControlCharactersIsTaken(t *testing.T) {
	t.Parallel()
	refused := func(r rune) (text, line bool) {
		sent, err := json.Marshal("a" + string(r) + "b")
		require.NoError(t, err)
		var intoText httpkit.Text
		var intoLine httpkit.Line
		return json.Unmarshal(sent, &intoText) != nil, json.Unmarshal(sent, &intoLine) != nil
	}
	var texts, lines []rune
	for r := rune(0); r <= 0x2fff; r++ {
		text, line := refused(r)
		if text {
			texts = append(texts, r)
		}
		if line && !text {
			lines = append(lines, r)
		}
	}
	require.Equal(t, []rune{'\t', '\n', '\u2028', '\u2029'}, lines, "what only a text of several lines may hold")
	require.Len(t, texts, 30+1+32+9, "C0 but two, DEL, C1, and what turns the direction of all that follows")
	require.Subset(t, texts, []rune{0, '\r', 0x1b, 0x1f, 0x7f, 0x80, 0x9f, 0x202a, 0x202e, 0x2066, 0x2069})
}

package payment_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

const cardChars = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

func newCode(seed uint64) payment.GiftCardCode {
	var key [32]byte
	key[0], key[1], key[2] = byte(seed), byte(seed>>8), byte(seed>>16)
	return payment.NewIDs(func() time.Time { return time.Time{} }, rand.NewChaCha8(key)).GiftCardCode()
}

func TestACodeIsReadAsPeopleTypeIt(t *testing.T) {
	t.Parallel()
	code := newCode(1)
	shown := code.Reveal()
	require.Regexp(t, "^(["+cardChars+"]{4}-){4}["+cardChars+"]{4}$", shown)
	for _, typed := range []string{
		shown, strings.ToLower(shown), strings.ReplaceAll(shown, "-", ""), " " + strings.ReplaceAll(shown, "-", " ") + " ",
		strings.ReplaceAll(shown, "-", "–"), strings.ReplaceAll(shown, "-", "\u00a0"),
	} {
		read, ok := payment.ParseGiftCardCode(typed)
		require.True(t, ok, typed)
		require.Equal(t, code.Hash("demo"), read.Hash("demo"))
	}
	require.NotEqual(t, code.Hash("demo"), code.Hash("other"))
	require.Equal(t, shown[len(shown)-4:], code.Last4())
}

func TestACodeIsNotPrintedByAccident(t *testing.T) {
	t.Parallel()
	code := newCode(2)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		printed := fmt.Sprintf(format, struct{ C payment.GiftCardCode }{code}) + fmt.Sprintf(format, code)
		require.NotContains(t, strings.ReplaceAll(printed, "-", ""), strings.ReplaceAll(code.Reveal(), "-", "")[:8], format)
	}
	require.Equal(t, "•••• "+code.Last4(), code.String())
}

// TestTyposAreFound changes one character, or lets two change places.
func TestTyposAreFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typed := []byte(strings.ReplaceAll(newCode(rapid.Uint64Range(0, 1<<24-1).Draw(t, "seed")).Reveal(), "-", ""))
		_, ok := payment.ParseGiftCardCode(string(typed))
		require.True(t, ok)
		i, j := rapid.IntRange(0, 19).Draw(t, "i"), rapid.IntRange(0, 19).Draw(t, "j")
		if typed[i] != typed[j] {
			swapped := append([]byte(nil), typed...)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			_, ok = payment.ParseGiftCardCode(string(swapped))
			require.False(t, ok, "%s after %s", swapped, typed)
		}
		other := rapid.SampledFrom([]byte(cardChars+"01IO")).Draw(t, "character")
		if typed[i] != other {
			typed[i] = other
			_, ok = payment.ParseGiftCardCode(string(typed))
			require.False(t, ok, string(typed))
		}
	})
}

func TestCodesFromElsewhere(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{
		"6006491260550219": true, "GIFT-0001-OLD1": true, "abcdefghij": true, strings.Repeat("A", 40): true,
		"": false, "ABCDEFGHI": false, strings.Repeat("A", 41): false, "GIFT_0001_OLD1": false, "ÄBCDEFGHIJK": false,
		strings.Repeat("-", 1000) + "ABCDEFGHIJ": false,
		strings.Repeat("A", 20):                  false, // as long as ours, and the check does not fit
	} {
		_, ok := payment.ParseGiftCardCode(typed)
		require.Equal(t, want, ok, typed)
	}
}

func TestGiftCardIDs(t *testing.T) {
	t.Parallel()
	id := payment.GiftCardID{1, 2, 3}
	read, err := payment.ParseGiftCardID(id.String())
	require.NoError(t, err)
	require.Equal(t, id, read)
	_, err = payment.ParseGiftCardID("ord" + id.String()[3:])
	require.ErrorIs(t, err, payment.ErrGiftCardNotFound)
}

package payment_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
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

func newKey(t *testing.T, of byte) payment.GiftCardKey {
	t.Helper()
	key, err := payment.NewGiftCardKey(bytes.Repeat([]byte{of}, 32))
	require.NoError(t, err)
	return key
}

// Ten digits are tried in an afternoon by whoever has the hash and knows how it was
// made. With a key it takes the key too.
func TestAHashIsWorthNothingWithoutTheKey(t *testing.T) {
	t.Parallel()
	code, ok := payment.ParseGiftCardCode("6006491260")
	require.True(t, ok)
	key := newKey(t, 'a')
	hash := key.Hash("demo", code)
	require.Len(t, hash, 32)
	require.Equal(t, hash, newKey(t, 'a').Hash("demo", code))
	require.NotEqual(t, hash, key.Hash("other", code), "stores have nothing in common")
	require.NotEqual(t, hash, newKey(t, 'b').Hash("demo", code))
	require.Equal(t, key.Name(), newKey(t, 'a').Name())
	require.NotEqual(t, key.Name(), newKey(t, 'b').Name())
	for _, guessed := range []string{"6006491260", "demo\n6006491260", "gift card\ndemo\n6006491260"} {
		plain, keyed := sha256.Sum256([]byte(guessed)), hmac.New(sha256.New, nil)
		keyed.Write([]byte(guessed))
		require.NotEqual(t, hash, plain[:], "it is found by trying all codes")
		require.NotEqual(t, hash, keyed.Sum(nil))
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", key, key, key), strings.Repeat("a", 8))
	require.False(t, payment.GiftCardKey{}.Ready())
	_, err := payment.NewGiftCardKey(make([]byte, 31))
	require.Error(t, err)
}

func TestACodeIsReadAsPeopleTypeIt(t *testing.T) {
	t.Parallel()
	code, key := newCode(1), newKey(t, 'a')
	shown := code.Reveal()
	require.Regexp(t, "^(["+cardChars+"]{4}-){4}["+cardChars+"]{4}$", shown)
	for _, typed := range []string{
		shown, strings.ToLower(shown), strings.ReplaceAll(shown, "-", ""), " " + strings.ReplaceAll(shown, "-", " ") + " ",
		strings.ReplaceAll(shown, "-", "–"), strings.ReplaceAll(shown, "-", "\u00a0"),
	} {
		read, ok := payment.ParseGiftCardCode(typed)
		require.True(t, ok, typed)
		require.Equal(t, key.Hash("demo", code), key.Hash("demo", read))
	}
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

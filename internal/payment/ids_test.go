package payment_test

import (
	"bytes"
	"crypto/rand"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

func drawID(t *rapid.T, label string) (id payment.ID) {
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, label))
	return id
}

func drawNumber(t *rapid.T, label string) int { return rapid.IntRange(0, 1<<20-1).Draw(t, label) }

// An order that gave out more numbers than anybody expects still names each
// child once: ids never run over into those of others.
func TestIDsOfVeryManyChildrenStayApart(t *testing.T) {
	t.Parallel()
	seen := make(map[string]int)
	for _, n := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 1 << 25, 1<<25 + 1, math.MaxInt32} {
		id := payment.RunID{N: n}
		read, err := payment.ParseRunID(id.String())
		require.NoError(t, err, n)
		require.Equal(t, id, read)
		seen[id.String()] = n
	}
	require.Len(t, seen, 8)
	for _, tail := range []string{"00001", "0zzzz", "20000000", "zzzzzzz", "2000000"} {
		_, err := payment.ParseRunID("run_" + strings.Repeat("0", 26) + tail)
		require.Error(t, err, "%s is not how a number is written, or none of ours", tail)
	}
}

// children writes and reads each kind of id that belongs to an order.
func children(id payment.ChildID) map[string]func(string) (payment.ChildID, error) {
	return map[string]func(string) (payment.ChildID, error){
		payment.PaymentID(id).String(): func(s string) (payment.ChildID, error) {
			read, err := payment.ParsePaymentID(s)
			return payment.ChildID(read), err
		},
		payment.TransactionID(id).String(): func(s string) (payment.ChildID, error) {
			read, err := payment.ParseTransactionID(s)
			return payment.ChildID(read), err
		},
		payment.RunID(id).String(): func(s string) (payment.ChildID, error) {
			read, err := payment.ParseRunID(s)
			return payment.ChildID(read), err
		},
		payment.EventID(id).String(): func(s string) (payment.ChildID, error) {
			read, err := payment.ParseEventID(s)
			return payment.ChildID(read), err
		},
	}
}

// roots writes and reads each kind of id that stands alone.
func roots(id payment.ID) map[string]func(string) (payment.ID, error) {
	return map[string]func(string) (payment.ID, error){
		payment.OrderID(id).String(): func(s string) (payment.ID, error) {
			read, err := payment.ParseOrderID(s)
			return payment.ID(read), err
		},
		payment.NotificationID(id).String(): func(s string) (payment.ID, error) {
			read, err := payment.ParseNotificationID(s)
			return payment.ID(read), err
		},
		payment.CaseID(id).String(): func(s string) (payment.ID, error) {
			read, err := payment.ParseCaseID(s)
			return payment.ID(read), err
		},
	}
}

func TestAnIDIsReadBackFromItsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := drawID(t, "id")
		for text, parse := range roots(id) {
			read, err := parse(text)
			require.NoError(t, err)
			require.Equal(t, id, read)
			require.Len(t, text, 30)
		}
		child := payment.ChildID{Order: payment.OrderID(id), N: drawNumber(t, "n")}
		for text, parse := range children(child) {
			read, err := parse(text)
			require.NoError(t, err)
			require.Equal(t, child, read)
			require.Len(t, text, 34, "the usual length")
		}
		require.True(t, strings.HasPrefix(payment.NoteID(child).String(), "not_"))
	})
}

func TestTextsOfIDsSortLikeTheIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawID(t, "a"), drawID(t, "b")
		require.Equal(t, bytes.Compare(a[:], b[:]), strings.Compare(payment.OrderID(a).String(), payment.OrderID(b).String()))
		n, m := drawNumber(t, "n"), drawNumber(t, "m")
		first, second := payment.TransactionID{Order: payment.OrderID(a), N: n}, payment.TransactionID{Order: payment.OrderID(a), N: m}
		require.Equal(t, n < m, first.String() < second.String())
	})
}

// A malformed id looks like one of an object that does not exist.
func TestMalformedIDsNameNothing(t *testing.T) {
	t.Parallel()
	id := payment.ID{0: 1, 15: 0xff}
	for text, parse := range roots(id) {
		requireNothing(t, malformed(text), func(s string) error {
			_, err := parse(s)
			return err
		})
	}
	for text, parse := range children(payment.ChildID{Order: payment.OrderID(id), N: 77}) {
		requireNothing(t, malformed(text), func(s string) error {
			_, err := parse(s)
			return err
		})
	}
}

func requireNothing(t *testing.T, texts []string, parse func(string) error) {
	t.Helper()
	for _, s := range texts {
		require.Equal(t, payment.KindNotFound, payment.KindOf(parse(s)), "%q", s)
	}
}

// malformed returns texts that are nearly the id.
func malformed(text string) []string {
	last := len("ord_") + 25 // holds two bits that belong to nobody
	at := func(i int, c string) string { return text[:i] + c + text[i+1:] }
	return []string{
		"", text[:len(text)-1], text + "0", text[4:], " " + text, text + " ", strings.ToUpper(text), "xyz_" + text[4:],
		"ord-" + text[4:], at(4, "i"), at(4, "l"), at(4, "o"), at(4, "u"), at(4, "U"), at(4, "\n"), at(len(text)-1, "!"),
		at(len(text)-1, "\r"), at(last, nextDigit(text[last])), text[:4] + strings.Repeat("é", (len(text)-4)/2),
	}
}

// nextDigit differs in the last of the five bits only.
func nextDigit(c byte) string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	return string(digits[strings.IndexByte(digits, c)^1])
}

func TestAnIDOfOneKindIsNotOneOfAnother(t *testing.T) {
	t.Parallel()
	for text := range roots(payment.ID{1}) {
		accepted := 0
		for _, parse := range roots(payment.ID{1}) {
			if _, err := parse(text); err == nil {
				accepted++
			}
		}
		require.Equal(t, 1, accepted, text)
	}
	for text := range children(payment.ChildID{N: 1}) {
		accepted := 0
		for _, parse := range children(payment.ChildID{N: 1}) {
			if _, err := parse(text); err == nil {
				accepted++
			}
		}
		require.Equal(t, 1, accepted, text)
	}
}

func TestNewIDsAreVersion7AndSortByTime(t *testing.T) {
	t.Parallel()
	at := noon()
	ids := payment.NewIDs(func() time.Time { at = at.Add(time.Millisecond); return at }, rand.Reader)
	var texts, references []string
	for range 100 {
		id := ids.New()
		require.Equal(t, byte(7), id[6]>>4)
		require.Equal(t, byte(0b10), id[8]>>6)
		texts, references = append(texts, payment.OrderID(id).String()), append(references, ids.Reference())
	}
	require.True(t, slices.IsSorted(texts))
	require.True(t, slices.IsSorted(references))
}

func TestReferencesAreWhatEveryPSPTakesAndNoTwoAreAlike(t *testing.T) {
	t.Parallel()
	ids := payment.NewIDs(noon, rand.Reader) // all in one millisecond
	seen := make(map[string]bool)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 1000 {
				ref, token := ids.Reference(), ids.Token()
				mu.Lock()
				seen[ref], seen[token] = true, true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	require.Len(t, seen, 8000)
	for s := range seen {
		if len(s) == 20 {
			require.Regexp(t, `^[A-Z0-9]{20}$`, s)
		} else {
			require.Regexp(t, `^[a-z0-9]{32}$`, s)
		}
	}
}

func TestWithoutRandomnessNothingIsNamed(t *testing.T) {
	t.Parallel()
	ids := payment.NewIDs(noon, bytes.NewReader(make([]byte, 15)))
	require.Panics(t, func() { ids.New() })
}

func TestAReturnSlugNamesTheOrderAndItsToken(t *testing.T) {
	t.Parallel()
	o := &payment.Order{ID: payment.OrderID{3: 7}, ReturnToken: "secret"}
	id, token, err := payment.ParseReturnSlug(o.ReturnSlug())
	require.NoError(t, err)
	require.Equal(t, o.ID, id)
	require.Equal(t, "secret", token)
	for _, slug := range []string{"", "secret", o.ReturnSlug()[:26], strings.ToUpper(o.ReturnSlug()), "!" + o.ReturnSlug()[1:]} {
		_, _, err := payment.ParseReturnSlug(slug)
		require.Error(t, err, slug)
	}
}

package payment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func withAttributes(t *testing.T) *payment.Order {
	o := unpaid(t, "10.00")
	o.Attributes = map[string]payment.Attribute{}
	return o
}

func TestAnAttributeIsStagedOnceWithItsLastValue(t *testing.T) {
	t.Parallel()
	o := withAttributes(t)
	require.NoError(t, o.SetAttribute("risk.score", []byte(`12`), noon()))
	require.NoError(t, o.SetAttribute("gift", []byte(`{"wrap":"[\"{"}`), noon()))
	require.NoError(t, o.SetAttribute("risk.score", []byte(`80`), noon()))
	require.Len(t, o.Staged.Attributes, 2)
	require.Equal(t, o.Attributes["risk.score"], o.Staged.Attributes[0])
	require.Equal(t, "80", string(o.Staged.Attributes[0].Value))
	require.Equal(t, noon().UnixMicro()+1, o.Staged.Attributes[0].Version, "each value has a version of its own")
}

func TestTheSameValueAgainChangesNothing(t *testing.T) {
	t.Parallel()
	o := withAttributes(t)
	o.Attributes["gift"] = payment.Attribute{Key: "gift", Value: []byte(`true`), Version: 7}
	require.NoError(t, o.SetAttribute("gift", []byte(`true`), noon()))
	require.Empty(t, o.Staged.Attributes)
	require.EqualValues(t, 7, o.Attributes["gift"].Version)
}

func TestImpossibleAttributesAreRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 33) + strings.Repeat("]", 33)
	for name, c := range map[string]struct {
		key, value string
		want       error
	}{
		"no key":            {"", `1`, payment.ErrAttributeKey},
		"key with a space":  {"a b", `1`, payment.ErrAttributeKey},
		"key with a dot":    {".a", `1`, payment.ErrAttributeKey},
		"long key":          {strings.Repeat("a", 101), `1`, payment.ErrAttributeKey},
		"no value":          {"a", ``, payment.ErrAttributeValue},
		"not JSON":          {"a", `{`, payment.ErrAttributeValue},
		"not UTF-8":         {"a", "\"\xff\"", payment.ErrAttributeValue},
		"more than 64 KiB":  {"a", `"` + strings.Repeat("x", 64<<10) + `"`, payment.ErrAttributeValue},
		"33 lists in lists": {"a", deep, payment.ErrAttributeValue},
	} {
		o := withAttributes(t)
		require.ErrorIs(t, o.SetAttribute(c.key, []byte(c.value), noon()), c.want, name)
		require.Empty(t, o.Staged.Attributes, name)
	}
	o := withAttributes(t)
	require.NoError(t, o.SetAttribute(strings.Repeat("a", 100), []byte(deep[1:65]), noon()), "the bounds themselves are fine")
}

func TestAnOrderHasAtMost200Attributes(t *testing.T) {
	t.Parallel()
	o := withAttributes(t)
	for i := range 200 {
		require.NoError(t, o.SetAttribute(fmt.Sprint("k", i), []byte(`1`), noon()))
	}
	require.ErrorIs(t, o.SetAttribute("one.more", []byte(`1`), noon()), payment.ErrTooManyAttributes)
	require.NoError(t, o.SetAttribute("k7", []byte(`2`), noon()), "those that it has may change")
}

func TestAnOrderThatWasOpenedWithoutAttributesTakesNone(t *testing.T) {
	t.Parallel()
	require.Error(t, unpaid(t, "10.00").SetAttribute("a", []byte(`1`), noon()))
}

func TestTheAttributesOfAnOrderAreOneMebibyteTogether(t *testing.T) {
	t.Parallel()
	o := withAttributes(t)
	large := []byte(`"` + strings.Repeat("x", 64<<10-2) + `"`)
	for i := range 16 {
		require.NoError(t, o.SetAttribute(fmt.Sprint("large.", i), large, noon()))
	}
	require.ErrorIs(t, o.SetAttribute("one.more", []byte(`1`), noon()), payment.ErrAttributesTooLarge)
	require.NoError(t, o.SetAttribute("large.1", []byte(`1`), noon()))
	require.NoError(t, o.SetAttribute("one.more", []byte(`1`), noon()))
	require.NoError(t, o.SetAttribute("one.more", []byte(`"`+strings.Repeat("x", 60<<10)+`"`), noon()))
}

package steps_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

func TestOnlySendersOfTheNetworksAreTaken(t *testing.T) {
	t.Parallel()
	step := configured(t, "ip-range-validation", `networks: [192.0.2.0/24, "2001:db8::/32", 198.51.100.7/32]`)
	for from, taken := range map[string]bool{
		"192.0.2.1": true, "192.0.2.255": true, "::ffff:192.0.2.1": true, "2001:db8:1::1": true, "198.51.100.7": true,
		"192.0.3.1": false, "198.51.100.8": false, "2001:db9::1": false, "::1": false, "127.0.0.1": false, "0.0.0.0": false,
	} {
		err := step.Do(&pipeline.Run{Order: newOrder(t), From: netip.MustParseAddr(from)})
		if taken {
			require.NoError(t, err, from)
			continue
		}
		require.Equal(t, payment.KindForbidden, payment.KindOf(err), from)
		require.NotContains(t, err.Error(), from)
	}
}

func TestAnAddressThatNobodyKnowsIsOfNoNetwork(t *testing.T) {
	t.Parallel()
	everywhere := configured(t, "ip-range-validation", `networks: [0.0.0.0/0, "::/0"]`)
	for _, from := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		require.Error(t, everywhere.Do(&pipeline.Run{Order: newOrder(t), From: from}))
	}
}

// A notification whose sender is not known must not pass. What we asked for
// ourselves has no sender, and passes.
func TestRunsOfOurOwnPassAndNotificationsOfNobodyDoNot(t *testing.T) {
	t.Parallel()
	step := configured(t, "ip-range-validation", `networks: [192.0.2.0/24]`)
	for source, taken := range map[payment.Source]bool{
		payment.SourceNotification: false, payment.SourceInquiry: true, payment.SourceAnswer: true, payment.SourceOperator: true,
	} {
		run := &pipeline.Run{Order: newOrder(t), Findings: []payment.Finding{{Source: source}}}
		require.Equal(t, taken, step.Do(run) == nil, source)
	}
	require.NoError(t, step.Do(&pipeline.Run{Order: newOrder(t)}))
}

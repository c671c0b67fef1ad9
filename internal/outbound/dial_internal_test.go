package outbound

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever was checked before, the socket itself has the last word.
func TestTheAddressOfTheSocketIsJudged(t *testing.T) {
	t.Parallel()
	d := dialer{may: public}
	for _, bad := range []string{"127.0.0.1:443", "[::1]:443", "[::ffff:10.0.0.1]:443", "[fe80::1%eth0]:443", "", "localhost:443"} {
		require.ErrorIs(t, d.control("tcp", bad, nil), errAddress, bad)
	}
	require.NoError(t, d.control("tcp4", "8.8.8.8:443", nil))
	require.True(t, public(netip.MustParseAddr("2606:4700::1111")))
}

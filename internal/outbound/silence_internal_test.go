package outbound

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Ten seconds is the bound that stores are told, whatever a message asks for.
func TestAReceiverThatSaysNothingIsGivenUpAfterTenSeconds(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{
		0: 10 * time.Second, time.Hour: 10 * time.Second, 3 * time.Second: 3 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := New(Config{Allowed: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Now: time.Now})
			defer c.Close()
			c.plain.DialContext = func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, theirs) }() // until the client hangs up
				return ours, nil
			}
			begun := time.Now()
			_, err := c.Post(t.Context(), Message{
				ID: "evt_1", URL: "http://10.0.0.1/", Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, Timeout: asked,
			})
			require.Equal(t, want, time.Since(begun))
			var failure *Failure
			require.ErrorAs(t, err, &failure)
			require.Equal(t, TimedOut, failure.Why)
		})
	}
}

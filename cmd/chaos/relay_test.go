package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// inbox is a service that takes what is genuine, and has its moods.
type inbox struct {
	mu     sync.Mutex
	calls  int
	taken  map[string]int // by body
	forged int
}

func (i *inbox) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls++
	resp := believed(r)
	switch {
	case int64(len(body)) != r.ContentLength:
		return nil, fmt.Errorf("%d bytes for %d", len(body), r.ContentLength)
	case !bytes.Contains(body, []byte(`"amount":"10.00"`)):
		i.forged++
		resp.StatusCode = http.StatusUnauthorized
	case i.calls%3 == 0:
		resp.StatusCode = http.StatusServiceUnavailable
	default:
		i.taken[string(body)]++
	}
	return resp, nil
}

func TestTheRelayKeepsExactlyWhatAnInstanceAcknowledged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &inbox{taken: map[string]int{}}
		r := &relay{to: to, dice: newDice(1, 1), tally: newTally()}
		r.faulty.Store(true)
		believedOnes := 0
		for n := range 400 {
			body := fmt.Sprintf(`{"id":"evt_%d","amount":"10.00"}`, n)
			req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://x/confirm", bytes.NewReader([]byte(body)))
			require.NoError(t, err)
			resp, err := r.RoundTrip(req)
			if err == nil && resp.StatusCode == http.StatusOK {
				believedOnes++
			}
		}
		acked := r.acknowledged()
		taken := 0
		for _, n := range to.taken {
			taken += n
		}
		require.Len(t, acked, taken)
		require.Less(t, len(to.taken), believedOnes, "the PSP believes of some that they arrived, and they did not")
		require.Greater(t, taken, len(to.taken), "some arrived twice")
		require.Positive(t, to.forged)
		for _, fate := range relayShares()[1:] {
			require.Positive(t, r.tally.of(fate.name), fate.name)
		}
		require.Zero(t, r.tally.of(relayAccepted))
	})
}

func TestAQuietRelayOnlyDelivers(t *testing.T) {
	t.Parallel()
	to := &inbox{taken: map[string]int{}}
	r := &relay{to: to, dice: newDice(1, 1), tally: newTally()}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://x/confirm", bytes.NewReader([]byte(`{"id":"evt_1","amount":"10.00"}`)))
	require.NoError(t, err)
	resp, err := r.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "evt_1", r.acknowledged()[0].event)
	require.Len(t, to.taken, 1)
}

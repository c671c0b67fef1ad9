package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/sandbox"
)

func inFile(path string) func(*sandbox.Config) {
	return func(c *sandbox.Config) { c.LedgerPath = path }
}

// killed copies the file while the simulator runs: what a SIGKILL leaves.
func killed(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	left := filepath.Join(t.TempDir(), "ledger.jsonl")
	require.NoError(t, os.WriteFile(left, b, 0o600))
	return left
}

func TestTheLedgerSurvivesAKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	before := newPSP(t, inFile(path))
	before.pay(t, "r1", "")
	before.pay(t, "r2", `,"scenario":"lost_card"`)
	ok[operated](t, before, "/v1/payments/r1/refunds", opBody("f1", "29.95", ""))
	page := before.open(t, redirectBody("r3", ""))
	after := newPSP(t, inFile(killed(t, path)))
	require.Equal(t, ok[[]line](t, before, "/operations", ""), ok[[]line](t, after, "/operations", ""))
	for _, r := range []string{"r1", "r2", "r3"} {
		require.Equal(t, before.inquire(t, r), after.inquire(t, r))
	}
	require.Equal(t, "approved", after.pay(t, "r1", "").State, "the reference is still taken")
	require.Equal(t, "100.00", refused(t, after, 422, "/v1/payments/r1/refunds", opBody("f2", "100.01", "")).Error.MaxAmount)
	resp, _ := after.click(t, page, "pay")
	require.Equal(t, "https://shop.test/thanks", resp.Header.Get("Location"))
}

func TestUndeliveredNotificationsSurviveAKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	synctest.Test(t, func(t *testing.T) {
		before := newPSP(t, inFile(path))
		before.shop.answers(200, 500, 500, 500, 500, 500, 500, 500, 500, 500)
		for _, r := range []string{"r1", "r2"} {
			ok[object](t, before, "/v1/payments", redirectBody(r, ""))
			ok[object](t, before, "/payments/"+r+"/pay", "{}")
		}
		time.Sleep(600 * time.Millisecond)
		synctest.Wait()
		tried := before.shop.received()
		require.Len(t, tried, 3)
		after := newPSP(t, inFile(killed(t, path)))
		time.Sleep(time.Second)
		synctest.Wait()
		got := after.shop.received()
		require.Len(t, got, 1, "only what was not accepted, when it is due")
		require.Equal(t, tried[2].Body, got[0].Body)
		require.True(t, got[0].authentic(shopSecret))
		again := newPSP(t, inFile(killed(t, path)))
		require.NoError(t, again.sim.Close())
	})
}

func TestPendingPaymentsSettleAfterAKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	synctest.Test(t, func(t *testing.T) {
		before := newPSP(t, inFile(path))
		before.pay(t, "r1", `,"scenario":"pending_then_decline"`)
		after := newPSP(t, inFile(killed(t, path)))
		require.Equal(t, "pending", after.inquire(t, "r1").State)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, "declined", after.inquire(t, "r1").State)
		require.Equal(t, []string{"failed"}, after.shop.events())
	})
}

func TestAHalfWrittenLineIsForgotten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	newPSP(t, inFile(path)).pay(t, "r1", "")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"payment":{"id":"sbx_half`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	after := newPSP(t, inFile(path))
	after.pay(t, "r2", "")
	require.Len(t, ok[[]line](t, newPSP(t, inFile(killed(t, path))), "/operations", ""), 2)
}

func TestADamagedLedgerIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("{}\n{\"payment\":7}\n{}\n"), 0o600))
	c := config(nil)
	c.LedgerPath = path
	_, err := sandbox.New(c)
	require.ErrorContains(t, err, "line 2")
	c.LedgerPath = filepath.Join(path, "nowhere")
	_, err = sandbox.New(c)
	require.Error(t, err)
}

func TestTheLedgerKeepsNoSecret(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	p := newPSP(t, inFile(path))
	ok[object](t, p, "/v1/payments", redirectBody("r1", ""))
	ok[object](t, p, "/payments/r1/pay", "{}")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.False(t, strings.Contains(string(b), shopKey) || strings.Contains(string(b), shopSecret))
}

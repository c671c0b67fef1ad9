package simulation

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"time"

	"encoding/json"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

// reconciliation is the sweep that compares our books with what the PSP lists.
const reconciliation = "reconciliation"

// makeComparisons says that both accounts were compared up to the beginning.
func (h *history) makeComparisons() {
	_, err := h.db.admin.Exec(h.t.Context(), `insert into reconciliations (store, account, covered_until, due_at)
		select $1, account, '2000-01-01Z', '2000-01-01Z' from unnest(array['psp', 'psp-two']) as account`, storeName)
	require.NoError(h.t, err)
}

// listed is the books as a comparison reads them: what the database gives in no order
// comes in one.
type listed struct{ *store.Store }

// Counterparts implements moments.Compared.
func (l listed) Counterparts(ctx context.Context, references []string) ([]payment.Counterpart, error) {
	found, err := l.Store.Counterparts(ctx, references)
	return sorted(found), err
}

// Unseen implements moments.Compared.
func (l listed) Unseen(ctx context.Context, a payment.AccountName, c payment.Comparison, limit int) ([]payment.Counterpart, error) {
	found, err := l.Store.Unseen(ctx, a, c, limit)
	return sorted(found), err
}

// pageOf is how many operations the PSP lists at once, however many are asked for.
func (h *history) pageOf() string { return []string{"2", "500"}[h.rng("pages").IntN(2)] }

// nightTries bounds how often a comparison is gone on with in a night in which
// things go wrong.
const nightTries = 4

// night has the books compared while things go wrong, and much is open of which the
// PSP knows already how it ended.
func (h *history) night(ctx context.Context) {
	rng := h.rng(whoIn(ctx))
	h.evening.Store(true)
	time.Sleep(15*time.Minute + time.Duration(rng.Int64N(int64(30*time.Minute))))
	if rng.IntN(2) == 0 {
		h.act("at night", h.sweepOnce)
	}
	for range nightTries {
		if i := h.alive(whoIn(ctx)); i != nil {
			i.sweep(ctx, reconciliation)
		}
		if h.comparedAll(h.trace.began.Add(time.Second)) {
			return
		}
		pause(rng, 20*time.Minute)
	}
}

// sweepOnce does the other background work once.
func (h *history) sweepOnce(ctx context.Context) {
	for _, sweep := range sweeps() {
		if i := h.alive(whoIn(ctx)); i != nil {
			i.sweep(ctx, sweep)
		}
	}
}

// lastNight compares all that happened, with nothing that goes wrong, and does what
// comes of it.
func (h *history) lastNight(ctx context.Context) {
	settled := time.Now()
	const longAgo = 2 * time.Hour // by then the PSP's list is complete
	time.Sleep(longAgo)
	for range nightTries {
		at, _ := h.timeOf("select extract(epoch from max(due_at)) from reconciliations")
		time.Sleep(max(0, time.Until(at)) + time.Second)
		if i := h.alive(whoIn(ctx)); i != nil {
			i.sweep(ctx, reconciliation)
		}
		if h.comparedAll(settled) {
			h.settle(ctx, time.Hour)
			return
		}
	}
	h.violate("I10", "the comparison with what the PSP lists does not end")
}

// comparedAll tells whether all accounts were compared until a time.
func (h *history) comparedAll(until time.Time) bool {
	rows, err := h.db.look(fmt.Sprintf("select count(*) from reconciliations where run is null and covered_until >= '%s'",
		until.UTC().Format(time.RFC3339Nano)))
	if err != nil {
		h.violate("harness", "%v", err)
		return false
	}
	return rows[0][0] == "2"
}

// strangers are another system that uses our account at the PSP, or what we did
// ourselves and lost: the PSP has charges that our books know nothing of.
func (h *history) strange(ctx context.Context) {
	rng := h.rng(whoIn(ctx))
	for n := range 1 + rng.IntN(2) {
		pause(rng, 2*time.Minute)
		if h.sched.pass(&gate{who: whoIn(ctx), what: "charges"}, nil) == died {
			return
		}
		h.charge(rng, []string{fmt.Sprintf("TILL-%d", n+1), fmt.Sprintf("03E6LOST%012d", n+1)}[rng.IntN(2)])
	}
}

// charge charges somebody around the service.
func (h *history) charge(rng *rand.Rand, reference string) {
	h.strangers[reference] = true
	h.around([]string{"one", "two"}[rng.IntN(2)], "/payments", map[string]any{
		"reference": reference, "amount": fmt.Sprintf("%d.00", 1+rng.IntN(300)), "currency": "EUR", "capture": rng.IntN(4) > 0,
	})
}

// around asks the PSP for something around the service.
func (h *history) around(account, path string, body map[string]any) {
	sent, _ := json.Marshal(body)
	req := httptest.NewRequest(http.MethodPost, "/sandbox/v1"+path, bytes.NewReader(sent))
	req.Header.Set("Authorization", "Bearer key-"+account)
	req.Header.Set("Content-Type", "application/json")
	h.psp.Handler().ServeHTTP(httptest.NewRecorder(), req)
}

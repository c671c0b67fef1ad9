package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/mail"
	"github.com/paysvc/paysvc/internal/payment"
)

// books is all that jobs work on: what is due is handed out once.
type books struct {
	mu            sync.Mutex
	transactions  []payment.DueTransaction
	runs          []payment.DueRun
	notifications []*payment.Notification
	effects       []payment.DueEffect
	orders        []payment.DueOrder
	releases      []payment.DuePayment
	clocks        []payment.DueClock
	comparisons   []payment.Comparison
	listed        map[payment.AccountName]time.Time
	down          error // of every look for work
	did           []string
	reaped        []time.Time
	finished      map[payment.OrderID]bool // whose mail was sent
}

func (b *books) note(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, what)
}

func (b *books) done() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.did...)
}

// once hands a list out and empties it.
func once[T any](b *books, list *[]T) ([]T, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	due := *list
	*list = nil
	return due, b.down
}

func (b *books) DueTransactions(context.Context, time.Time, time.Time, int) ([]payment.DueTransaction, error) {
	return once(b, &b.transactions)
}

func (b *books) DueRuns(context.Context, time.Time, time.Time, int) ([]payment.DueRun, error) {
	return once(b, &b.runs)
}

func (b *books) DueNotifications(context.Context, time.Time, time.Time, int) ([]*payment.Notification, error) {
	return once(b, &b.notifications)
}

func (b *books) DueEffects(context.Context, time.Time, time.Time, int) ([]payment.DueEffect, error) {
	return once(b, &b.effects)
}

func (b *books) Run(context.Context, string, payment.RunID) (*payment.RunRecord, error) {
	return &payment.RunRecord{Pipeline: "confirm"}, nil
}

func (b *books) ApplyEffect(_ context.Context, _ payment.OrderID, key string, _ time.Time) error {
	b.note("applied " + key)
	return nil
}

func (b *books) FinishEffect(
	_ context.Context, order payment.OrderID, key string, _ time.Time, failure string, retryAt time.Time,
) error {
	switch {
	case failure == "":
		b.mu.Lock()
		if b.finished == nil {
			b.finished = make(map[payment.OrderID]bool)
		}
		b.finished[order] = true
		b.mu.Unlock()
		b.note("finished " + key)
	case retryAt.IsZero():
		b.note("gave up " + key)
	default:
		b.note("put off " + key)
	}
	return nil
}

// count tells how often something was done.
func (b *books) count(what string) (n int) {
	for _, did := range b.done() {
		if did == what {
			n++
		}
	}
	return n
}

func (b *books) PostponeEffect(_ context.Context, _ payment.OrderID, key string, _ time.Time) error {
	b.note("postponed " + key)
	return nil
}

func (b *books) DueOrders(context.Context, time.Time, time.Time, int) ([]payment.DueOrder, int, error) {
	due, err := once(b, &b.orders)
	return due, len(due), err
}

func (b *books) PostponeExpiry(_ context.Context, d payment.DueOrder, again time.Time) error {
	b.note("expired for " + d.Store + map[bool]string{true: "", false: ", not yet"}[again.IsZero()])
	return nil
}

func (b *books) Expire(_ context.Context, store string, _ payment.OrderID) (time.Time, error) {
	if store == "slow" {
		return time.Now().Add(time.Hour), nil
	}
	return time.Time{}, nil
}

func (b *books) DueReleases(context.Context, time.Time, time.Time, int) ([]payment.DuePayment, error) {
	return once(b, &b.releases)
}

func (b *books) Release(_ context.Context, store string, _ payment.PaymentID) error {
	b.note("released for " + store)
	return nil
}

func (b *books) DueClocks(context.Context, time.Time, time.Time, int) ([]payment.DueClock, error) {
	return once(b, &b.clocks)
}

func (b *books) KeepClock(context.Context, payment.DueClock) error {
	b.note("kept a clock")
	return nil
}

func (b *books) Listed() map[payment.AccountName]time.Time {
	return b.listed
}

func (b *books) NewComparison(_ context.Context, _, account string, _, _ time.Time) error {
	if b.count("compares "+account) == 0 {
		b.note("compares " + account)
	}
	return b.down
}

func (b *books) DueComparisons(context.Context, time.Time, time.Time, int) ([]payment.Comparison, error) {
	return once(b, &b.comparisons)
}

// Reconcile does the page that comes next; the third is the last.
func (b *books) Reconcile(_ context.Context, c payment.Comparison) (bool, error) {
	b.note("compared page " + c.Cursor + " of " + c.Account)
	if c.Cursor += "I"; c.Cursor == "III" {
		return false, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.comparisons = append(b.comparisons, c)
	return true, nil
}

func (b *books) ReapCheckoutState(context.Context, int) (int, error) { return 0, nil }

func (b *books) ReapClaims(_ context.Context, before time.Time, _ int) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reaped = append(b.reaped, before)
	return 0, nil
}

func (b *books) Inquire(_ context.Context, store string, _ payment.TransactionID) error {
	b.note("asked for " + store)
	return errors.New("the PSP does not answer")
}

func (b *books) Resume(_ context.Context, _ string, _ payment.RunID, record *payment.RunRecord) error {
	b.note("resumed " + record.Pipeline)
	return nil
}

func (b *books) Replay(_ context.Context, n *payment.Notification) error {
	b.note("replayed " + n.EventID)
	return nil
}

func (b *books) ReadOrder(_ context.Context, _ string, id payment.OrderID) (*payment.Order, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := payment.EffectDue
	if b.finished[id] {
		state = payment.EffectDone
	}
	return &payment.Order{
		ID: id, Details: payment.Details{Number: id.String()},
		Effects: map[string]*payment.Effect{"send_order_mail": {State: state}},
	}, nil
}

// mails keeps what is sent, or fails.
type mails struct {
	mu   sync.Mutex
	sent []string
	err  error
}

func (m *mails) Send(_ context.Context, message mail.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, message.ID)
	return m.err
}

func (m *mails) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.sent...)
}

func (m *mails) set(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// orderMail is a mail without a text.
func orderMail(o *payment.Order, key string, _ time.Time) (mail.Message, error) {
	return mail.Message{ID: o.Number + "-" + key}, nil
}

// tray is a queue that keeps what it is given.
type tray struct{ jobs []river.JobArgs }

func (t *tray) Enqueue(_ context.Context, jobs ...river.JobArgs) error {
	t.jobs = append(t.jobs, jobs...)
	return nil
}

// newJobs returns jobs without River: sweeps are called, and what is queued lies
// in the tray.
func newJobs(t *testing.T, b *books, m jobs.Mailer, log zerolog.Logger) (*jobs.Jobs, *tray) {
	t.Helper()
	queue := &tray{}
	j, err := jobs.New(t.Context(), jobs.Deps{
		Transactions: b, Runs: b, Notifications: b, Effects: b, Expiries: b, Releases: b, Clocks: b, Comparisons: b, Claims: b, Moments: b, Orders: b, Mailer: m,
		OrderMail: orderMail, Now: time.Now, Log: log, Queue: queue,
	})
	require.NoError(t, err)
	t.Cleanup(j.Close)
	return j, queue
}

// sweepAll does one round of every sweep.
func sweepAll(t *testing.T, j *jobs.Jobs) {
	t.Helper()
	for name := range j.Sweeps() {
		require.NoError(t, j.Sweep(t.Context(), name))
	}
}

func TestWhatIsDueIsDoneOnce(t *testing.T) {
	t.Parallel()
	b := &books{
		transactions:  []payment.DueTransaction{{Store: "demo"}},
		runs:          []payment.DueRun{{Store: "demo"}},
		notifications: []*payment.Notification{{EventID: "evt_1"}},
		orders:        []payment.DueOrder{{Store: "demo"}, {Store: "slow"}},
		releases:      []payment.DuePayment{{Store: "demo"}},
		clocks:        []payment.DueClock{{}},
		comparisons:   []payment.Comparison{{Account: "sandbox"}},
		listed:        map[payment.AccountName]time.Time{{Store: "demo", Account: "sandbox"}: time.Now()},
		effects: []payment.DueEffect{
			{Key: "deduct_stock", Kind: payment.DeductStock}, {Store: "demo", Key: "send_order_mail", Kind: payment.SendOrderMail},
		},
	}
	j, queue := newJobs(t, b, &mails{}, zerolog.Nop())
	sweepAll(t, j)
	sweepAll(t, j)
	require.ElementsMatch(t, []string{
		"asked for demo", "resumed confirm", "replayed evt_1", "applied deduct_stock", "postponed send_order_mail",
		"expired for demo", "expired for slow, not yet", "released for demo", "kept a clock",
		"compares sandbox", "compared page  of sandbox", "compared page I of sandbox", "compared page II of sandbox",
	}, b.done())
	require.Len(t, queue.jobs, 1)
	require.Equal(t, "send-mail", queue.jobs[0].Kind())
}

func TestEffectsAreCarriedOutRightAfterTheyAreStaged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &books{}
		j, _ := newJobs(t, b, &mails{}, zerolog.Nop())
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { j.Run(ctx) })
		synctest.Wait()
		began := time.Now()
		b.mu.Lock()
		b.effects = []payment.DueEffect{{Key: "deduct_stock", Kind: payment.DeductStock}}
		b.mu.Unlock()
		j.Kick()
		synctest.Wait()
		require.Equal(t, []string{"applied deduct_stock"}, b.done())
		require.Equal(t, began, time.Now(), "nobody waited for the next round")
		cancel()
		group.Wait()
	})
}

func TestAnInstanceThatStartsLooksForWorkItself(t *testing.T) {
	t.Parallel()
	b := &books{transactions: []payment.DueTransaction{{Store: "demo"}}}
	j, _ := newJobs(t, b, &mails{}, zerolog.Nop())
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { j.Run(ctx) })
	require.Eventually(t, func() bool { return len(b.done()) == 1 }, 10*time.Second, time.Millisecond)
	cancel()
	group.Wait()
}

func TestAnOutageIsLoggedOnceAndWorkGoesOnAfterIt(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	b := &books{down: errors.New("connection refused")}
	j, _ := newJobs(t, b, &mails{}, zerolog.New(zerolog.SyncWriter(&log)))
	for range 3 {
		require.ErrorContains(t, j.Sweep(t.Context(), "effects"), "connection refused")
	}
	b.down, b.effects = nil, []payment.DueEffect{{Key: "deduct_stock", Kind: payment.DeductStock}}
	require.NoError(t, j.Sweep(t.Context(), "effects"))
	require.NoError(t, j.Sweep(t.Context(), "effects"))
	require.Equal(t, []string{"applied deduct_stock"}, b.done())
	require.Equal(t, 1, strings.Count(log.String(), `"job":"effects","message":"background work fails`))
	require.Equal(t, 1, strings.Count(log.String(), `"job":"effects","message":"background work goes on`))
}

func TestIdempotencyKeysAreKeptForThreeDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &books{}
		j, _ := newJobs(t, b, &mails{}, zerolog.Nop())
		require.NoError(t, j.Sweep(t.Context(), "idempotency-keys"))
		require.Equal(t, []time.Time{time.Now().Add(-72 * time.Hour)}, b.reaped)
	})
}

// poison breaks on one of several items.
type poison struct {
	*books
	breaks func()
}

func (p poison) Inquire(ctx context.Context, store string, id payment.TransactionID) error {
	if store == "poison" {
		p.breaks()
	}
	return p.books.Inquire(ctx, store, id)
}

func (p poison) Resume(ctx context.Context, store string, id payment.RunID, record *payment.RunRecord) error {
	if store == "poison" {
		p.breaks()
	}
	return p.books.Resume(ctx, store, id, record)
}

func (p poison) Replay(ctx context.Context, n *payment.Notification) error {
	if n.Store == "poison" {
		p.breaks()
	}
	return p.books.Replay(ctx, n)
}

func (p poison) Expire(ctx context.Context, store string, id payment.OrderID) (time.Time, error) {
	if store == "poison" {
		p.breaks()
	}
	return p.books.Expire(ctx, store, id)
}

func (p poison) ApplyEffect(ctx context.Context, id payment.OrderID, key string, at time.Time) error {
	if key == "poison" {
		p.breaks()
	}
	return p.books.ApplyEffect(ctx, id, key, at)
}

func (p poison) DueNotifications(ctx context.Context, now, until time.Time, limit int) ([]*payment.Notification, error) {
	due, err := p.books.DueNotifications(ctx, now, until, limit)
	if len(due) > 0 {
		err = errors.New("notification ntf_1: it cannot be read")
	}
	return due, err
}

// A run, and a notification, may ask a shop that does not answer.
func TestAnItemThatTakesLongHoldsUpNoneBehindIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &books{
			runs:          []payment.DueRun{{Store: "poison"}, {Store: "demo"}},
			notifications: []*payment.Notification{{Store: "poison"}, {EventID: "evt_1"}},
		}
		p := poison{books: b, breaks: func() { time.Sleep(20 * time.Second) }}
		j, err := jobs.New(t.Context(), jobs.Deps{Runs: b, Notifications: b, Moments: p, Now: time.Now, Log: zerolog.Nop(), Queue: &tray{}})
		require.NoError(t, err)
		var sweeps sync.WaitGroup
		defer sweeps.Wait()
		for _, name := range []string{"runs", "notifications"} {
			sweeps.Go(func() { _ = j.Sweep(t.Context(), name) })
		}
		time.Sleep(time.Second)
		require.ElementsMatch(t, []string{"resumed confirm", "replayed evt_1"}, b.done())
	})
}

func TestAnItemThatBreaksStopsNoneBehindIt(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	b := &books{
		transactions:  []payment.DueTransaction{{Store: "poison"}, {Store: "demo"}},
		runs:          []payment.DueRun{{Store: "poison"}, {Store: "demo"}},
		notifications: []*payment.Notification{{Store: "poison"}, {EventID: "evt_1"}},
		orders:        []payment.DueOrder{{Store: "poison"}, {Store: "demo"}},
		effects:       []payment.DueEffect{{Key: "poison"}, {Key: "deduct_stock"}},
	}
	p := poison{books: b, breaks: func() { panic("the mail of a@example.org") }}
	j, err := jobs.New(t.Context(), jobs.Deps{
		Transactions: b, Runs: b, Notifications: p, Effects: p, Expiries: b, Releases: b, Clocks: b, Comparisons: b, Claims: b, Moments: p, Orders: b, Mailer: &mails{},
		OrderMail: orderMail, Now: time.Now, Log: zerolog.New(zerolog.SyncWriter(&log)), Queue: &tray{},
	})
	require.NoError(t, err)
	for name := range j.Sweeps() {
		if err := j.Sweep(t.Context(), name); name != "notifications" {
			require.NoError(t, err, name)
		}
	}
	require.ElementsMatch(t, []string{
		"asked for demo", "resumed confirm", "replayed evt_1", "expired for demo", "expired for poison, not yet",
		"applied deduct_stock", "put off poison",
	}, b.done(), "and an effect that breaks is counted, so that it is given up one day")
	require.NotContains(t, log.String(), "@")
}

// Package jobs does the work that nobody waits for: it carries out effects, asks
// PSPs about open transactions, takes up runs and notifications that failed, ends
// orders whose time is over, sends mails, delivers events and commands, and reaps
// what is old. It stands on River: a queue in our own database, shared by all
// instances.
//
// There are two sorts of jobs. A sweep comes round by itself, on one instance at
// a time, and works off rows that are due; it claims them by pushing their due
// time, so a crash, or two sweeps at once, only delay them. All others are put
// into the queue one by one, are tried again when they fail, and are parked, for
// an operator to see, after their last try.
package jobs

import (
	"context"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/mail"
	"github.com/paysvc/paysvc/internal/payment"
)

// Transactions finds transactions that a PSP is to be asked about.
type Transactions interface {
	DueTransactions(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueTransaction, error)
}

// Runs finds runs to take up.
type Runs interface {
	DueRuns(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueRun, error)
	Run(ctx context.Context, store string, id payment.RunID) (*payment.RunRecord, error)
}

// Notifications finds kept notifications to apply again.
type Notifications interface {
	DueNotifications(ctx context.Context, now, leaseUntil time.Time, limit int) ([]*payment.Notification, error)
}

// Effects finds and carries out effects.
type Effects interface {
	DueEffects(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueEffect, error)
	ApplyEffect(ctx context.Context, order payment.OrderID, key string, at time.Time) error
	FinishEffect(ctx context.Context, order payment.OrderID, key string, at time.Time, failure string, retryAt time.Time) error
	PostponeEffect(ctx context.Context, order payment.OrderID, key string, due time.Time) error
}

// Expiries finds orders whose time may be over.
type Expiries interface {
	DueOrders(ctx context.Context, now, leaseUntil time.Time, limit int) (due []payment.DueOrder, seen int, err error)
	PostponeExpiry(ctx context.Context, d payment.DueOrder, again time.Time) error
}

// Clocks finds payments whose reserved money somebody has to look at.
type Clocks interface {
	DueClocks(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueClock, error)
}

// Comparisons finds accounts whose books are to be compared with what the PSP lists.
type Comparisons interface {
	NewComparison(ctx context.Context, store, account string, now, due time.Time) error
	DueComparisons(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.Comparison, error)
}

// Releases finds payments whose money is to be given back.
type Releases interface {
	DueReleases(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DuePayment, error)
}

// Claims reaps what nobody needs any more: idempotency keys that are old, and the
// state of checkouts that are over.
type Claims interface {
	ReapCheckoutState(ctx context.Context, limit int) (int, error)
	ReapClaims(ctx context.Context, before time.Time, limit int) (int, error)
}

// Moments is what jobs ask of the moments of a payment.
type Moments interface {
	Inquire(ctx context.Context, store string, id payment.TransactionID) error
	Resume(ctx context.Context, store string, id payment.RunID, record *payment.RunRecord) error
	Replay(ctx context.Context, n *payment.Notification) error
	Expire(ctx context.Context, store string, id payment.OrderID) (again time.Time, err error)
	Release(ctx context.Context, store string, id payment.PaymentID) error
	KeepClock(ctx context.Context, d payment.DueClock) error
	Listed() map[payment.AccountName]time.Time
	Reconcile(ctx context.Context, c payment.Comparison) (more bool, err error)
}

// Orders reads orders for mails.
type Orders interface {
	ReadOrder(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error)
}

// Mailer hands mails over. Sending a mail of one ID again is harmless.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Queue takes jobs to be worked once, soon. A job whose unique arguments wait
// already, or were worked lately, is not taken twice.
type Queue interface {
	Enqueue(ctx context.Context, jobs ...river.JobArgs) error
}

// Deps are what the jobs work with.
type Deps struct {
	Transactions  Transactions
	Runs          Runs
	Notifications Notifications
	Effects       Effects
	Expiries      Expiries
	Releases      Releases
	Clocks        Clocks
	Comparisons   Comparisons
	Claims        Claims
	Audits        Audits // nil takes over nothing
	Moments       Moments
	Orders        Orders
	Mailer        Mailer
	// OrderMail writes the confirmation of an order for the effect of this key.
	OrderMail func(o *payment.Order, key string, at time.Time) (mail.Message, error)
	// Out is what deliveries of events and commands work with.
	Out Out
	Now func() time.Time
	Log zerolog.Logger
	// DatabaseURL is where River keeps its queue. Queue is used instead where it is
	// set: by tests and simulations, which call the sweeps and workers themselves.
	DatabaseURL string
	Queue       Queue
	// Background, when set, marks a context as that of background work, so that the
	// store keeps its connections apart from those of requests.
	Background func(ctx context.Context) context.Context
	// DrainMax is how long what was begun may go on once the instance stops: 20 s.
	DrainMax time.Duration
}

// Jobs is the background work of one instance.
type Jobs struct {
	Deps
	queue    Queue
	river    *riverQueue // nil where Deps.Queue is set
	kick     chan struct{}
	pumpKick chan struct{}
	rounds   rounds
	synced   synced
	pressure pressure
	auditing auditing
	draining chan struct{}
	drain    func()
	outages  outages
}

// New returns the jobs; Run does them. It connects to nothing yet. Close it.
func New(ctx context.Context, d Deps) (*Jobs, error) {
	j := &Jobs{Deps: d, queue: d.Queue, kick: make(chan struct{}, 1), pumpKick: make(chan struct{}, 1), draining: make(chan struct{})}
	j.drain = sync.OnceFunc(func() { close(j.draining) })
	if j.DrainMax <= 0 {
		j.DrainMax = 20 * time.Second
	}
	if j.Background == nil {
		j.Background = func(ctx context.Context) context.Context { return ctx }
	}
	if j.queue != nil {
		return j, nil
	}
	var err error
	if j.river, err = newRiverQueue(ctx, j); err != nil {
		return nil, err
	}
	j.queue = j.river
	return j, nil
}

// Enqueue implements Queue: whoever has work for jobs hands it in here.
func (j *Jobs) Enqueue(ctx context.Context, jobs ...river.JobArgs) error {
	return j.queue.Enqueue(ctx, jobs...)
}

// Kick tells that effects wait, and events. It never blocks.
func (j *Jobs) Kick() {
	j.kickPump()
	select {
	case j.kick <- struct{}{}:
	default:
	}
}

// Drain makes the jobs begin nothing new, apart from effects that are kicked
// about. What was begun goes on, for DrainMax at most.
func (j *Jobs) Drain() { j.drain() }

// Run works until ctx ends, and returns once what was begun is finished, or
// DrainMax is over.
func (j *Jobs) Run(ctx context.Context) {
	working, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var group sync.WaitGroup
	if j.river != nil {
		group.Go(func() { j.river.run(ctx) })
	}
	group.Go(func() { j.kicks(ctx, working) })
	group.Go(func() { j.pumps(working) })
	<-ctx.Done()
	j.Drain()
	late := time.AfterFunc(j.DrainMax, cut)
	defer late.Stop()
	group.Wait()
}

// Close gives the connections back. It must not be called while Run runs.
func (j *Jobs) Close() {
	if j.river != nil {
		j.river.pool.Close()
	}
}

// kicks carries out effects right after the commit that ordered them, without a
// way through the queue, until ctx ends; working outlasts it by what may be
// finished. It begins with one round of every sweep, and one more of the effects
// once those are free that an instance had claimed which died: after a crash
// nobody has to wait until the instances have elected who sweeps.
func (j *Jobs) kicks(ctx, working context.Context) {
	for _, s := range j.sweeps() {
		if ctx.Err() == nil {
			_ = j.sweepOff(working, s) // logged; it comes round
		}
	}
	effects := j.sweeps()[0]
	freed := time.NewTimer(effectLease)
	defer freed.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.kick:
			_ = j.sweepOff(working, effects)
		case <-freed.C:
			_ = j.sweepOff(working, effects)
		}
	}
}

package simulation

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"encoding/json"
	"github.com/riverqueue/river"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/sandbox"
)

// history is one simulated course of events.
type history struct {
	t     *testing.T
	seed  uint64
	db    *database
	plan  *plan
	trace *trace
	sched *scheduler
	psp   *sandbox.Simulator
	key   string // of the store's server
	// secrets are those of endpoints.
	secrets outbound.Secrets

	group sync.WaitGroup // of all that was spawned
	over  chan struct{}  // closed when no instance is started any more
	// compared tells that the history has nights, in which our books are compared with
	// what the PSP lists.
	compared bool
	// evening tells that the background work rests until all is settled, but for what
	// the night is about.
	evening atomic.Bool

	mu         sync.Mutex
	busy       int // actors that have not finished
	instances  []*instance
	started    map[string]int // by the name of the place
	violations []violation
	count      counts
	orders     []*shopOrder
	cards      []*giftCard
	endpoints  []*endpoint
	targets    []payment.Target // that have a round in the queue
	posts      []post
	// unsure are the events of which it was not noted whether an endpoint, which goes
	// first, took them.
	unsure  map[[2]string]int
	answers []*exchange
	tries   map[string]int // of notifications, by event
	thanked []delivery
	sends   map[string]int // by reference, and by what a client has asked for
	leftAt  map[string]time.Time
	mails   map[string]int
	queue   []mailJob
	// flipped are references that the PSP approved after it had declined them.
	flipped map[string]bool
	// strangers are references that the PSP has from others.
	strangers map[string]bool
	ledger    []entry // of the PSP, once all is over
	virtual   time.Duration
}

// counts are what the report adds up.
type counts struct {
	steps, crashes, lostCommits, cuts, charges, notifications, posts int
}

// violation is an invariant that does not hold.
type violation struct{ invariant, what string }

func (v violation) String() string { return v.invariant + ": " + v.what }

func (h *history) violate(invariant, format string, args ...any) {
	v := violation{invariant, fmt.Sprintf(format, args...)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.violations, v) {
		h.violations = append(h.violations, v)
		h.trace.note("VIOLATION %s", v)
	}
}

// simulate runs the history of a seed, and checks it. Fault classes of without
// stay off.
func simulate(t *testing.T, db *database, seed uint64, without ...string) *history {
	t.Helper()
	h := &history{
		t: t, seed: seed, db: db, started: map[string]int{}, tries: map[string]int{}, sends: map[string]int{},
		leftAt: map[string]time.Time{}, mails: map[string]int{}, flipped: map[string]bool{}, strangers: map[string]bool{},
		unsure: map[[2]string]int{},
	}
	h.plan = draw(h.rng("plan"), strings.Split(*always, ","), without)
	db.reset(t)
	h.makeKey()
	h.makeComparisons()
	h.makeEndpoints()
	synctest.Test(t, func(*testing.T) { h.run() })
	h.check()
	return h
}

// rng is a source of choices of somebody's own.
func (h *history) rng(whose string) *rand.Rand { return rand.New(entropy(h.seed, whose)) }

// run is the history in its bubble of virtual time.
func (h *history) run() {
	began := time.Now()
	h.trace = &trace{began: began}
	h.sched = &scheduler{rng: h.rng("schedule"), trace: h.trace, plan: h.plan, crash: h.crash, wake: make(chan struct{}, 1)}
	h.over = make(chan struct{})
	h.trace.note("seed %d, faults: %s", h.seed, h.plan)
	h.openPSP()
	h.act("world", func(context.Context) {
		h.boot("a")
		h.boot("b")
		h.people()
	})
	h.drive(func() bool { return h.busy == 0 })
	nights := h.rng("nights")
	if h.compared = nights.IntN(3) == 0; h.compared && nights.IntN(2) == 0 {
		h.act("night", h.night)
		h.drive(func() bool { return h.busy == 0 })
	}
	h.heal()
	h.act("settling", func(ctx context.Context) { h.settle(ctx, horizon) })
	h.drive(func() bool { return h.busy == 0 })
	if h.compared {
		h.act("last night", h.lastNight)
		h.drive(func() bool { return h.busy == 0 })
	}
	if len(h.endpoints) > 0 {
		h.act("last deliveries", h.deliverAll)
		h.drive(func() bool { return h.busy == 0 })
	}
	h.readLedger()
	_ = h.psp.Close()
	close(h.over)
	for _, i := range h.instances {
		h.sched.crash(i)
	}
	h.drive(func() bool { return true })
	h.group.Wait()
	for _, i := range h.instances {
		i.stop()
	}
	h.virtual = time.Since(began)
	h.count.steps, h.trace.over = h.sched.steps, true
}

// drive lets one after the other go on, and time pass when nobody can, until the
// actors are done and nobody waits.
func (h *history) drive(done func() bool) {
	for {
		synctest.Wait()
		if h.sched.step() {
			continue
		}
		h.mu.Lock()
		over := done()
		h.mu.Unlock()
		if over {
			return
		}
		<-h.sched.wake
	}
}

// spawn begins something that nobody waits for but the end of the history.
func (h *history) spawn(who string, do func(ctx context.Context)) {
	h.group.Go(func() {
		defer h.sched.wakeUp()
		do(as(context.Background(), who))
	})
}

// act is spawn for an actor: the history goes on until it is done.
func (h *history) act(who string, do func(ctx context.Context)) {
	h.mu.Lock()
	h.busy++
	h.mu.Unlock()
	h.spawn(who, func(ctx context.Context) {
		defer func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.busy--
		}()
		do(ctx)
	})
}

func (h *history) openPSP() {
	var err error
	h.psp, err = sandbox.New(sandbox.Config{
		PublicURL: pspURL, Now: time.Now, Rand: entropy(h.seed, "psp"), Log: zerolog.Nop(),
		HTTP: &http.Client{Transport: postman{h}}, NotifyDirect: h.rng("direct").IntN(2) == 0,
		Accounts: []sandbox.Account{
			{ID: "one", APIKey: "key-one", WebhookSecret: webhookSecret, NotifyURL: ourURL + "/confirm/sandbox/psp"},
			{ID: "two", APIKey: "key-two", WebhookSecret: webhookSecret, NotifyURL: ourURL + "/confirm/sandbox/psp-two"},
		},
		Delays: sandbox.Delays{
			Pending: 40 * time.Second, Slow: 4 * time.Second, FirstDelivery: time.Second,
			Retries: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 15 * time.Minute, time.Hour},
		},
	})
	require.NoError(h.t, err)
}

// makeKey makes the API key that the store's server speaks with.
func (h *history) makeKey() {
	h.key = fmt.Sprintf("paysk_test_%x", sha256.Sum256(fmt.Appendf(nil, "%d key", h.seed)))
	hash := sha256.Sum256([]byte(h.key))
	_, err := h.db.admin.Exec(h.t.Context(), `insert into api_keys (hash, id, store, kind, scopes, name, created_at)
		values ($1, 'key_1', $2, 'secret', $3, 'till', '2000-01-01')`, hash[:], storeName,
		[]string{string(payment.ScopeOrders), string(payment.ScopePayments), string(payment.ScopeRefunds), string(payment.ScopeRead), string(payment.ScopeAdmin)})
	require.NoError(h.t, err)
}

// boot starts the instance of a place, again after a crash.
func (h *history) boot(place string) {
	h.mu.Lock()
	h.started[place]++
	name := fmt.Sprintf("%s%d", place, h.started[place])
	h.mu.Unlock()
	i, err := h.start(name)
	if err != nil {
		if i.store != nil {
			i.store.Close()
		}
		h.violate("harness", "%s does not start: %v", name, err)
		return
	}
	h.trace.note("%s runs", name)
	h.mu.Lock()
	h.instances = append(h.instances, i)
	h.mu.Unlock()
	h.spawn("sweeper "+name, func(ctx context.Context) { h.sweepNowAndThen(ctx, i) })
}

// crash ends an instance, and has it started again after a while.
func (h *history) crash(i *instance) {
	if i.isDead() {
		return
	}
	i.die()
	if h.sched.healed.Load() {
		return
	}
	h.count.crashes++
	place := strings.TrimRight(i.name, "0123456789")
	h.spawn("restart "+i.name, func(ctx context.Context) {
		time.Sleep(time.Second + time.Duration(h.rng("restart "+i.name).Int64N(int64(time.Minute))))
		if h.sched.pass(&gate{who: whoIn(ctx), what: "restarts"}, h.over) != died {
			h.boot(place)
		}
	})
}

// alive chooses a living instance for somebody; nil when there is none.
func (h *history) alive(who string) *instance {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []*instance
	for _, i := range h.instances {
		if !i.isDead() {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b *instance) int { return strings.Compare(a.name, b.name) })
	return all[h.rng(fmt.Sprint(who, " to ", len(h.answers), len(h.thanked))).IntN(len(all))]
}

// stall is how long something takes that takes a while.
func (h *history) stall() time.Duration {
	return 50*time.Millisecond + time.Duration(h.sched.rng.Int64N(int64(600*time.Millisecond)))
}

// Enqueue implements jobs.Queue: the queue is in the database, and survives.
func (h *history) Enqueue(_ context.Context, all ...river.JobArgs) error {
	for _, args := range all {
		if args.Kind() == kindRound {
			if err := h.enqueueRound(args); err != nil {
				return err
			}
			continue
		}
		var job mailJob
		text, err := json.Marshal(args)
		if err == nil {
			err = json.Unmarshal(text, &job)
		}
		if err != nil {
			return err
		}
		h.enqueueMail(job)
	}
	return nil
}

package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/mail"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/store"
)

// instance is the service as it is wired in production, with gates at its borders.
type instance struct {
	h     *history
	name  string // a1 is the first a, a2 the one that was started after its crash
	store *store.Store
	jobs  *jobs.Jobs
	api   http.Handler
	dead  chan struct{}

	mu    sync.Mutex
	wires []*wire
	kicks int
	// pumping tells that somebody looks who is to get something: one at a time does.
	pumping atomic.Bool
}

// lockMax is real time, and short: whoever holds the lock stands still meanwhile,
// so a longer wait would be in vain.
const lockMax = 2 * time.Millisecond

// start starts an instance. Nothing goes wrong before it runs.
func (h *history) start(name string) (*instance, error) {
	i := &instance{h: h, name: name, dead: make(chan struct{})}
	random := entropy(h.seed, name)
	ids := payment.NewIDs(time.Now, random)
	ctx := as(context.Background(), "start of "+name)
	key, err := payment.NewGiftCardKey([]byte(cardSecret))
	if err != nil {
		return i, err
	}
	i.store, err = store.Open(ctx, h.db.url, store.Options{
		ConnectionsMax: 10, NewID: ids.New, Tracer: tracer{}, Dial: i.dial, LockMax: lockMax, GiftCardKey: key,
	})
	if err != nil {
		return i, err
	}
	loaded, err := load(&network{h: h, at: i}, purse{i})
	if err != nil {
		return i, err
	}
	m, err := moments.New(moments.Deps{
		Book: i.store, Orders: i.store, Claims: i.store, Inquiries: i.store, Inbox: i.store, Cases: i.store,
		Clocks: i.store, Comparisons: listed{i.store}, Settings: loaded, IDs: ids, Now: time.Now, Log: zerolog.Nop(), PublicURL: ourURL, Kick: i.kick, Makers: steps.Makers(steps.MakerDeps{}),
	})
	if err != nil {
		return i, err
	}
	turn, books := turnstile{m, i}, desk{i.store, i}
	i.jobs, err = jobs.New(ctx, jobs.Deps{
		Transactions: books, Runs: books, Notifications: books, Effects: books, Expiries: books, Releases: books,
		Clocks: books, Comparisons: books, Claims: books, Moments: turn, Orders: books, Mailer: i, OrderMail: orderMail,
		Now: time.Now, Log: zerolog.Nop(), Queue: h,
		Out: jobs.Out{Books: books, Commands: i.store, Poster: postOffice{i}, Secrets: h.secrets},
	})
	if err != nil {
		return i, err
	}
	i.api, err = api.New(api.Deps{
		Moments: m, Orders: i.store, Keys: i.store, IDs: ids, Now: time.Now, Random: random, Log: zerolog.Nop(),
		Books: api.Books{
			Transactions: i.store, Notes: i.store, Timeline: i.store, Attributes: i.store, Events: i.store, Runs: i.store,
			Notifications: i.store, News: i.store, Cases: i.store, Stock: i.store, PromotionCodes: i.store, Baskets: i.store,
			GiftCards: i.store, Endpoints: i.store,
			Replays: m, Pipelines: m,
		},
		Webhooks: api.Webhooks{Secrets: h.secrets, CheckURL: func(string) error { return nil }},
		Version:  "simulation", Ready: i.store.Ready,
	})
	return i, err
}

func orderMail(o *payment.Order, key string, at time.Time) (mail.Message, error) {
	return mail.Message{ID: o.ID.String() + "." + key, To: o.Customer.Email, At: at}, nil
}

func (i *instance) isDead() bool {
	select {
	case <-i.dead:
		return true
	default:
		return false
	}
}

// die ends the instance where it stands: whatever it was about to do ends at its
// next gate, its connections are gone, and so is what their transactions had begun.
func (i *instance) die() {
	close(i.dead)
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, w := range i.wires {
		_ = w.Close()
	}
}

// stop waits until nothing of the instance is left.
func (i *instance) stop() {
	if !i.isDead() {
		close(i.dead)
	}
	i.jobs.Drain()
	i.store.Close()
}

// kick is what moments call when they left work: it is done soon.
func (i *instance) kick() {
	i.mu.Lock()
	i.kicks++
	who := fmt.Sprintf("kick %s.%d", i.name, i.kicks)
	i.mu.Unlock()
	i.h.spawn(who, func(ctx context.Context) { i.sweep(ctx, "effects") })
}

// sweep does one round of a sweep.
func (i *instance) sweep(ctx context.Context, sweep string) {
	if i.h.sched.pass(&gate{who: whoIn(ctx), what: "sweep " + sweep, at: i, faults: []fault{stalled}}, nil) == died {
		return
	}
	_ = i.jobs.Sweep(ctx, sweep) // what it could not do stays due
}

// Send implements jobs.Mailer.
func (i *instance) Send(ctx context.Context, m mail.Message) error {
	if i.h.sched.pass(&gate{who: whoIn(ctx), what: "mail " + m.ID, at: i}, nil) == died {
		return errors.New("no mail server")
	}
	i.h.mails[m.ID]++
	return nil
}

// entropy is randomness of somebody's own, so that nobody's depends on when
// another drew.
func entropy(seed uint64, whose string) *rand.ChaCha8 {
	var key [32]byte
	copy(key[:], fmt.Sprintf("%d %s", seed, whose))
	return rand.NewChaCha8(key)
}

package sandbox

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Simulator is a payment service provider without money. It is safe for
// concurrent use. Close it when done.
type Simulator struct {
	publicURL         string
	accounts          []Account
	notifyDirect      bool
	delays            Delays
	authorizationLife time.Duration
	now               func() time.Time
	log               zerolog.Logger
	http              *http.Client
	ownsHTTP          bool
	slots             chan struct{} // bounds the notifications under way
	ledger            *ledger
	background        *background
	page              *page
	randMu            sync.Mutex // an io.Reader need not be safe for concurrent use
	rand              io.Reader
}

// New opens the ledger and goes on with what an earlier simulator left
// unfinished in it: pending payments and undelivered notifications.
func New(c Config) (*Simulator, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	setDefault(&c.AuthorizationLife, authorizationLifeDefault)
	page, err := newPage()
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	l, err := openLedger(c.LedgerPath)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s := &Simulator{
		publicURL: strings.TrimRight(c.PublicURL, "/"), accounts: append([]Account(nil), c.Accounts...),
		notifyDirect: c.NotifyDirect, delays: c.Delays.withDefaults(),
		authorizationLife: c.AuthorizationLife,
		now:               c.Now, rand: c.Rand, log: c.Log,
		http: notifyClient(c.HTTP), ownsHTTP: c.HTTP == nil,
		slots: make(chan struct{}, deliveriesMax), ledger: l, background: newBackground(), page: page,
	}
	pending, outbox := l.unfinished()
	for _, at := range pending {
		s.settleLater(at)
	}
	for _, n := range outbox {
		s.dispatch(n)
	}
	return s, nil
}

// Close stops all work, waits for it and closes the ledger. What was
// undelivered stays in the ledger's file. Hanging requests are cut.
func (s *Simulator) Close() error {
	s.background.close()
	if s.ownsHTTP {
		s.http.CloseIdleConnections()
	}
	return s.ledger.close()
}

// Handler serves every path of the simulator; all begin with /sandbox, so it
// is mounted there without stripping the prefix.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sandbox/v1/payments", s.merchant(s.createPayment))
	mux.HandleFunc("GET /sandbox/v1/payments/{reference}", s.merchant(s.getPayment))
	mux.HandleFunc("POST /sandbox/v1/payments/{reference}/close", s.merchant(s.closePayment))
	mux.HandleFunc("GET /sandbox/v1/payments/{reference}/operations/{operation}", s.merchant(s.getOperation))
	mux.HandleFunc("GET /sandbox/v1/operations", s.merchant(s.listForMerchant))
	mux.HandleFunc("POST /sandbox/v1/payments/{reference}/increases", s.merchant(s.operate(opIncrease)))
	mux.HandleFunc("POST /sandbox/v1/payments/{reference}/captures", s.merchant(s.operate(opCapture)))
	mux.HandleFunc("POST /sandbox/v1/payments/{reference}/refunds", s.merchant(s.operate(opRefund)))
	mux.HandleFunc("POST /sandbox/v1/payments/{reference}/voids", s.merchant(s.operate(opVoid)))
	mux.HandleFunc("GET /sandbox/pay/{session}", s.respond(s.showPage))
	mux.HandleFunc("POST /sandbox/pay/{session}", s.respond(s.submitPage))
	mux.HandleFunc("GET /sandbox/operations", s.respond(s.listOperations))
	mux.HandleFunc("POST /sandbox/payments/{reference}/notify", s.respond(s.controlNotify))
	mux.HandleFunc("POST /sandbox/payments/{reference}/pay", s.respond(s.controlDecide(decisionPay)))
	mux.HandleFunc("POST /sandbox/payments/{reference}/decline", s.respond(s.controlDecide(decisionDecline)))
	mux.HandleFunc("POST /sandbox/payments/{reference}/cancel", s.respond(s.controlDecide(decisionCancel)))
	return mux
}

// settleLater decides a pending operation when its time has come, unless
// something else decides it before.
func (s *Simulator) settleLater(at place) {
	s.background.start(func(ctx context.Context) {
		due := s.ledger.at(at).SettleAt
		if !sleep(ctx, due.Sub(s.now())) {
			return
		}
		e, err := s.ledger.update(at.payment, func(next *payment) (*notification, error) {
			o := &next.Operations[at.index]
			if o.State != statePending {
				return nil, errUnchanged
			}
			o.settle(o.SettleTo, reasonOf(o.SettleTo), s.now().UTC())
			if err := s.releaseRest(next, at.index); err != nil {
				return nil, err
			}
			return s.notificationOf(next, at.index)
		})
		if err != nil {
			s.log.Error().Err(err).Str("payment", at.payment).Msg("sandbox: settle")
			return
		}
		s.dispatch(e.Notification)
	})
}

// account finds an account by its id.
func (s *Simulator) account(id string) (Account, error) {
	for _, a := range s.accounts {
		if a.ID == id {
			return a, nil
		}
	}
	return Account{}, errors.New("account " + id + " is not configured any more")
}

func (s *Simulator) mode(account string) string {
	if a, err := s.account(account); err == nil && a.Live {
		return "live"
	}
	return "test"
}

// newID makes an unguessable id of 128 bits behind a prefix.
func (s *Simulator) newID(prefix string) (string, error) {
	var b [16]byte
	s.randMu.Lock()
	_, err := io.ReadFull(s.rand, b[:])
	s.randMu.Unlock()
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	id := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])
	return prefix + strings.ToLower(id), nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/paysvc/paysvc/internal/settings"
)

// instancesAtOnce share the database.
const instancesAtOnce = 2

// rig is everything that runs: database, proxy, PSP, instances and shop.
type rig struct {
	dir       string
	binary    string
	db        *database
	dbMu      sync.RWMutex // for those who need a server that is not being restarted
	proxy     *proxy
	psp       *psp
	relay     *relay
	instances []*instance
	shop      *shop
	closers   []func() error
}

// close ends what was started, the last first.
func (r *rig) close() error {
	var err error
	for i := len(r.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, r.closers[i]())
	}
	r.closers = nil
	return err
}

// stopMax bounds the end of the database.
const stopMax = 30 * time.Second

// assemble starts everything in dir.
func (r *rig) assemble(ctx context.Context, d *disturber) error {
	r.binary = filepath.Join(r.dir, "paysvc")
	if err := build(ctx, r.binary); err != nil {
		return err
	}
	var err error
	if r.db, err = startDatabase(ctx, r.dir); err != nil {
		return err
	}
	r.closers = append(r.closers, func() error {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopMax)
		defer cancel()
		return r.db.stop(bounded)
	})
	target, err := r.db.address()
	if err != nil {
		return err
	}
	if r.proxy, err = newProxy(ctx, target, d.fate, d.tally); err != nil {
		return err
	}
	r.closers = append(r.closers, func() error { r.proxy.close(); return nil })
	r.relay = &relay{dice: newDice(d.options.seed, 2), tally: d.tally}
	r.psp, err = startPSP(ctx, filepath.Join(r.dir, "psp-ledger"), newDice(d.options.seed, 3), d.tally, r.relay)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, r.psp.close)
	return r.serve(ctx, d)
}

// serve starts the instances and the shop that uses them.
func (r *rig) serve(ctx context.Context, d *disturber) error {
	env, err := r.environment()
	if err != nil {
		return err
	}
	key, err := r.newKey(ctx, env)
	if err != nil {
		return err
	}
	answers, err := r.log("answers.log")
	if err != nil {
		return err
	}
	r.closers = append(r.closers, answers.Close)
	for n := range instancesAtOnce {
		log, err := r.log(fmt.Sprintf("instance-%d.log", n+1))
		if err != nil {
			return err
		}
		i := &instance{binary: r.binary, env: env, log: log}
		r.instances = append(r.instances, i)
		r.closers = append(r.closers, func() error { i.kill(); return log.Close() })
		if err := i.start(); err != nil {
			return err
		}
	}
	way := newBalancer(r.instances, newDice(d.options.seed, 4))
	r.relay.to = way
	r.shop = newShop(key, way, d.tally, answers)
	for _, i := range r.instances {
		if err := i.awaitReady(ctx); err != nil {
			return err
		}
	}
	return r.stock(ctx)
}

func (r *rig) log(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(r.dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

// environment is that of the instances. They reach the database through the proxy.
func (r *rig) environment() ([]string, error) {
	text := string(settings.Demo())
	for old, replacement := range map[string]string{
		"timeout: 5s": "timeout: " + pspTimeout.String(), "finality: 10s": "finality: " + finality.String(),
	} {
		if !strings.Contains(text, old) {
			return nil, fmt.Errorf("the demo settings have no %q any more", old)
		}
		text = strings.Replace(text, old, replacement, 1)
	}
	path := filepath.Join(r.dir, "paysvc.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	u, err := url.Parse(r.db.url())
	if err != nil {
		return nil, err
	}
	u.Host = r.proxy.address()
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(),
		"PAYSVC_LISTEN=127.0.0.1:0", "PAYSVC_DATABASE_URL=" + u.String(), "PAYSVC_DATABASE_CONNECTIONS=12",
		"PAYSVC_PUBLIC_URL=" + publicURL, "PAYSVC_SETTINGS=" + path, "PAYSVC_MAIL_FOLDER=" + filepath.Join(r.dir, "mails"),
		"PAYSVC_SECRET_KEY=" + secretKey,
		"PAYSVC_RATE_PER_IP=0", "PAYSVC_RATE_PER_KEY=0", "PAYSVC_SANDBOX_URL=" + r.psp.url,
		"PAYSVC_SANDBOX_API_KEY=" + pspKey, "PAYSVC_SANDBOX_WEBHOOK_SECRET=" + pspSecret,
	}, nil
}

func (r *rig) newKey(ctx context.Context, env []string) (string, error) {
	out, err := command(ctx, r.binary, env, "keys", "create", "--store", "demo", "--name", "chaos", "--test",
		"--scopes", "orders,payments,refunds,read,admin")
	if err != nil {
		return "", err
	}
	lines := strings.Split(out, "\n")
	if len(lines) < 2 {
		return "", errors.New("keys create printed no key")
	}
	return lines[1], nil
}

// stocked is how much there is of the article in the beginning: more than is bought.
const stocked = 10_000_000

// stock fills the shelves, and issues the gift card.
func (r *rig) stock(ctx context.Context) error {
	body := fmt.Sprintf(`{"items": [{"sku": %q, "quantity": %d}]}`, article, stocked)
	a, _, err := r.shop.do(ctx, http.MethodPut, "/v1/stock", "", body)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("set the stock: %d %s", a.status, a.body)
	}
	if err != nil {
		return err
	}
	a, _, err = r.shop.do(ctx, http.MethodPost, "/v1/gift-cards", "gift-card", `{"amount": "9000000.00", "currency": "EUR"}`)
	if err == nil && a.status != http.StatusCreated {
		err = fmt.Errorf("issue a gift card: %d %s", a.status, a.body)
	}
	r.shop.giftCard = a.Code
	return err
}

// restartDatabase ends the server with a signal and starts it again. Nobody needs
// it to be at its address of before: the proxy knows.
func (r *rig) restartDatabase(ctx context.Context, signal syscall.Signal) error {
	r.dbMu.Lock()
	defer r.dbMu.Unlock()
	// It comes back also when the supervisor is told to stop meanwhile.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := r.db.end(bounded, signal); err != nil {
		return err
	}
	if err := r.db.start(bounded); err != nil {
		return err
	}
	at, err := r.db.address()
	if err != nil {
		return err
	}
	r.proxy.target.Store(at)
	return nil
}

func (r *rig) terminate(ctx context.Context, most int) (int, error) {
	r.dbMu.RLock()
	defer r.dbMu.RUnlock()
	return r.db.terminate(ctx, most)
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// receivers are endpoints of the store: for the comparison two that take every
// event at once, and one that hangs.
type receivers struct {
	service *service
	pool    *pgxpool.Pool
	servers []*http.Server
	taken   atomic.Int64
}

// threeReceivers makes the endpoints, inactive for now.
func threeReceivers(ctx context.Context, s *service, pool *pgxpool.Pool) (*receivers, error) {
	r := &receivers{service: s, pool: pool}
	take := func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // whatever it says
		r.taken.Add(1)
		w.WriteHeader(http.StatusNoContent)
	}
	hang := func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }
	other := take
	return r, r.open(ctx, take, other, hang)
}

// open makes an endpoint for each handler, inactive for now.
func (r *receivers) open(ctx context.Context, handlers ...http.HandlerFunc) error {
	for _, handler := range handlers {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: readyMax}
		r.servers = append(r.servers, server)
		go func() { _ = server.Serve(l) }() // until it is closed
		if err := r.create(ctx, "http://"+l.Addr().String()+"/events"); err != nil {
			return err
		}
	}
	return r.activate(ctx, false)
}

func (r *receivers) close() {
	for _, server := range r.servers {
		_ = server.Close() // nothing is left to be taken
	}
}

func (r *receivers) create(ctx context.Context, url string) error {
	body, err := json.Marshal(map[string]string{"url": url})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.service.address+"/v1/webhook-endpoints", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // the status says all
	if resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("create an endpoint: the service answered %s", resp.Status)
	}
	return nil
}

// activate turns all endpoints on, well rested and from now, or off. What is
// under way to them ends with them: the other side of the measurement has none.
func (r *receivers) activate(ctx context.Context, active bool) error {
	if _, err := r.pool.Exec(ctx, "delete from webhook_deliveries"); err != nil {
		return err
	}
	_, err := r.pool.Exec(ctx, `update webhook_endpoints set active = $1, since = pg_current_xact_id()::text::bigint << 12,
		failures = 0, failing_since = null, resting_until = null, leased_until = null`, active)
	return err
}

// comparison is an operation at a number of clients, without and with endpoints.
type comparison struct {
	operation     string
	clients       int
	without, with []sample
	taken         int64
}

func (c *comparison) ratio() float64 {
	ratios := make([]float64, len(c.with))
	for i := range ratios {
		ratios[i] = c.with[i].rate() / c.without[i].rate()
	}
	slices.Sort(ratios)
	return (ratios[len(ratios)/2] + ratios[(len(ratios)-1)/2]) / 2
}

// compare measures what deliveries cost payments: the service in turns, without
// endpoints and with them.
func (m *measurement) compare(ctx context.Context) ([]comparison, error) {
	r, err := threeReceivers(ctx, m.service, m.pool)
	defer r.close()
	if err != nil {
		return nil, err
	}
	var all []comparison
	for _, operation := range m.only {
		if operation != opPay && operation != opConfirm {
			continue
		}
		if err := m.one(ctx, operation, slices.Max(m.clients), warmUp, nil); err != nil {
			return nil, err
		}
		for _, clients := range m.clients {
			fmt.Fprintf(os.Stderr, "measuring %s with %d clients, without and with endpoints\n", operation, clients)
			c := comparison{operation: operation, clients: clients}
			before := r.taken.Load()
			for range m.rounds {
				for _, side := range []struct {
					active  bool
					samples *[]sample
				}{{false, &c.without}, {true, &c.with}} {
					if err := r.activate(ctx, side.active); err != nil {
						return nil, err
					}
					if err := m.one(ctx, operation, clients, m.round(), side.samples); err != nil {
						return nil, err
					}
				}
			}
			c.taken = r.taken.Load() - before
			all = append(all, c)
		}
	}
	return all, errors.Join(r.activate(ctx, false), m.balance(ctx))
}

// one lets the service work, and keeps the sample.
func (m *measurement) one(ctx context.Context, operation string, clients int, length time.Duration, samples *[]sample) error {
	s, err := m.onService(ctx, operation, clients, length)
	if err != nil {
		return fmt.Errorf("%s with %d clients: %w", operation, clients, err)
	}
	if samples != nil {
		*samples = append(*samples, s)
	}
	return nil
}

// reportComparison writes the table.
func reportComparison(w io.Writer, o options, db *database, all []comparison) error {
	fmt.Fprintf(w, "\nPostgreSQL %s with fsync on, %d processors shared by database, service, load and receivers; %s per side and cell in %d turns\n"+
		"3 endpoints, one of them hanging, that get every event\n\n", db.version, runtime.NumCPU(), o.cell, o.rounds)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "operation\tclients\twithout/s\tp50 ms\tp99 ms\twith/s\tp50 ms\tp99 ms\ttaken\tratio\t")
	for _, c := range all {
		without, with := join(c.without), join(c.with)
		fmt.Fprintf(table, "%s\t%d\t%.0f\t%s\t%s\t%.0f\t%s\t%s\t%d\t%.2f\t\n", c.operation, c.clients,
			without.rate(), without.quantile(0.5), without.quantile(0.99), with.rate(), with.quantile(0.5), with.quantile(0.99),
			c.taken, c.ratio())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, "\nratio: throughput with endpoints to that without, median of the turns; taken: deliveries that the two others took meanwhile\n")
	return err
}

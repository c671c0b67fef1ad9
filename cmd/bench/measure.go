package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// The operations that are measured.
const (
	opPay     = "pay"
	opConfirm = "confirm"
	opStatus  = "status"
)

// measurement measures the floor and the service in turns.
type measurement struct {
	options
	service  *service
	server   int // process id of PostgreSQL
	floor    *floor
	recorded *recordings
	rates    map[int]float64 // of confirm so far, by number of clients
	paid     int             // orders that must be paid in the end
	loads    int
	standing []waiting // orders whose status is read
}

// cell is an operation at a number of clients.
type cell struct {
	operation string
	clients   int
	floor     []sample // one for each round
	service   []sample
}

// warmUp is how long each side works before it counts: connections are opened
// and statements prepared.
const warmUp = time.Second

// all measures every cell.
func (m *measurement) all(ctx context.Context) ([]cell, error) {
	m.rates = map[int]float64{}
	m.paid = 3 // by recording
	var cells []cell
	for _, operation := range m.only {
		if err := m.turns(ctx, operation, slices.Max(m.clients), warmUp, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", operation, err)
		}
		for _, clients := range m.clients {
			fmt.Fprintf(os.Stderr, "measuring %s with %d clients\n", operation, clients)
			c := cell{operation: operation, clients: clients}
			for range m.rounds {
				if err := m.turns(ctx, operation, clients, m.round(), &c); err != nil {
					return nil, fmt.Errorf("%s with %d clients: %w", operation, clients, err)
				}
			}
			cells = append(cells, c)
		}
	}
	return cells, nil
}

// turns lets first the floor work and then the service.
func (m *measurement) turns(ctx context.Context, operation string, clients int, length time.Duration, c *cell) error {
	floor, err := m.onFloor(ctx, operation, clients, length)
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	service, err := m.onService(ctx, operation, clients, length)
	if err != nil {
		return fmt.Errorf("service: %w", err)
	}
	if c != nil {
		c.floor, c.service = append(c.floor, floor), append(c.service, service)
	}
	if operation != opStatus {
		m.paid += len(floor.Latencies) + len(service.Latencies)
	}
	return nil
}

func (m *measurement) onFloor(ctx context.Context, operation string, clients int, length time.Duration) (sample, error) {
	switch operation {
	case opPay:
		return m.replayed(ctx, clients, length, 0, func(int) error { return m.floor.pay(ctx) })
	case opConfirm:
		orders, err := m.orders(ctx, clients, length)
		if err != nil {
			return sample{}, err
		}
		s, err := m.replayed(ctx, clients, length, len(orders), func(i int) error { return m.floor.confirm(ctx, orders[i]) })
		m.rates[clients] = s.rate()
		return s, err
	default:
		orders, err := m.readable(ctx)
		if err != nil {
			return sample{}, err
		}
		return m.replayed(ctx, clients, length, 0, func(i int) error { return m.floor.status(ctx, orders[i%len(orders)]) })
	}
}

// replayed runs the floor, in this process.
func (m *measurement) replayed(
	ctx context.Context, clients int, length time.Duration, supply int, work func(i int) error,
) (sample, error) {
	return m.spending(os.Getpid(), func() (sample, error) {
		return timed(ctx, clients, length, supply, func(_, i int) error { return work(i) })
	})
}

func (m *measurement) onService(ctx context.Context, operation string, clients int, length time.Duration) (sample, error) {
	m.loads++
	authorization := "\r\nAuthorization: Bearer " + apiKey
	common := "\r\nHost: " + m.service.address + "\r\n"
	content := "\r\nContent-Type: application/json" + common
	o := loadOrder{Address: m.service.address, Clients: clients, Time: length}
	switch operation {
	case opPay:
		o.Head = "POST /v1/orders HTTP/1.1" + authorization + "\r\nIdempotency-Key: " + hole + content
		o.Body, o.Prefix = orderWith("card"), "S-"+strconv.Itoa(m.loads)+"-"
	case opConfirm:
		orders, err := m.orders(ctx, clients, length)
		if err != nil {
			return sample{}, err
		}
		for _, w := range orders {
			o.Values = append(o.Values, w.reference)
		}
		if o.Secret, err = m.service.secret(); err != nil {
			return sample{}, err
		}
		o.Head, o.Body = "POST "+confirmPath+" HTTP/1.1"+content, m.recorded.notice
	case opStatus:
		orders, err := m.readable(ctx)
		if err != nil {
			return sample{}, err
		}
		for _, w := range orders {
			o.Values = append(o.Values, w.order.String())
		}
		o.Head, o.Again = "GET /v1/orders/"+hole+"/status HTTP/1.1"+authorization+common, true
	}
	return m.spending(m.service.cmd.Process.Pid, func() (sample, error) { return m.loaded(ctx, o) })
}

// loaded runs the load process.
func (m *measurement) loaded(ctx context.Context, o loadOrder) (sample, error) {
	var s sample
	body, err := json.Marshal(o)
	if err != nil {
		return s, err
	}
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	cmd := exec.CommandContext(ctx, self, roleLoad)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(body), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("load: %w", err)
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return s, err
	}
	s.loadTime = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return s, nil
}

// spending adds to a sample what its side and the database spend on it.
func (m *measurement) spending(program int, work func() (sample, error)) (sample, error) {
	before, err := processorTime(program)
	if err != nil {
		return sample{}, err
	}
	databaseBefore, err := familyTime(m.server)
	if err != nil {
		return sample{}, err
	}
	s, err := work()
	if err != nil {
		return s, err
	}
	after, err := processorTime(program)
	if err != nil {
		return s, err
	}
	databaseAfter, err := familyTime(m.server)
	s.programTime, s.databaseTime = after-before, databaseAfter-databaseBefore
	return s, err
}

// orders returns more fresh orders than can be confirmed in the time.
func (m *measurement) orders(ctx context.Context, clients int, length time.Duration) ([]waiting, error) {
	const spare = 1.4
	rate := m.rates[clients]
	if rate == 0 {
		rate = 5000
	}
	return m.floor.prepare(ctx, int(rate*spare*length.Seconds())+clients)
}

// readable are the orders whose status is read: enough of them that they are
// not all in one page, and recent, as they are in life.
func (m *measurement) readable(ctx context.Context) ([]waiting, error) {
	if m.standing != nil {
		return m.standing, nil
	}
	var err error
	m.standing, err = m.floor.prepare(ctx, 2000)
	return m.standing, err
}

// balance compares the books with what was done: each request that was counted
// has paid one order.
func (m *measurement) balance(ctx context.Context, pool *pgxpool.Pool) error {
	var paid int
	if err := pool.QueryRow(ctx, "select count(*) from orders where payment_status = 'paid'").Scan(&paid); err != nil {
		return err
	}
	if paid != m.paid {
		return fmt.Errorf("%d orders are paid, but %d should be: not everything that was measured was done", paid, m.paid)
	}
	return nil
}

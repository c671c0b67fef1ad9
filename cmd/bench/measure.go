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

	"github.com/paysvc/paysvc/internal/payment"
)

// The operations that are measured.
const (
	opPay     = "pay"
	opConfirm = "confirm"
	opStatus  = "status"
	opCapture = "capture"
	opRefund  = "refund"
	opVoid    = "void"
	// opLag is confirm with an endpoint that gets every event: how late they come.
	opLag = "lag"
)

// everything is measured unless -only says less.
func everything() []string {
	return []string{opPay, opConfirm, opStatus, opCapture, opRefund, opVoid, opLag}
}

// measurement measures the floor and the service in turns.
type measurement struct {
	options
	service  *service
	server   int // process id of PostgreSQL
	floor    *floor
	recorded *recordings
	pool     *pgxpool.Pool
	rates    map[side]float64       // so far
	expected map[payment.Status]int // of orders in the end
	loads    int
	standing []prepared // orders whose status is read
	since    int64      // the sequence of events that lag begins behind
}

// side is one side of a cell.
type side struct {
	operation string
	clients   int
	service   bool // or the floor
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

// all measures every cell. Captures, refunds and voids are measured with the most
// clients only: each needs an order that is made for it.
func (m *measurement) all(ctx context.Context) ([]cell, error) {
	var cells []cell
	for _, operation := range m.only {
		if operation == opLag {
			continue
		}
		if err := m.turns(ctx, operation, slices.Max(m.clients), warmUp, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", operation, err)
		}
		for _, clients := range m.clients {
			if operates(operation) && clients < slices.Max(m.clients) {
				continue
			}
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
	return nil
}

// operates tells of what is done with money that payments hold.
func operates(operation string) bool {
	return operation == opCapture || operation == opRefund || operation == opVoid
}

func (m *measurement) onFloor(ctx context.Context, operation string, clients int, length time.Duration) (sample, error) {
	var work func(i int) error
	var orders []prepared
	var err error
	supply := 0
	switch operation {
	case opPay:
		work = func(int) error { return m.floor.pay(ctx) }
	case opStatus:
		orders, err = m.readable(ctx)
		work = func(i int) error { return m.floor.status(ctx, orders[i%len(orders)]) }
	default:
		orders, err = m.prepare(ctx, operation, m.supply(side{operation, clients, false}, length))
		work = func(i int) error { return m.floor.operate(ctx, operation, orders[i]) }
		if operation == opConfirm {
			work = func(i int) error { return m.floor.confirm(ctx, orders[i]) }
		}
		supply = len(orders)
	}
	if err != nil {
		return sample{}, err
	}
	s, err := m.replayed(ctx, clients, length, supply, work)
	m.note(side{operation, clients, false}, s)
	return s, err
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
	o, err := m.order(ctx, operation, clients, length)
	if err != nil {
		return sample{}, err
	}
	return m.serve(ctx, operation, o)
}

// serve has the service do what the load orders.
func (m *measurement) serve(ctx context.Context, operation string, o loadOrder) (sample, error) {
	s, err := m.spending(m.service.cmd.Process.Pid, func() (sample, error) { return m.loaded(ctx, o) })
	m.note(side{operation, o.Clients, true}, s)
	return s, err
}

// order says what the load has to send, and prepares what that is about.
func (m *measurement) order(ctx context.Context, operation string, clients int, length time.Duration) (loadOrder, error) {
	m.loads++
	authorization := "\r\nAuthorization: Bearer " + apiKey
	common := "\r\nHost: " + m.service.address + "\r\n"
	content := "\r\nContent-Type: application/json" + common
	o := loadOrder{Address: m.service.address, Clients: clients, Time: length}
	var err error
	switch operation {
	case opPay:
		o.Head = "POST /v1/orders HTTP/1.1" + authorization + "\r\nIdempotency-Key: " + hole + content
		o.Body, o.Prefix = orderWith("card"), "S-"+strconv.Itoa(m.loads)+"-"
	case opConfirm:
		o.Head, o.Body = "POST "+confirmPath+" HTTP/1.1"+content, m.recorded.notice
		var orders []prepared
		orders, err = m.prepare(ctx, operation, m.supply(side{operation, clients, true}, length))
		for _, p := range orders {
			o.Values = append(o.Values, p.reference)
		}
		if err == nil {
			o.Secret, err = m.service.secret()
		}
	case opStatus:
		o.Head, o.Again = "GET /v1/orders/"+hole+"/status HTTP/1.1"+authorization+common, true
		var orders []prepared
		orders, err = m.readable(ctx)
		for _, p := range orders {
			o.Values = append(o.Values, p.order.String())
		}
	default:
		o.Head = "POST /v1/payments/" + hole + "/" + operation + " HTTP/1.1" + authorization + "\r\nIdempotency-Key: " + hole + content
		o.Body = "{}"
		o.Values, err = m.payments(ctx, operation, m.supply(side{operation, clients, true}, length))
	}
	return o, err
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

// Command bench measures the service against the floor that its database sets.
//
// The floor is a loop over pgx that sends the very statements which one real
// request sent, in the same batches and with the same commits, and does nothing
// else. The service is the real program, `paysvc dev`, whose sandbox PSP answers
// in its own process; its load comes from a third process. Both work on one
// PostgreSQL with fsync on. docs/performance.md says how to read the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The roles in which bench runs itself as a process of its own.
const (
	roleLoad  = "load"
	roleServe = "serve"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case roleLoad:
			return load(ctx, os.Stdin, os.Stdout)
		case roleServe:
			return serve(ctx, args[1:])
		}
	}
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if o.sweeps {
		return explainSweeps(ctx)
	}
	return bench(ctx, o)
}

// options are what the command line says.
type options struct {
	cell    time.Duration // measured of each side, at each number of clients
	rounds  int           // into which that is divided; the two sides take turns
	clients []int
	only    []string
	// deliveries compares the service with and without endpoints for events, in
	// place of the service with the floor.
	deliveries bool
	// sweeps explains how the database finds what sweeps ask for, and does nothing else.
	sweeps  bool
	profile string // where a CPU profile of the service goes, "" for none
}

func (o options) round() time.Duration { return o.cell / time.Duration(o.rounds) }

func parseOptions(args []string) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	seconds := flags.Float64("seconds", 5, "how long each side of each cell is measured")
	rounds := flags.Int("rounds", 3, "turns that floor and service take in a cell; the ratio is the median of all turns")
	clients := flags.String("clients", "1,8,32", "numbers of clients that work at once")
	only := flags.String("only", strings.Join(everything(), ","), "what to measure; lag is how far deliveries of events are behind confirm")
	deliveries := flags.Bool("deliveries", false, "measure what deliveries of events cost payments: 3 endpoints, one of them hanging")
	sweeps := flags.Bool("sweeps", false, "explain how sweeps find what is due among 1,000,000 orders, and measure nothing else")
	profile := flags.String("cpuprofile", "", "profile the service under load into this file (and allocations beside it)")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	o := options{cell: time.Duration(*seconds * float64(time.Second)), rounds: *rounds, deliveries: *deliveries, sweeps: *sweeps, profile: *profile}
	if o.cell <= 0 || o.rounds < 1 {
		return o, errors.New("-seconds and -rounds must be positive")
	}
	for part := range strings.SplitSeq(*clients, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return o, errors.New("-clients must be numbers such as 1,8,32")
		}
		o.clients = append(o.clients, n)
	}
	for part := range strings.SplitSeq(*only, ",") {
		if !slices.Contains(everything(), part) {
			return o, errors.New("-only takes " + strings.Join(everything(), ", "))
		}
		o.only = append(o.only, part)
	}
	return o, nil
}

// bench measures everything and prints it.
func bench(ctx context.Context, o options) error {
	db, err := openDatabase(ctx)
	if err != nil {
		return err
	}
	defer db.close()
	program, err := build(ctx, o)
	if err != nil {
		return err
	}
	s, err := program.start(ctx, db.url)
	if err != nil {
		return err
	}
	defer s.stop()
	fmt.Fprintln(os.Stderr, "recording one request of each kind")
	recorded, err := record(ctx, db.url)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	m := &measurement{
		options: o, service: s, server: db.server.PID(), pool: db.pool, floor: newFloor(db.pool, recorded), recorded: recorded,
		rates: map[side]float64{},
	}
	if m.expected, err = m.standings(ctx); err != nil {
		return err
	}
	if o.deliveries {
		all, err := m.compare(ctx)
		if err != nil {
			return err
		}
		return reportComparison(os.Stdout, o, db, all)
	}
	cells, err := m.all(ctx)
	if err != nil {
		return err
	}
	afterLoad, err := s.memory()
	if err != nil {
		return err
	}
	var behind *lag
	if slices.Contains(o.only, opLag) {
		if behind, err = m.lagging(ctx); err != nil {
			return fmt.Errorf("lag: %w", err)
		}
	}
	if err := m.balance(ctx); err != nil {
		return err
	}
	return report(os.Stdout, o, db, cells, behind, sizes{
		binary: program.bytes, idle: s.idle, afterLoad: afterLoad, ready: s.ready,
	})
}

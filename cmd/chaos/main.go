// Command chaos breaks everything around the service while shoppers buy, and
// then compares what the PSP did, what the service has written down, and what it
// told.
//
// Two real processes of the service share a real PostgreSQL with fsync on. They
// are killed and stalled at random moments; the database is killed and restarted;
// a proxy that understands its protocol cuts connections before and after COMMIT;
// the PSP loses requests and answers; notifications get lost, doubled and
// re-ordered. Then all trouble ends, and everything has to be settled within the
// horizon. docs/chaos.md says how to read what it prints.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "chaos: "+err.Error())
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	seed     uint64
	length   time.Duration
	calmMax  time.Duration
	shoppers int
	faults   []string
	keep     bool
}

func parseOptions(args []string) (options, error) {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	seconds := flags.Float64("seconds", 60, "how long there is trouble; more for a soak")
	seed := flags.Uint64("seed", 1, "decides what is disturbed when; processes and networks have a will of their own")
	calm := flags.Duration("calm", 6*time.Minute, "how long everything may take to settle afterwards, at most")
	shoppers := flags.Int("shoppers", 40, "shoppers at once")
	faults := flags.String("faults", strings.Join(kinds(), ","), "kinds of trouble")
	keep := flags.Bool("keep", false, "keep the data and the logs of a run in which nothing was wrong")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	o := options{
		seed: *seed, length: time.Duration(*seconds * float64(time.Second)), calmMax: *calm, shoppers: *shoppers, keep: *keep,
	}
	if o.length <= 0 || o.calmMax <= 0 || o.shoppers < 1 {
		return o, errors.New("-seconds, -calm and -shoppers must be positive")
	}
	for kind := range strings.SplitSeq(*faults, ",") {
		if kind != "" && !slices.Contains(kinds(), kind) {
			return o, fmt.Errorf("-faults takes %s", strings.Join(kinds(), ", "))
		}
		o.faults = append(o.faults, kind)
	}
	return o, nil
}

var errWrong = errors.New("something is wrong: the data and the logs are kept")

// run is the whole program. The folder is removed unless something was wrong.
func run(ctx context.Context, args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "paysvc-chaos-")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the database's user must pass through
		return err
	}
	result, err := rehearse(ctx, o, dir)
	if result != nil {
		report(os.Stdout, result)
		if err == nil && !result.verdict.clean() {
			err = errWrong
		}
	}
	if errors.Is(err, errWrong) || o.keep {
		fmt.Fprintf(os.Stdout, "\nkept: %s (answers.log, instance-*.log, psp-ledger, and %s)\n", dir, filepath.Join("postgres", "data"))
		return err
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// outcome is a run as it is reported.
type outcome struct {
	options       options
	tally         *tally
	verdict       *verdict
	took, horizon time.Duration // of the calm
}

// rehearse runs everything once.
func rehearse(ctx context.Context, o options, dir string) (result *outcome, err error) {
	d := &disturber{options: o, tally: newTally(), commits: newDice(o.seed, 1), calm: make(chan struct{})}
	d.rig = &rig{dir: dir}
	defer func() { err = errors.Join(err, d.rig.close()) }()
	fmt.Fprintln(os.Stderr, "building the service, starting PostgreSQL and the instances")
	if err := d.rig.assemble(ctx, d); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "trouble for %s, seed %d\n", o.length, o.seed)
	shoppers, over := d.shopping(ctx)
	d.start(ctx)
	err = pause(ctx, o.length)
	d.stop()
	close(over)
	shoppers.Wait()
	if err != nil {
		return nil, err
	}
	result = &outcome{options: o, tally: d.tally}
	if result.took, result.horizon, err = d.rig.calm(ctx, o.calmMax); err != nil {
		return nil, errors.Join(err, errWrong)
	}
	if err := d.rig.repeatAll(ctx); err != nil {
		return nil, err
	}
	result.verdict, err = d.rig.judge(ctx, d.tally)
	return result, err
}

// shopping starts the shoppers; closing over ends it.
func (d *disturber) shopping(ctx context.Context) (*sync.WaitGroup, chan struct{}) {
	var shoppers sync.WaitGroup
	over := make(chan struct{})
	for n := range d.options.shoppers {
		s := &shopper{shop: d.rig.shop, dice: newDice(d.options.seed, uint64(100+n)), name: fmt.Sprintf("s%d", n)}
		shoppers.Go(func() { s.shopAll(ctx, over) })
	}
	return &shoppers, over
}

// judge gathers the evidence once nothing changes any more.
func (r *rig) judge(ctx context.Context, t *tally) (*verdict, error) {
	conn, err := r.db.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	e := evidence{acked: r.relay.acknowledged(), answers: r.shop.testimony.all(), accepted: t.of(relayAccepted), stocked: stocked}
	e.sent = r.psp.requests()
	if e.books, err = readBooks(ctx, conn); err != nil {
		return nil, err
	}
	var references []string
	for reference := range e.sent {
		references = append(references, reference)
	}
	for _, x := range e.books.transactions {
		if _, sent := e.sent[x.Reference]; x.Reference != "" && !sent {
			references = append(references, x.Reference)
		}
	}
	if e.ledger, err = readLedger(r.psp.book, references); err != nil {
		return nil, err
	}
	e.ledger.addCards(e.books.cards)
	return judge(e), nil
}

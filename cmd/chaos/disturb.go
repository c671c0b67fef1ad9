package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// The kinds of disturbance, as they are named on the command line.
const (
	withKills     = "kill"
	withStalls    = "stall"
	withPostgres  = "postgres"
	withCuts      = "cut"
	withHoles     = "hole"
	withPSP       = "psp"
	withMessages  = "notify"
	countKills    = "instances killed"
	countStalls   = "instances stalled"
	countEnded    = "instances that did not start without a database"
	countStops    = "PostgreSQL immediate restarts"
	countCrashes  = "PostgreSQL SIGKILL and restart"
	countBackends = "backends terminated"
)

func kinds() []string {
	return []string{withKills, withStalls, withPostgres, withCuts, withHoles, withPSP, withMessages}
}

// disturber makes trouble until it is told to stop. What it does, and with what
// pauses, is drawn from the seed.
type disturber struct {
	options options
	tally   *tally
	rig     *rig
	commits *dice
	calm    chan struct{}
	done    sync.WaitGroup
}

func (d *disturber) does(kind string) bool { return slices.Contains(d.options.faults, kind) }

// fate is what becomes of the next COMMIT.
func (d *disturber) fate() string {
	select {
	case <-d.calm:
		return cutNever
	default:
	}
	shares := []share{{cutNever, 936}}
	if d.does(withCuts) {
		shares = append(shares, share{cutBefore, 20}, share{cutAfter, 24}, share{cutDuring, 16})
	}
	if d.does(withHoles) {
		shares = append(shares, share{heldBack, 4})
	}
	return d.commits.draw(shares)
}

// start makes trouble of every kind that was asked for, each at its own pace.
func (d *disturber) start(ctx context.Context) {
	seed := d.options.seed
	d.rig.psp.faulty.Store(d.does(withPSP))
	d.rig.relay.faulty.Store(d.does(withMessages))
	d.every(ctx, withKills, newDice(seed, 11), 100*time.Millisecond, 900*time.Millisecond, d.kill)
	for n, i := range d.rig.instances {
		d.every(ctx, withKills, newDice(seed, uint64(20+n)), 50*time.Millisecond, 400*time.Millisecond, d.guard(i))
	}
	d.every(ctx, withStalls, newDice(seed, 12), 2*time.Second, 5*time.Second, d.stall)
	d.every(ctx, withPostgres, newDice(seed, 13), 4*time.Second, 9*time.Second, d.restart)
	d.every(ctx, withPostgres, newDice(seed, 14), 500*time.Millisecond, 3*time.Second, d.terminate)
	d.every(ctx, withCuts, newDice(seed, 15), 200*time.Millisecond, time.Second, d.cut)
	d.every(ctx, withHoles, newDice(seed, 16), time.Second, 3*time.Second, d.swallow)
}

// every does something again and again with pauses in between, until the calm.
func (d *disturber) every(
	ctx context.Context, kind string, dice *dice, low, high time.Duration, do func(context.Context, *dice) error,
) {
	if !d.does(kind) {
		return
	}
	d.done.Go(func() {
		for {
			select {
			case <-d.calm:
				return
			case <-ctx.Done():
				return
			case <-time.After(dice.between(low, high)):
			}
			if err := do(ctx, dice); err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "chaos: "+kind+": "+err.Error())
			}
		}
	})
}

// stop ends all trouble, and returns when what was stopped runs again.
func (d *disturber) stop() {
	close(d.calm)
	d.done.Wait()
	d.rig.psp.faulty.Store(false)
	d.rig.relay.faulty.Store(false)
}

// kill ends an instance; it starts again a moment later, meanwhile others die.
func (d *disturber) kill(_ context.Context, dice *dice) error {
	if d.any(dice).kill() {
		d.tally.add(countKills)
	}
	return nil
}

// guard starts an instance that does not run, whether it was killed or could not
// start without its database, as an orchestrator does.
func (d *disturber) guard(i *instance) func(context.Context, *dice) error {
	return func(context.Context, *dice) error {
		if i.over() {
			d.tally.add(countEnded)
		}
		return i.start()
	}
}

// stall stops an instance, sometimes for longer than the PSP's word takes to be
// final.
func (d *disturber) stall(ctx context.Context, dice *dice) error {
	d.tally.add(countStalls)
	return d.any(dice).stall(ctx, d.length(dice))
}

// length is that of a disturbance that holds something up.
func (d *disturber) length(dice *dice) time.Duration {
	if dice.chance(60) {
		return dice.between(300*time.Millisecond, 3*time.Second)
	}
	return dice.between(finality, finality+5*time.Second)
}

func (d *disturber) any(dice *dice) *instance {
	return d.rig.instances[dice.below(len(d.rig.instances))]
}

// restart ends the database and starts it again.
func (d *disturber) restart(ctx context.Context, dice *dice) error {
	signal, name := syscall.SIGQUIT, countStops
	if dice.chance(40) {
		signal, name = syscall.SIGKILL, countCrashes
	}
	d.tally.add(name)
	return d.rig.restartDatabase(ctx, signal)
}

// terminate ends backends, between two restarts.
func (d *disturber) terminate(ctx context.Context, dice *dice) error {
	ended, err := d.rig.terminate(ctx, 1+dice.below(4))
	for range ended {
		d.tally.add(countBackends)
	}
	return err
}

func (d *disturber) cut(_ context.Context, dice *dice) error {
	d.rig.proxy.cutSome(dice, 15)
	return nil
}

// swallow makes black holes.
func (d *disturber) swallow(_ context.Context, dice *dice) error {
	d.rig.proxy.swallowSome(dice, 10, d.length(dice))
	return nil
}

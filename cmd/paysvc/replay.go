package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

// replayedRun is a run that differs, or could not be tried, as JSON.
type replayedRun struct {
	Run         string                     `json:"run"`
	Order       string                     `json:"order"`
	Store       string                     `json:"store"`
	Pipeline    string                     `json:"pipeline"`
	MovedOn     bool                       `json:"moved_on"`
	Differences []moments.DifferenceReport `json:"differences"`
	Error       string                     `json:"error,omitempty"`
}

// replaySummary is the last line of a replay, as JSON.
type replaySummary struct {
	Tried     int  `json:"tried"`
	Differing int  `json:"differing"`
	MovedOn   int  `json:"moved_on"`
	Failed    int  `json:"failed"`
	Stopped   bool `json:"stopped"`
}

// replayRuns tries recorded runs, and prints those that differ as they are found.
func (t *trial) replayRuns(
	ctx context.Context, books *store.Store, inForce, other *moments.Service, env environment,
) error {
	filter := payment.RunFilter{Store: t.store, Pipeline: t.pipeline}
	print := printReplayed
	if t.json {
		print = printReplayedJSON
	}
	sum, err := inForce.TryRecorded(ctx, other, books, moments.ReplayCommand{RunFilter: filter, Runs: t.replay},
		func(r moments.Replayed) error { return print(env, r) })
	stopped := ctx.Err() != nil
	if err != nil && !stopped {
		return err
	}
	if t.json {
		err = printJSON(env, map[string]replaySummary{"summary": {sum.Tried, sum.Differing, sum.MovedOn, sum.Failed, stopped}}, "")
	} else {
		err = printSummary(env, sum)
	}
	if stopped {
		return errors.New("stopped before the end")
	}
	return err
}

func printReplayed(env environment, r moments.Replayed) error {
	if _, err := fmt.Fprintf(env.out, "%s  %s  %s\n", r.ID, r.Pipeline, r.ID.Order); err != nil {
		return err
	}
	if r.Err != nil {
		_, err := fmt.Fprintf(env.out, "  could not be tried: %s\n\n", r.Err)
		return err
	}
	if r.MovedOn {
		fmt.Fprintln(env.out, "  (the order has moved on since: the journal has other steps)")
	}
	if err := moments.WriteDifferences(env.out, r.OnOrder, r.Differences); err != nil {
		return err
	}
	_, err := fmt.Fprintln(env.out)
	return err
}

func printReplayedJSON(env environment, r moments.Replayed) error {
	line := replayedRun{
		Run: r.ID.String(), Order: r.ID.Order.String(), Store: r.Store, Pipeline: r.Pipeline, MovedOn: r.MovedOn,
		Differences: moments.ReportDifferences(r.Differences),
	}
	if r.Err != nil {
		line.Error = r.Err.Error()
	}
	return printJSON(env, line, "")
}

func printSummary(env environment, sum moments.ReplaySummary) error {
	_, err := fmt.Fprintf(env.out, "Runs tried on their orders as these stand now: %d; they differ: %d; could not be tried: %d.\n",
		sum.Tried, sum.Differing, sum.Failed)
	if err == nil && sum.MovedOn > 0 {
		_, err = fmt.Fprintf(env.out,
			"Orders that have moved on since, so that even the same pipeline would take other steps today: %d.\n", sum.MovedOn)
	}
	return err
}

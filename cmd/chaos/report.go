package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// wrongsShown bounds how much is said about one kind of wrong.
const wrongsShown = 10

// report prints what was done, what came of it, and the verdict.
func report(w io.Writer, o *outcome) {
	fmt.Fprintf(w, "\n%s of trouble with %d shoppers, seed %d, %d processors; then calm: settled after %s, horizon %s\n\n",
		o.options.length, o.options.shoppers, o.options.seed, runtime.NumCPU(),
		o.took.Round(time.Second), o.horizon.Round(time.Second))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	section(table, "processes", o.tally.of, countKills, countEnded, countStalls, countStops, countCrashes, countBackends)
	section(table, "connections to PostgreSQL", o.tally.of, cutBefore, cutAfter, cutDuring, heldBack, cutAny, blackHole)
	section(table, "PSP", o.tally.of, "psp requests", pspLost, pspMute, pspLostAnswer, pspSilence, pspError, pspHTML, pspGarbage,
		pspBusy, pspSlow, pspZombie)
	section(table, "notifications", o.tally.of, relaySent, relayLost, relayUnsent, relayTwice, relayLate, relayLostAnswer, relayForged,
		relayDelivered, relayAcked)
	section(table, "storefronts", o.tally.of, "orders", "requests", "broken answers", "repeats", "replayed answers", "twins", "rivals",
		"capture requests", "refund requests", "void requests", "cancellations")
	of := func(name string) int { return o.verdict.counts[name] }
	names := make([]string, 0, len(o.verdict.counts))
	for name := range o.verdict.counts {
		names = append(names, name)
	}
	slices.Sort(names)
	section(table, "what came of it", of, names...)
	section(table, "must be 0", func(name string) int { return len(o.verdict.found[name]) }, wrongs()...)
	_ = table.Flush() // nobody is left to tell when the terminal is gone
	for _, what := range wrongs() {
		found := o.verdict.found[what]
		for _, text := range found[:min(len(found), wrongsShown)] {
			fmt.Fprintf(w, "%s: %s\n", what, text)
		}
	}
}

func section(w io.Writer, title string, of func(string) int, names ...string) {
	fmt.Fprintf(w, "%s\n", title)
	for _, name := range names {
		fmt.Fprintf(w, "  %s\t%d\n", name, of(name))
	}
}

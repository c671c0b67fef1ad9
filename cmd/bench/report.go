package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// sizes are what the service weighs.
type sizes struct {
	binary, idle, afterLoad int64 // bytes
	ready                   time.Duration
}

// report writes the table.
func report(w io.Writer, o options, db *database, cells []cell, behind *lag, s sizes) error {
	fmt.Fprintf(w, "\nPostgreSQL %s with fsync on, %d processors shared by database, service and load; %s per side and cell in %d turns\n\n",
		db.version, runtime.NumCPU(), o.cell, o.rounds)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "operation\tclients\tfloor/s\tp50 ms\tp99 ms\tµs loop\tµs pg\t"+
		"service/s\tp50 ms\tp99 ms\tµs service\tµs pg\tµs load\tratio\t")
	for _, c := range cells {
		floor, service := join(c.floor), join(c.service)
		fmt.Fprintf(table, "%s\t%d\t%.0f\t%s\t%s\t%d\t%d\t%.0f\t%s\t%s\t%d\t%d\t%d\t%.2f\t\n", c.operation, c.clients,
			floor.rate(), floor.quantile(0.5), floor.quantile(0.99),
			floor.each(floor.programTime), floor.each(floor.databaseTime),
			service.rate(), service.quantile(0.5), service.quantile(0.99),
			service.each(service.programTime), service.each(service.databaseTime), service.each(service.loadTime), c.ratio())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `
ratio: throughput of the service to that of the floor, median of the turns; µs: processor time per request
memory of the service: %.1f MB idle, %.1f MB after the load (with the sandbox PSP and its ledger in the same process)
start to ready on a migrated database: %d ms, median of %d; binary: %.1f MB
`, megabytes(s.idle), megabytes(s.afterLoad), s.ready.Milliseconds(), starts, megabytes(s.binary))
	if err != nil || behind == nil {
		return err
	}
	return behind.report(w)
}

// ratio is the median over the rounds, so that one disturbed round says nothing.
func (c *cell) ratio() float64 {
	ratios := make([]float64, len(c.floor))
	for i := range ratios {
		ratios[i] = c.service[i].rate() / c.floor[i].rate()
	}
	slices.Sort(ratios)
	return (ratios[len(ratios)/2] + ratios[(len(ratios)-1)/2]) / 2
}

// join makes one sample of all rounds.
func join(rounds []sample) sample {
	var all sample
	for _, s := range rounds {
		all.Took += s.Took
		all.programTime += s.programTime
		all.databaseTime += s.databaseTime
		all.loadTime += s.loadTime
		all.Latencies = append(all.Latencies, s.Latencies...)
	}
	slices.Sort(all.Latencies)
	return all
}

// quantile reads a latency of a joined sample, in milliseconds.
func (s sample) quantile(q float64) string {
	if len(s.Latencies) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(s.Latencies[int(q*float64(len(s.Latencies)-1))])/1000)
}

// each divides a processor time by the requests, in microseconds.
func (s sample) each(d time.Duration) int64 {
	return d.Microseconds() / int64(max(1, len(s.Latencies)))
}

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

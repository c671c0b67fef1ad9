package pipeline

import (
	"net/netip"

	"github.com/paysvc/paysvc/internal/payment"
)

// Finding is the fact that the run is about: the last that changed something, or
// else the last; nil where none arrived.
func (run *Run) Finding() *payment.Finding {
	for i := len(run.Findings) - 1; i >= 0; i-- {
		if run.Findings[i].Changed {
			return &run.Findings[i]
		}
	}
	if n := len(run.Findings); n > 0 {
		return &run.Findings[n-1]
	}
	return nil
}

// remember journals what steps see beside the order, for the stretch that goes on
// with the record: another instance's, perhaps. Nothing is kept where none does.
func (run *Run) remember(record *payment.RunRecord) {
	record.From, record.Findings = netip.Addr{}, nil
	if record.DueAt.IsZero() {
		return
	}
	record.From = run.From
	for _, f := range run.Findings {
		record.Findings = append(record.Findings, payment.RunFinding{
			Transaction: f.Transaction.N, Source: f.Source, Before: f.Before, Changed: f.Changed, Mismatch: f.Mismatch,
		})
	}
}

// recall takes up what an earlier stretch of the run remembered.
func (run *Run) recall(record *payment.RunRecord) {
	run.From = record.From
	for _, f := range record.Findings {
		p, t := run.Order.Transaction(f.Transaction)
		run.Findings = append(run.Findings, payment.Finding{
			Payment: p, Transaction: t, Source: f.Source, Before: f.Before, Changed: f.Changed, Mismatch: f.Mismatch,
		})
	}
	if len(run.Findings) > 0 {
		run.Order.Source = string(run.Findings[0].Source)
	}
}

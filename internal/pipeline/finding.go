package pipeline

import "github.com/paysvc/paysvc/internal/payment"

// Finding is the fact that the stretch is about: the last that changed something,
// or else the last; nil where none arrived.
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

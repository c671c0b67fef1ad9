package store

import (
	"fmt"
	"net/netip"

	"github.com/go-json-experiment/json"

	"github.com/paysvc/paysvc/internal/payment"
)

// causeJSON is what a run is about as the column cause keeps it, while somebody goes
// on with the run.
type causeJSON struct {
	From     netip.Addr    `json:"from,omitzero"`
	Findings []findingJSON `json:"findings,omitempty"`
}

type findingJSON struct {
	Transaction int            `json:"transaction"`
	Source      payment.Source `json:"source"`
	Before      payment.State  `json:"before"`
	Changed     bool           `json:"changed,omitzero"`
	Mismatch    bool           `json:"mismatch,omitzero"`
}

// encodeCause returns nil where there is nothing to keep.
func encodeCause(r *payment.RunRecord) ([]byte, error) {
	if !r.From.IsValid() && len(r.Findings) == 0 {
		return nil, nil
	}
	out := causeJSON{From: r.From}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, findingJSON(f))
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode what a run is about: %w", err)
	}
	return body, nil
}

func decodeCause(body []byte, r *payment.RunRecord) error {
	if body == nil {
		return nil
	}
	var in causeJSON
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("stored cause of a run: %w", err)
	}
	r.From = in.From
	for _, f := range in.Findings {
		r.Findings = append(r.Findings, payment.RunFinding(f))
	}
	return nil
}

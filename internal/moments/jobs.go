package moments

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Resume takes up a run that failed, or that a crash left between its commits.
// Steps that were committed are not repeated; nothing is called again.
func (s *Service) Resume(ctx context.Context, store string, id payment.RunID, record *payment.RunRecord) error {
	_, err := s.execute(ctx, pipeline.Request{
		Open: payment.Opening{Store: store, Order: id.Order, Journal: record},
		Pick: s.pickVersion(record), Confirm: s.pick(pipeline.Confirm), Resume: record, Retry: true,
	})
	return err
}

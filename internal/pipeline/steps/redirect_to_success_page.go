package steps

import "github.com/paysvc/paysvc/internal/pipeline"

// redirectToSuccessPage tells the caller where the shopper goes now that the
// order is placed without a PSP.
type redirectToSuccessPage struct{}

func (redirectToSuccessPage) Name() string { return "redirect-to-success-page" }

func (redirectToSuccessPage) Do(run *pipeline.Run) error {
	run.Redirect = run.Order.SuccessURL()
	return nil
}

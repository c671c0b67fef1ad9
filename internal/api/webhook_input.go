package api

import (
	"fmt"
	"net/http"
	"regexp"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// typeShape is what a type of events looks like, or the first word of some. Which
// there are is open: pipelines may emit their own, of up to four words.
var typeShape = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}(\.\*|(\.[a-z0-9_-]{1,40}){1,3})$`)

// checkEndpoint checks what a store says about an endpoint; nil for no URL.
func (a *API) checkEndpoint(url *string, types []string) error {
	if url != nil {
		if err := a.Webhooks.CheckURL(*url); err != nil {
			return httpkit.NewFieldProblem(http.StatusUnprocessableEntity, "url_not_allowed", "body.url", "The URL "+err.Error()+".")
		}
	}
	seen := make(map[string]bool, len(types))
	for i, name := range types {
		field := fmt.Sprintf("types[%d]", i)
		if !typeShape.MatchString(name) {
			return payment.Invalid(field, "type_invalid", "must be a type of events such as order.paid, or all that begin with a word such as payment.*")
		}
		if seen[name] {
			return payment.Invalid(field, "duplicate", "stands in the list twice")
		}
		seen[name] = true
	}
	return nil
}

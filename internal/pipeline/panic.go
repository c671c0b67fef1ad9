package pipeline

import (
	"fmt"
	"runtime"

	"github.com/paysvc/paysvc/internal/payment"
)

// PanicError is the error that a panic becomes. What a panic says may be anything,
// personal data included, and errors are kept and logged: so only what the runtime
// itself says is repeated, and what we say.
func PanicError(p any) error {
	switch fault := p.(type) {
	case runtime.Error:
		return fmt.Errorf("panic: %w", fault)
	case *payment.Error:
		return fmt.Errorf("panic: %s", fault.Message) // its kind is not that of a refusal
	}
	return fmt.Errorf("panic of type %T", p)
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// The bounds of the audit's sweep.
const (
	auditEvery  = 5 * time.Second
	auditMax    = 500 // events at once
	auditRounds = 40  // of one store at once; what is left comes with the next look
	// auditLate is how late the audit may be while requests need the machine.
	auditLate = time.Minute
	// anchorEvery is how often the heads are logged.
	anchorEvery = time.Hour
)

// Audits takes events over into the audit.
type Audits interface {
	UnauditedStores(ctx context.Context) ([]string, error)
	AuditEvents(ctx context.Context, store string, limit int) (last time.Time, more bool, err error)
	AuditHeads(ctx context.Context) ([]payment.AuditHead, error)
}

// auditing is one at a time on an instance, and remembers when the heads were logged.
type auditing struct {
	mu       sync.Mutex
	anchored time.Time
}

// audit takes over what happened to orders. It may be late, payments may not: while
// requests need the machine it takes some events at a look, more when they are later
// than they may be, and the others wait in their table at no cost. Two instances at once do no harm, one of them finds a store taken.
func (j *Jobs) audit(ctx context.Context) (bool, error) {
	if j.Audits == nil || !j.auditing.mu.TryLock() {
		return false, nil
	}
	defer j.auditing.mu.Unlock()
	stores, err := j.Audits.UnauditedStores(ctx)
	if err != nil {
		return false, err
	}
	var problems []error
	for _, store := range stores {
		problems = append(problems, j.auditStore(ctx, store)) // one that fails stands in no other's way
	}
	return false, errors.Join(append(problems, j.anchor(ctx))...)
}

func (j *Jobs) auditStore(ctx context.Context, store string) error {
	for range auditRounds {
		last, more, err := j.Audits.AuditEvents(ctx, store, auditMax)
		if err != nil || !more || ctx.Err() != nil || j.isDraining() {
			return err
		}
		if j.busy() && j.Now().Sub(last) < auditLate {
			return nil
		}
	}
	return nil
}

// anchor logs where each audit ends, at the start and every hour. Kept apart from the
// database, these lines prove later that nothing was cut off or written anew.
func (j *Jobs) anchor(ctx context.Context) error {
	now := j.Now()
	if now.Sub(j.auditing.anchored) < anchorEvery {
		return nil
	}
	heads, err := j.Audits.AuditHeads(ctx)
	if err != nil {
		return fmt.Errorf("note the heads of the audits: %w", err)
	}
	for _, h := range heads {
		j.Log.Info().Str("store", h.Store).Stringer("head", h).Msg("audit head")
	}
	j.auditing.anchored = now
	return nil
}

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
	auditRounds = 20  // of one store at once; what is left comes with the next look
	// anchorEvery is how often the heads are logged.
	anchorEvery = time.Hour
)

// Audits takes events over into the audit.
type Audits interface {
	UnauditedStores(ctx context.Context) ([]string, error)
	AuditEvents(ctx context.Context, store string, limit int) (more bool, err error)
	AuditHeads(ctx context.Context) ([]payment.AuditHead, error)
}

// auditing is one at a time on an instance, and remembers when the heads were logged.
type auditing struct {
	mu       sync.Mutex
	anchored time.Time
}

// audit takes over what happened to orders. It may be late, payments may not: while
// requests need the machine it takes a few events at a look, and they wait in their
// table at no cost. Two instances at once do no harm, one of them finds a store taken.
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
		limit, busy := auditMax, j.busy()
		if busy {
			limit = min(limit, pumpMaxBusy*int(processors()))
		}
		more, err := j.Audits.AuditEvents(ctx, store, limit)
		if err != nil || !more || busy || ctx.Err() != nil || j.isDraining() {
			return err
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

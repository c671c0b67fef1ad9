package sandbox

import (
	"context"
	"sync"
	"time"
)

// background owns the simulator's goroutines: none outlives close.
type background struct {
	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex // orders the last Add before Wait
	closed bool
	wg     sync.WaitGroup
}

func newBackground() *background {
	// The simulator lives from New to Close, not as long as any one caller.
	ctx, cancel := context.WithCancel(context.Background())
	return &background{ctx: ctx, cancel: cancel}
}

// start runs work, unless close was called.
func (b *background) start(work func(ctx context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.wg.Go(func() { work(b.ctx) })
}

func (b *background) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.wg.Wait()
}

// sleep waits and reports whether it was left alone.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// hangups returns the requests to reload the settings: SIGHUP. A terminal that goes
// away sends the same signal, to the programs that were started in it; that one
// ends ctx, as it would end any program, unless nohup was to prevent it.
func hangups(ctx context.Context) (bounded context.Context, asked <-chan os.Signal, stop func()) {
	bounded, cancel := context.WithCancel(ctx)
	survives := signal.Ignored(syscall.SIGHUP) || !hasTerminal()
	received, reloads := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-bounded.Done():
				return
			case s := <-received:
				if !survives && !hasTerminal() {
					cancel()
					return
				}
				select {
				case reloads <- s:
				default: // one is waiting, and will see the same file
				}
			}
		}
	}()
	return bounded, reloads, func() {
		signal.Stop(received)
		cancel()
	}
}

// hasTerminal tells whether the program has a terminal that can end it.
func hasTerminal() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	_ = tty.Close() // nothing was read
	return true
}

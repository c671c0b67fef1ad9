package jobs

import (
	"context"
	"log/slog"
	"strings"

	"github.com/rs/zerolog"
)

// logHandler lets River's warnings into our log. They name jobs by kind and id;
// arguments are in none of them.
type logHandler struct {
	log  zerolog.Logger
	with []slog.Attr
}

// Enabled implements slog.Handler.
func (h logHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	if stopping(r) {
		return nil
	}
	event := h.log.Warn()
	if r.Level >= slog.LevelError {
		event = h.log.Error()
	}
	add := func(a slog.Attr) bool {
		event = event.Str(a.Key, a.Value.String())
		return true
	}
	for _, a := range h.with {
		add(a)
	}
	r.Attrs(add)
	event.Msg(r.Message)
	return nil
}

// stopping tells of a warning that only says that the instance stops.
func stopping(r slog.Record) (yes bool) {
	r.Attrs(func(a slog.Attr) bool {
		yes = yes || strings.HasSuffix(a.Value.String(), context.Canceled.Error())
		return !yes
	})
	return yes
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{log: h.log, with: append(h.with[:len(h.with):len(h.with)], attrs...)}
}

// WithGroup implements slog.Handler: groups are not told apart.
func (h logHandler) WithGroup(string) slog.Handler { return h }

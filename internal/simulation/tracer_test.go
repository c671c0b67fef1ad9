package simulation

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// tracer tells a connection who uses it.
type tracer struct{}

func (tracer) use(ctx context.Context, conn *pgx.Conn) context.Context {
	if w, ok := conn.PgConn().Conn().(*wire); ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.who = whoIn(ctx)
	}
	return ctx
}

// TraceQueryStart implements pgx.QueryTracer.
func (t tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return t.use(ctx, conn)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (t tracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return t.use(ctx, conn)
}

// TraceBatchQuery implements pgx.BatchTracer.
func (tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

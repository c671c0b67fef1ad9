package e2e_test

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/migrations"
)

// The role that the guide makes is enough for the service, and not for whoever wants
// to change what was audited.
func TestTheServiceWorksAsARoleThatOwnsNothing(t *testing.T) {
	t.Parallel()
	server, _ := pgtest.Server(t, false)
	require.NoError(t, server.CreateDatabase(t.Context(), "least"))
	owner := server.URL("least")
	require.NoError(t, postgres.Migrate(t.Context(), owner, migrations.FS))
	conn, err := pgx.Connect(t.Context(), owner)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	guide, err := os.ReadFile("../../docs/operate.md")
	require.NoError(t, err)
	grants := regexp.MustCompile("(?s)```sql\n *(create role .*?)```").FindSubmatch(guide)
	require.NotNil(t, grants, "the guide says how the role is made")
	_, err = conn.Exec(t.Context(), string(grants[1]))
	require.NoError(t, err)

	service, err := url.Parse(owner)
	require.NoError(t, err)
	service.User = url.UserPassword("paysvc_service", "…")
	d := deployOn(t, service.String(), exchange, finality)
	s := d.serve()
	id := s.newOrder("1", `, "promotion_codes": ["SUMMER"], "basket_id": "b-1"`)
	s.pay(id, "pay-1", "card")
	s.awaitOrder(id, "paid", isPaid)
	s.do(http.StatusOK, http.MethodPost, "/v1/orders/"+id+"/refund", "refund-1", `{}`)
	s.do(http.StatusCreated, http.MethodPost, "/v1/gift-cards", "card-1", `{"amount": "5.00", "currency": "EUR"}`)
	eventually(t, "background work is done, the audit is kept", func() bool {
		return d.count("select count(*) from audit where action = 'transaction.approved'") == 2 &&
			d.count("select count(*) from effects where due_at is not null") == 0
	})
	require.Zero(t, run(t, d.env, "audit", "verify").code)
	require.NotContains(t, s.log.String(), "permission denied")
	mine := d.connect()
	for _, forbidden := range []string{
		"update audit set actor = 'x'", "delete from audit", "truncate audit", "drop table audit",
		"alter table audit disable trigger all", "drop trigger audit_append_only on audit", "create table mine (i int)",
	} {
		_, err := mine.Exec(t.Context(), forbidden)
		require.ErrorContains(t, err, "42501", forbidden) // insufficient privilege
	}
}

// Whoever reaches the service in production finds no simulator there.
func TestServeHasNoSandbox(t *testing.T) {
	t.Parallel()
	s := deploy(t).serve()
	for _, path := range []string{"/sandbox", "/sandbox/", "/sandbox/operations", "/sandbox/v1/payments"} {
		require.Equal(t, http.StatusNotFound, s.try(http.MethodGet, path, "", "").status, path)
		require.Equal(t, http.StatusNotFound, s.try(http.MethodPost, path, "x", "{}").status, path)
	}
}

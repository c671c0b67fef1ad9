package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/paysvc/paysvc/internal/settings"
)

// welcome prints where everything is, and a line to begin with: one that works
// with these settings, which need not be the demo's.
func welcome(env environment, c *config, loaded *settings.Settings) {
	demo := loaded.Stores["demo"]
	stores := slices.Sorted(maps.Keys(loaded.Stores))
	if demo != nil {
		fmt.Fprintf(env.out, "\npaysvc serves the store \"demo\" (keys %s, %s).\n", demoSecretKey, demoPublishableKey)
	} else {
		fmt.Fprintf(env.out, "\npaysvc serves %s. There is no store \"demo\", the one that %s opens.\n", strings.Join(stores, ", "), demoSecretKey)
	}
	mails := c.MailFolder
	if c.SMTPURL != "" {
		mails = "to the server in PAYSVC_SMTP_URL"
	}
	database := withoutPassword(c.DatabaseURL.Reveal())
	fmt.Fprintf(env.out, `
  API       %[1]s/v1           docs %[1]s/docs
  Sandbox   %[1]s/sandbox/operations
  Mails     %[2]s
  Database  %[3]s

`, c.PublicURL, mails, database)
	switch {
	case demo == nil:
		const command = "  PAYSVC_DATABASE_URL='%s' paysvc keys create --store %s --test\n"
		fmt.Fprintf(env.out, "Make a key, or call a store \"demo\" and start again:\n\n"+command, database, stores[0])
	case slices.ContainsFunc(demo.Methods, func(m *settings.Method) bool { return m.Name == "wallet" }):
		fmt.Fprintln(env.out, "Create an order and pay it with a wallet; then open the printed next_action.url:")
		firstOrder(env.out, c.PublicURL, `,"pay":{"method":"wallet"}`)
	default:
		fmt.Fprintln(env.out, "Create an order; GET /v1/orders/{id}/payment-methods then says how it can be paid:")
		firstOrder(env.out, c.PublicURL, "")
	}
	fmt.Fprintln(env.out, "\nCtrl-C stops everything.")
}

// firstOrder prints a line for the shell that creates an order.
func firstOrder(w io.Writer, base, pay string) {
	fmt.Fprintf(w, `
  curl -s %[1]s/v1/orders -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' \
    -H "Idempotency-Key: $(date +%%s)" -d '{"number":"'$(date +%%s)'","currency":"EUR","total":"129.95",
    "lines":[{"sku":"A-1","name":"Lamp","quantity":1,"unit_price":"129.95","total":"129.95"}]%[3]s}'
`, base, demoSecretKey, pay)
}

package mail_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/mail"
	"github.com/paysvc/paysvc/internal/payment"
)

func money(t *testing.T, value, code string) payment.Money {
	t.Helper()
	c, err := payment.ParseCurrency(code)
	require.NoError(t, err)
	m, err := payment.ParseMoney(value, c)
	require.NoError(t, err)
	return m
}

func euros(t *testing.T, value string) payment.Money { return money(t, value, "EUR") }

// lamps is an order that has everything.
func lamps(t *testing.T, locale string) *payment.Order {
	t.Helper()
	o := &payment.Order{ID: payment.OrderID{15: 1}}
	home := payment.Address{Name: "Anna Meier", Line1: "Hauptstraße 1", PostalCode: "1010", City: "Wien", Country: "AT"}
	o.Details = payment.Details{
		Number: "10001", Currency: euros(t, "0").Currency(), Total: euros(t, "1254.45"), Locale: locale,
		Lines: []payment.Line{
			{SKU: "A-1", Name: "Lamp", Quantity: 2, UnitPrice: euros(t, "600.00"), Total: euros(t, "1200.00")},
			{SKU: "B-2", Quantity: 1, UnitPrice: euros(t, "49.50"), Total: euros(t, "49.50")},
		},
		Shipping: euros(t, "9.95"), Discount: euros(t, "5.00"), Tax: euros(t, "200.29"), TaxIncluded: true,
		Customer:       payment.Customer{Email: "anna@example.org", Name: "Anna Meier"},
		BillingAddress: home, ShippingAddress: home,
	}
	o.Payments = []*payment.Payment{{
		Amount: o.Total, Fee: euros(t, "1.50"), Status: payment.StatusPending,
		NextAction: &payment.NextAction{Type: "display", Kind: "instructions", Content: "Transfer 1255.95 EUR.\r\n\r\nReference: 10001"},
	}}
	return o
}

func written(t *testing.T, o *payment.Order, folder string) mail.Message {
	t.Helper()
	templates, err := mail.LoadTemplates(folder)
	require.NoError(t, err)
	m, err := templates.Order(o, "Lamps & Light", "orders@shop.example", "send_order_mail", noon())
	require.NoError(t, err)
	return m
}

func TestTheConfirmationOfAnOrder(t *testing.T) {
	t.Parallel()
	m := written(t, lamps(t, "en"), "")
	require.Equal(t, "Your order 10001 at Lamps & Light", m.Subject)
	require.Equal(t, `"Lamps & Light" <orders@shop.example>`, m.From)
	require.Equal(t, "anna@example.org", m.To)
	require.Equal(t, "Anna Meier", m.ToName)
	require.Equal(t, lamps(t, "en").ID.String()+"-send_order_mail", m.ID)
	require.Equal(t, noon(), m.At)
	want := `Hello Anna Meier,

Thank you for your order. This is what we have noted.

Order number: 10001

How to pay

  Transfer 1255.95 EUR.
  
  Reference: 10001

Your items

  2 × Lamp (€600.00): €1,200.00
  1 × B-2: €49.50

Subtotal: €1,249.50
Shipping: €9.95
Discount: −€5.00
Payment fee: €1.50
Total: €1,255.95
Including tax: €200.29

Billing and shipping address
  Anna Meier
  Hauptstraße 1
  1010 Wien
  AT

-- 
Lamps & Light
This mail was sent automatically.
`
	if diff := cmp.Diff(want, m.Text); diff != "" {
		t.Error(diff)
	}
	for _, part := range []string{
		"Transfer 1255.95 EUR.", "€1,255.95", "−€5.00", "Lamps &amp; Light", "Hauptstraße 1", `lang="en"`, "A-1",
	} {
		require.Contains(t, m.HTML, part)
	}
	require.NotRegexp(t, `(?i)(src|href|url)\s*[=(]`, m.HTML, "nothing is fetched from anywhere")
}

func TestTheLanguageOfTheOrder(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string][]string{
		"en": {"Your order 10001 at Lamps & Light", "€1,255.95"}, "en-GB": {"Your order", "€1,255.95"},
		"de": {"Ihre Bestellung 10001 bei", "1.255,95\u00A0€"}, "de-AT": {"Ihre Bestellung", "1.255,95\u00A0€"},
		"de_AT.UTF-8": {"Ihre Bestellung", "−5,00\u00A0€"}, "nl-BE": {"Uw bestelling", "€\u00A01.255,95"},
		"fr": {"Votre commande", "1\u202F255,95\u00A0€"}, "ES": {"Su pedido", "1255,95\u00A0€"},
		"": {"Your order", "€1,255.95"}, "xx": {"Your order", "€1,255.95"}, "deutsch": {"Your order", "€1,255.95"},
		"../../etc": {"Your order", "€1,255.95"},
	} {
		m := written(t, lamps(t, locale), "")
		require.Contains(t, m.Subject, want[0], locale)
		require.Contains(t, m.Text, want[1], locale)
		require.Contains(t, m.HTML, want[1], locale)
	}
}

func TestAmountsAreExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ locale, value, code, want string }{
		{"en", "1234567.05", "EUR", "€1,234,567.05"}, {"en", "0.10", "GBP", "£0.10"}, {"en", "1000.00", "USD", "USD\u00A01,000.00"},
		{"en", "120000", "JPY", "JPY\u00A0120,000"}, {"en", "1.234", "KWD", "KWD\u00A01.234"}, {"en", "9.1234", "CLF", "CLF\u00A09.1234"},
		{"de", "999.99", "CHF", "999,99\u00A0CHF"}, {"de", "9999999999999.99", "EUR", "9.999.999.999.999,99\u00A0€"},
		{"nl", "1000.00", "USD", "USD\u00A01.000,00"}, {"es", "12345.60", "EUR", "12.345,60\u00A0€"},
		{"fr", "120000", "JPY", "120\u202F000\u00A0JPY"},
	} {
		o := &payment.Order{ID: payment.OrderID{15: 1}}
		m := money(t, c.value, c.code)
		o.Number, o.Currency, o.Total, o.Locale, o.Customer.Email = "1", m.Currency(), m, c.locale, "a@example.org"
		o.Lines = []payment.Line{{SKU: "A", Quantity: 1, UnitPrice: m, Total: m}}
		require.Contains(t, written(t, o, "").Text, ": "+c.want+"\n", c.want)
	}
}

func TestAnOrderWithNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	o := &payment.Order{ID: payment.OrderID{15: 1}}
	o.Number, o.Total, o.Currency, o.Customer.Email = "1", euros(t, "5"), euros(t, "5").Currency(), "a@example.org"
	o.Lines = []payment.Line{{SKU: "A", Quantity: 1, UnitPrice: euros(t, "5"), Total: euros(t, "5")}}
	m := written(t, o, "")
	require.Equal(t, "Hello,", strings.SplitN(m.Text, "\n", 2)[0])
	for _, absent := range []string{"Subtotal", "Shipping", "Discount", "ax", "fee", "address", "How to pay"} {
		require.NotContains(t, m.Text, absent)
	}
	require.NotContains(t, m.HTML, "<nil>")
}

func TestAnAllowanceForTheWayToPayIsNoFee(t *testing.T) {
	t.Parallel()
	for locale, row := range map[string]string{
		"en": "Payment discount: −€2.00\nTotal: €1,252.45", "de": "Rabatt für die Zahlungsart: −2,00\u00a0€\nGesamtbetrag: 1.252,45\u00a0€",
	} {
		o := lamps(t, locale)
		o.Payments[0].Fee = euros(t, "0").Sub(euros(t, "2"))
		m := written(t, o, "")
		require.Contains(t, m.Text, row)
		require.NotContains(t, m.HTML, "Payment fee")
		require.NotContains(t, m.HTML, "Zahlungsgebühr")
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	o := lamps(t, "en")
	o.TaxIncluded = false
	o.ShippingAddress.Name = "Max"
	o.Payments[0].Status = payment.StatusFailed
	o.Payments = append(o.Payments, &payment.Payment{
		Amount: o.Total, Fee: euros(t, "0"), Status: payment.StatusPending,
		NextAction: &payment.NextAction{Type: "display", Kind: "qr", Content: "data:"},
	})
	m := written(t, o, "")
	require.NotContains(t, m.Text, "How to pay", "the payment failed, and a QR code is for the screen")
	require.NotContains(t, m.Text, "fee")
	require.Contains(t, m.Text, "Tax: €200.29")
	require.Contains(t, m.Text, "Billing address\n  Anna Meier")
	require.Contains(t, m.Text, "Shipping address\n  Max")
}

func TestWhatCustomersTypeStaysText(t *testing.T) {
	t.Parallel()
	o := lamps(t, "en")
	o.Number = "1\r\nBcc: b@evil.example"
	o.Customer.Name = "<script>alert(1)</script>\r\nBcc: c@evil.example"
	o.Lines[0].Name = `"><img src=x onerror=alert(1)>`
	o.BillingAddress.City = "{{.Total}}\u2028</style>"
	templates, err := mail.LoadTemplates("")
	require.NoError(t, err)
	m, err := templates.Order(o, "Shop\r\nX-Evil: 1", "orders@shop.example", "send_order_mail", noon())
	require.NoError(t, err)
	require.NotContains(t, m.HTML, "<script")
	require.NotContains(t, m.HTML, "<img")
	require.Equal(t, 1, strings.Count(m.HTML, "</style>"))
	require.NotContains(t, m.Subject+m.From+m.ToName, "\n")
	require.NotContains(t, m.Text, "\nBcc:")
	require.NotContains(t, m.Text, "\r")
	s := startServer(t, serverOptions{noTLS: true})
	require.NoError(t, sender(t, s, plain).Send(t.Context(), m))
	got := s.delivered()[0].Header
	require.Empty(t, got.Get("Bcc"))
	require.Empty(t, got.Get("X-Evil"))
	require.Equal(t, "Your order 1 Bcc: b@evil.example at Shop X-Evil: 1", got.Get("Subject"))
}

func TestABigOrder(t *testing.T) {
	t.Parallel()
	o := lamps(t, "de")
	for range 1000 {
		o.Lines = append(o.Lines, payment.Line{
			SKU: strings.Repeat("S", 100), Name: strings.Repeat("ß", 250), Quantity: 1_000_000, UnitPrice: euros(t, "0"), Total: euros(t, "0"),
		})
	}
	m := written(t, o, "")
	s := startServer(t, serverOptions{})
	require.NoError(t, sender(t, s, nil).Send(t.Context(), m))
	text, html := parts(t, s.delivered()[0], strings.NewReader(s.bodies[0]))
	require.Equal(t, m.Text, text)
	require.Equal(t, m.HTML, html)
	require.Equal(t, 1000, strings.Count(text, "1000000 × "))
}

// folder makes a folder of templates.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	at := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(at, name), []byte(text), 0o600))
	}
	return at
}

func TestTemplatesOfOnesOwn(t *testing.T) {
	t.Parallel()
	own := folder(t, map[string]string{
		"order-confirmation.de.subject":    "Danke, {{.Customer}}\n\n",
		"order-confirmation.de-AT.txt":     "Servus {{.Customer}}: {{.Total}}",
		"order-confirmation.txt":           "All: {{.Words.Total}} {{.Total}}",
		"order-confirmation.it.txt":        "Ciao {{.Customer}}",
		"order-confirmation.it.html":       "<p>Ciao {{.Customer}}</p>",
		"order-confirmation.it.subject":    "Ordine {{.Number}}",
		"order-confirmation-notes.md.orig": "",
		"README.md":                        "{{ not a template",
	})
	require.NoError(t, os.Remove(filepath.Join(own, "order-confirmation-notes.md.orig")))
	at := written(t, lamps(t, "de-AT"), own)
	require.Equal(t, "Danke, Anna Meier", at.Subject)
	require.Equal(t, "Servus Anna Meier: 1.255,95\u00A0€", at.Text)
	require.Contains(t, at.HTML, "Zwischensumme", "the default, file by file")
	require.Equal(t, "All: Gesamtbetrag 1.255,95\u00A0€", written(t, lamps(t, "de-CH"), own).Text)
	require.Equal(t, "All: Totaal €\u00A01.255,95", written(t, lamps(t, "nl"), own).Text)
	require.Equal(t, "Your order 10001 at Lamps & Light", written(t, lamps(t, "en"), own).Subject)
	it := written(t, lamps(t, "it-IT"), own)
	require.Equal(t, []string{"Ordine 10001", "Ciao Anna Meier", "<p>Ciao Anna Meier</p>"}, []string{it.Subject, it.Text, it.HTML})
}

func TestABrokenTemplateStopsTheStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, text string
		want       []string
	}{
		"it does not parse":        {"order-confirmation.nl.html", "<p>\n{{.Total", []string{"order-confirmation.nl.html", ":2:"}},
		"a name that is unknown":   {"order-confirmation.fr.txt", "{{.Totals}}", []string{"order-confirmation.fr.txt", "Totals"}},
		"in a branch":              {"order-confirmation.txt", "{{range .Lines}}{{.Price}}{{end}}", []string{"order-confirmation.txt", "Price"}},
		"only in a small order":    {"order-confirmation.txt", "{{index .BillingAddress 0}}", []string{"order-confirmation.txt", "index out of range"}},
		"no subject":               {"order-confirmation.en.subject", "{{/* later */}}\n", []string{"order-confirmation.en.subject", "empty"}},
		"it never ends":            {"order-confirmation.txt", `{{define "a"}}xxxxxxxxxxxxxxxx{{template "a" .}}{{end}}{{template "a" .}}`, []string{"order-confirmation.txt"}},
		"a language in part":       {"order-confirmation.it.txt", "Ciao", []string{"order-confirmation.it.subject is missing"}},
		"a name of another kind":   {"order-confirmation.de.htm", "<p>", []string{"order-confirmation.de.htm", "must be called"}},
		"a language of no tongue":  {"order-confirmation.d_e.txt", "a", []string{"order-confirmation.d_e.txt", "must be called"}},
		"too long":                 {"order-confirmation.de.txt", strings.Repeat("a", 300<<10), []string{"order-confirmation.de.txt", "longer"}},
		"HTML that cannot be safe": {"order-confirmation.de.html", "<a href='{{.Number}}", []string{"order-confirmation.de.html"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := mail.LoadTemplates(folder(t, map[string]string{c.file: c.text}))
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	_, err := mail.LoadTemplates(filepath.Join(t.TempDir(), "none"))
	require.Error(t, err, "a folder that was named must be there")
	_, err = mail.LoadTemplates(folder(t, map[string]string{"order-confirmation.DE.txt": "a", "order-confirmation.de.txt": "b"}))
	require.ErrorContains(t, err, "is the same as")
}

func TestATemplateThatFailsLaterTellsNothingOfTheCustomer(t *testing.T) {
	t.Parallel()
	own := folder(t, map[string]string{
		"order-confirmation.txt": `{{if eq .Number "77"}}{{template "order-confirmation.txt" .Customer}}{{end}}`,
	})
	templates, err := mail.LoadTemplates(own)
	require.NoError(t, err)
	o := lamps(t, "en")
	o.Number = "77"
	_, err = templates.Order(o, "Shop", "orders@shop.example", "send_order_mail", noon())
	lean(t, err)
	require.EqualError(t, err, "mail template "+filepath.Join(own, "order-confirmation.txt")+" failed")
}

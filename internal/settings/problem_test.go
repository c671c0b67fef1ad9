package settings_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/settings"
)

// store wraps the lines of a store, which begin in line 3, column 5.
func store(lines string) string {
	return "stores:\n  demo:\n    " + strings.ReplaceAll(lines, "\n", "\n    ") + "\n"
}

// account wraps the settings of a sandbox account, which begin in line 8, column 11.
func account(lines string) string {
	return store("accounts:\n  main:\n    gateway: sandbox\n    mode: test\n    settings:\n      " +
		strings.ReplaceAll(lines, "\n", "\n      "))
}

// method wraps the lines of a method, which begin in line 6, column 9.
func method(lines string) string {
	return store("accounts: {zero: {gateway: zero}}\nmethods:\n  free:\n    " + strings.ReplaceAll(lines, "\n", "\n    "))
}

const key = "api_key: {env: PSP_KEY}\n"

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, source string
		want         string // without the file's name
	}{
		// the file
		{"nothing", "", "1:1: is empty"},
		{"only a comment", "# x\n", "1:1: is empty"},
		{"a list", "- a\n", "1:1: must be keys with values"},
		{"text", "hello\n", "1:1: must be keys with values"},
		{"no stores", "stores: {}\n", "1:1: needs at least one store below stores"},
		{"empty stores", "stores:\n", "1:1: stores: is empty; must be names with keys below them"},
		{"unknown key at the top", "store: {}\nstores: {a: {}}\n", "1:1: store: unknown key; known here: stores"},
		{"two documents", "stores: {a: {}}\n---\nstores: {b: {}}\n", "2:1: a second document begins here; there may be one"},
		{"too large", strings.Repeat("#", 300<<10), "1:1: is larger than 256 KiB"},
		{"too many values", "a: [" + strings.Repeat("x,", 30_000) + "]", "1:1: is too large"},
		{"NUL", "stores:\n  a\x00: {}\n", "2:4: has a character here that is not printable UTF-8"},
		{"invalid UTF-8", "stores:\n  é\xff: {}\n", "2:4: has a character here that is not printable UTF-8"},

		// YAML
		{"not YAML", "stores: {a: {}\n", "1:9: is not valid YAML: could not find flow mapping end token '}'"},
		{"tab", "stores:\n\ta: {}\n", "2:1: is not valid YAML: found character '\t' that cannot start any token"},
		{"anchor", "stores: &a {a: {}}\n", "1:9: anchors and aliases are not supported"},
		{"alias", "stores: *a\n", "1:9: anchors and aliases are not supported"},
		{"merge key", "stores:\n  <<: {a: {}}\n", "2:3: merge keys are not supported"},
		{"tag", "stores: !!map {a: {}}\n", "1:9: tags are not supported"},
		{"complex key", "? stores\n: {a: {}}\n", "1:1: keys of this form are not supported; write key: value"},
		{"two keys in a line", "stores: a: b\n", "1:10: a second key on one line; quote text that holds a colon"},
		{"deep brackets", "stores: " + strings.Repeat("[", 10_000), "1:25: is nested too deeply"},
		{"deep dashes", "stores: \n" + strings.Repeat("- ", 2_000), "2:33: is nested too deeply"},
		{"deep indentation", deep(17), "1:1: x: unknown key; known here: stores\npaysvc.yaml:1:1: needs at least one store below stores\npaysvc.yaml:17:20: x" + strings.Repeat(".x", 16) + ": is nested too deeply"},
		{"infinity", store("title: .inf"), "3:12: stores.demo.title: is a kind of value that settings do not use"},
		{"header option", "stores: |" + canary + "\n  x\n", "1:9: is not valid YAML: invalid header option"},

		// a store
		{"empty store", "stores:\n  a:\n", "2:3: stores.a: is empty; must be keys with values"},
		{"bad store name", "stores:\n  Demo: {}\n", "2:3: stores.?: a name is 1 to 40 of a-z, 0-9 and -, and begins with a letter"},
		{"duplicate store", "stores:\n  a: {}\n  a: {}\n", "3:3: stores.a: stands here a second time"},
		{"duplicate key", store("title: A\ntitle: B"), "4:5: stores.demo.title: stands here a second time"},
		{"unknown key", store("titel: A"), "3:5: stores.demo.titel: unknown key; known here: title, return_origins, accounts, methods, stock, mail_from, pipelines, effects, auto_refund"},
		{"number for text", store("title: 5"), "3:12: stores.demo.title: must be text; put it in quotes"},
		{"list for text", store("title: [a]"), "3:12: stores.demo.title: must be text"},
		{"nothing for text", store("title:"), "3:5: stores.demo.title: is empty; must be text"},
		{"no text", store(`title: ""`), "3:12: stores.demo.title: must be one line of 1 to 200 characters"},
		{"header injection", store(`mail_from: "a@b.example\r\nBcc: c@d.example"`), "3:16: stores.demo.mail_from: must be one line of 1 to 200 characters"},
		{"no mail address", store("mail_from: me"), "3:16: stores.demo.mail_from: must be a mail address such as Shop <orders@shop.example>"},
		{"text for flag", store("stock: yes"), "3:12: stores.demo.stock: must be true or false"},
		{"reference that is no flag", store("stock: {env: SHOP_TITLE}"), "3:12: stores.demo.stock: must be true or false"},
		{"text for list", store("return_origins: https://a.example"), "3:21: stores.demo.return_origins: must be a list"},

		// return origins
		{"http origin", origins("http://shop.example"), badOrigin},
		{"other scheme", origins("ftp://shop.example"), badOrigin},
		{"no scheme", origins("shop.example"), badOrigin},
		{"wildcard", origins("https://*.example"), badOrigin},
		{"user data", origins("https://a@shop.example"), badOrigin},
		{"zone", origins("http://[::1%25lo]:9"), badOrigin},
		{"path", origins("https://shop.example/x"), longOrigin},
		{"slash", origins("https://shop.example/"), longOrigin},
		{"query", origins("https://shop.example?x"), longOrigin},
		{"fragment", origins("https://shop.example#x"), longOrigin},
		{"default port", origins("https://shop.example:443"), longOrigin},
		{"capitals", origins("https://Shop.example"), longOrigin},

		// accounts
		{"account without gateway", store("accounts:\n  main: {mode: test}"), "4:7: stores.demo.accounts.main: needs the key gateway"},
		{"unknown gateway", store("accounts:\n  main: {gateway: nope}"), "4:7: stores.demo.accounts.main: there is no such gateway"},
		{"gateway that is no name", store("accounts:\n  main: {gateway: A B}"), "4:23: stores.demo.accounts.main.gateway: must be the name of a gateway"},
		{"bad mode", store("accounts:\n  zero: {gateway: zero, mode: prod}"), "4:35: stores.demo.accounts.zero.mode: must be test or live"},
		{
			"account of a PSP without mode", store("accounts:\n  main: {gateway: sandbox, settings: {api_key: {env: PSP_KEY}}}"),
			"4:7: stores.demo.accounts.main: needs the key mode: test or live",
		},
		{"bad network", networks("example.org"), "4:40: stores.demo.accounts.zero.networks[0]: must be a network such as 203.0.113.0/24, or an address"},
		{"host bits", networks("10.0.0.1/8"), "4:40: stores.demo.accounts.zero.networks[0]: must be the first address of the network"},
		{
			"settings for a gateway that has none", store("accounts:\n  zero: {gateway: zero, settings: {a: 1}}"),
			"4:39: stores.demo.accounts.zero.settings: this gateway has no settings",
		},
		{"settings that are none", store("accounts:\n  zero: {gateway: zero, settings: [a]}"), "4:39: stores.demo.accounts.zero.settings: must be keys with values"},
		{
			"same receiver in two stores", strings.Repeat("#\n", 1) +
				"stores:\n  a:\n    accounts: {x: {gateway: sandbox, mode: test, settings: {api_key: {env: PSP_KEY}}}}\n" +
				"  b:\n    accounts: {x: {gateway: sandbox, mode: test, settings: {api_key: {env: PSP_KEY}}}}\n",
			"6:16: stores.b.accounts.x: another store has an account of this name at this gateway; notifications need a name of their own",
		},

		// settings of a gateway
		{"unknown setting", account(key + "url: x"), "9:11: stores.demo.accounts.main.settings.url: unknown key; " +
			"known here: base_url, account, api_key, webhook_secrets, timeout, finality, retries, slots, verify, regions, currency, plain"},
		{"skipped field", account(key + "skipped: x"), "9:11: stores.demo.accounts.main.settings.skipped: unknown key; " +
			"known here: base_url, account, api_key, webhook_secrets, timeout, finality, retries, slots, verify, regions, currency, plain"},
		{"plain secret", account("api_key: " + canary), "8:20: stores.demo.accounts.main.settings.api_key: a secret stands here only as {env: NAME} or {file: path}"},
		{
			"plain secret in a list", account(key + "webhook_secrets: [{env: PSP_HOOK}, " + canary + "]"),
			"9:46: stores.demo.accounts.main.settings.webhook_secrets[1]: a secret stands here only as {env: NAME} or {file: path}",
		},
		{
			"plain secret in a map", account(key + "regions: {eu: {key: " + canary + "}}"),
			"9:31: stores.demo.accounts.main.settings.regions.eu.key: a secret stands here only as {env: NAME} or {file: path}",
		},
		{"secret for a key", account(key + "Secret_" + canary + ": x"), "9:11: stores.demo.accounts.main.settings.?: unknown key; " +
			"known here: base_url, account, api_key, webhook_secrets, timeout, finality, retries, slots, verify, regions, currency, plain"},
		{"unset variable", account("api_key: {env: UNSET_KEY}"), "8:26: stores.demo.accounts.main.settings.api_key: the environment variable UNSET_KEY is not set"},
		{"empty variable", account("api_key: {env: EMPTY_KEY}"), "8:26: stores.demo.accounts.main.settings.api_key: the environment variable EMPTY_KEY is empty"},
		{"secret for a variable", account("api_key: {env: " + canary + "}"), "8:26: stores.demo.accounts.main.settings.api_key: the environment variable is not set"},
		{"variable of another shape", account("api_key: {env: lower}"), "8:26: stores.demo.accounts.main.settings.api_key: the environment variable is not set"},
		{"variable that is not text", account("api_key: {env: NOT_TEXT}"), "8:26: stores.demo.accounts.main.settings.api_key: the value is not text"},
		{"huge variable", account("api_key: {env: HUGE}"), "8:26: stores.demo.accounts.main.settings.api_key: the value is too large"},
		{"absent file", account("api_key: {file: /absent}"), "8:27: stores.demo.accounts.main.settings.api_key: the file does not exist"},
		{"forbidden file", account("api_key: {file: /forbidden}"), "8:27: stores.demo.accounts.main.settings.api_key: the file may not be read"},
		{"broken file", account("api_key: {file: /broken}"), "8:27: stores.demo.accounts.main.settings.api_key: the file cannot be read"},
		{"empty file", account("api_key: {file: /empty}"), "8:27: stores.demo.accounts.main.settings.api_key: the file is empty"},
		{"secret for a file", account("api_key: {file: " + canary + "}"), "8:27: stores.demo.accounts.main.settings.api_key: the file does not exist"},
		{"two references", account("api_key: {env: A_B, file: /x}"), "8:20: stores.demo.accounts.main.settings.api_key: must name either env or file, not both"},
		{"reference to nothing", account("api_key: {env: }"), "8:21: stores.demo.accounts.main.settings.api_key.env: must be text"},
		{"bad duration", account(key + "timeout: 5"), "9:20: stores.demo.accounts.main.settings.timeout: must be a duration such as 5s"},
		{"duration without unit", account(key + `timeout: "5"`), "9:20: stores.demo.accounts.main.settings.timeout: must be a duration such as 500ms, 5s or 2m"},
		{"negative duration", account(key + "timeout: -5s"), "9:20: stores.demo.accounts.main.settings.timeout: must be a duration such as 500ms, 5s or 2m"},
		{"text for number", account(key + "retries: many"), "9:20: stores.demo.accounts.main.settings.retries: must be a whole number"},
		{"fraction for number", account(key + "retries: 1.0"), "9:20: stores.demo.accounts.main.settings.retries: must be a whole number"},
		{"number too large", account(key + "retries: 128"), "9:20: stores.demo.accounts.main.settings.retries: must be a whole number of at most 8 bits"},
		{"negative number", account(key + "slots: -1"), "9:18: stores.demo.accounts.main.settings.slots: must be a whole number of at most 8 bits, not negative"},
		{"text for map", account(key + "regions: x"), "9:20: stores.demo.accounts.main.settings.regions: must be keys with values"},
		{"own type", account(key + "currency: ABC"), "9:21: stores.demo.accounts.main.settings.currency: must be an ISO 4217 currency code in capital letters"},
		{"own type that would repeat it", account(key + "currency: fail"), "9:21: stores.demo.accounts.main.settings.currency: is not valid"},
		{"float", store("accounts:\n  x: {gateway: odd, settings: {rate: 1.5}}"), "4:7: stores.demo.accounts.x: rate: settings cannot hold a float64"},
		{"gateway misses a setting", account("base_url: x"), "4:7: stores.demo.accounts.main.settings.api_key: must not be empty"},
		{
			"gateway refuses a setting", account(key + "webhook_secrets:\n  - {env: PSP_HOOK}\n  - {env: SHORT_KEY}"),
			"11:15: stores.demo.accounts.main.settings.webhook_secrets[1]: is too short",
		},

		// methods
		{"unknown key of a method", method("account: zero\nkind: zero\ncolour: 1"), "8:9: stores.demo.methods.free.colour: unknown key; " +
			"known here: account, kind, title, position, active, currencies, countries, min_total, max_total, fee, fee_percent, pipelines"},
		{"no account", method("kind: zero"), "5:7: stores.demo.methods.free: needs the key account"},
		{"no kind", method("account: zero"), "5:7: stores.demo.methods.free: needs the key kind"},
		{"absent account", method("account: nope\nkind: zero"), "6:18: stores.demo.methods.free.account: the store has no account of this name; it has zero"},
		{"absent kind", method("account: zero\nkind: card"), "7:15: stores.demo.methods.free.kind: the gateway of the account has no method of this kind; it has zero"},
		{"bad position", free("position: -1"), "8:19: stores.demo.methods.free.position: must be a whole number from 0 to 1000000"},
		{"position that is no number", free("position: first"), "8:19: stores.demo.methods.free.position: must be a whole number"},
		{"bad currency", free("currencies: [EUR, eur]"), "8:27: stores.demo.methods.free.currencies[1]: must be an ISO 4217 currency code in capital letters"},
		{"currency twice", free("currencies: [EUR, EUR]"), "8:27: stores.demo.methods.free.currencies[1]: stands here a second time"},
		{"bad country", free("countries: [NL, UK]"), "8:25: stores.demo.methods.free.countries[1]: must be an ISO 3166 country code of two capital letters"},
		{"half of two countries", free("countries: [D]"), "8:21: stores.demo.methods.free.countries[0]: must be an ISO 3166 country code of two capital letters"},
		{"country twice", free("countries: [NL, NL]"), "8:25: stores.demo.methods.free.countries[1]: stands here a second time"},
		{"too many decimals", free("min_total: {EUR: 1.005}"), "8:26: stores.demo.methods.free.min_total.EUR: must be an amount such as 0.00, with at most 2 decimals"},
		{"negative amount", free("min_total: {EUR: -1}"), "8:26: stores.demo.methods.free.min_total.EUR: must be an amount such as 0.00, with at most 2 decimals"},
		{"exponent", free("min_total: {EUR: 1e3}"), "8:26: stores.demo.methods.free.min_total.EUR: must be an amount such as 0.00, with at most 2 decimals"},
		{"hexadecimal", free("min_total: {JPY: 0x10}"), "8:26: stores.demo.methods.free.min_total.JPY: must be an amount such as 0, with at most 0 decimals"},
		{"list for amount", free("min_total: {EUR: [1]}"), "8:26: stores.demo.methods.free.min_total.EUR: must be an amount"},
		{"one amount for all", free("min_total: 10"), "8:20: stores.demo.methods.free.min_total: must be amounts by currency code, such as EUR: 10.00"},
		{"amount in no currency", free("min_total: {ABC: 1}"), "8:21: stores.demo.methods.free.min_total.ABC: must be an ISO 4217 currency code in capital letters"},
		{"amount in another currency", free("currencies: [EUR]\nmin_total: {USD: 1}"), "9:21: stores.demo.methods.free.min_total.USD: the method is not offered in this currency"},
		{"bounds the wrong way round", free("max_total: {EUR: 1}\nmin_total: {EUR: 2}"), "9:26: stores.demo.methods.free.min_total.EUR: is more than max_total"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "paysvc.yaml:"+c.want, strings.Join(problems(t, c.source), "\n"))
		})
	}
}

const (
	badOrigin  = "3:22: stores.demo.return_origins[0]: must be an origin such as https://shop.example; http only for localhost, 127.0.0.1 and [::1]"
	longOrigin = "3:22: stores.demo.return_origins[0]: must be the origin alone: " +
		"scheme://host[:port] in lower case, without path, slash at the end and default port"
)

func origins(origin string) string { return store(fmt.Sprintf("return_origins: [%q]", origin)) }

func networks(network string) string {
	return store("accounts:\n  zero: {gateway: zero, networks: [" + network + "]}")
}

// deep nests keys without any bracket.
func deep(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "x:\n")
	}
	return b.String()
}

func free(lines string) string { return method("account: zero\nkind: zero\n" + lines) }

func TestEveryProblemIsReportedAtOnceInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"paysvc.yaml:3:12: stores.demo.title: must be text; put it in quotes",
		"paysvc.yaml:6:14: stores.demo.accounts.main.mode: must be test or live",
		"paysvc.yaml:9:20: stores.demo.accounts.main.settings.api_key: a secret stands here only as {env: NAME} or {file: path}",
		"paysvc.yaml:10:35: stores.demo.accounts.main.settings.webhook_secrets[0]: the environment variable UNSET_KEY is not set",
		"paysvc.yaml:11:11: stores.demo.accounts.main.settings.colour: unknown key; " +
			"known here: base_url, account, api_key, webhook_secrets, timeout, finality, retries, slots, verify, regions, currency, plain",
		"paysvc.yaml:13:23: stores.demo.methods.card.account: the store has no account of this name; it has main",
		"paysvc.yaml:13:48: stores.demo.methods.card.position: must be a whole number",
		"paysvc.yaml:14:3: stores.demo: stands here a second time",
	}, problems(t, `stores:
  demo:
    title: 5
    accounts:
      main:
       mode: prod
       gateway: sandbox
       settings:
          api_key: `+canary+`
          webhook_secrets: [{env: UNSET_KEY}]
          colour: blue
    methods:
      card: {account: nope, kind: x, position: x}
  demo: {}
`))
}

func TestGatewayThatRepeatsASecretIsRedacted(t *testing.T) {
	t.Parallel()
	got := problems(t, account(key+"base_url: {env: BAD_URL}"))
	require.Len(t, got, 1)
	require.Contains(t, got[0], "paysvc.yaml:4:7: stores.demo.accounts.main: sandbox: ")
	require.Contains(t, got[0], "***")
	got = problems(t, account(key+"base_url: http://plain-password/%zz"))
	require.Contains(t, got[0], "***")
	require.NotContains(t, got[0], "plain-password")
}

func TestProblemsArePrintedOnePerLine(t *testing.T) {
	t.Parallel()
	err := settings.Problems{{File: "a.yaml", Line: 2, Column: 3, Path: "x.y", What: "is odd"}, {File: "a.yaml", Line: 4, Column: 1, What: "is even"}}
	require.EqualError(t, err, "a.yaml:2:3: x.y: is odd\na.yaml:4:1: is even")
}

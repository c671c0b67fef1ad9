package mail_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/mail"
)

func TestTheURLOfAServer(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"smtp://shop:p%40ss@mail.example":        "mail.example 587 starttls shop p@ss",
		"smtp://mail.example:2525":               "mail.example 2525 starttls  ",
		"smtps://shop:a%2Fb@mail.example/":       "mail.example 465 implicit shop a/b",
		"smtp://relay:25?tls=opportunistic":      "relay 25 opportunistic  ",
		"smtp://localhost:1025?tls=none":         "localhost 1025 none  ",
		"smtp://127.0.0.9:1025?tls=none":         "127.0.0.9 1025 none  ",
		"smtp://shop:pass@[::1]:1025?tls=none":   "::1 1025 none shop pass",
		" smtp://u%20ser:pass@mail.example:587 ": "mail.example 587 starttls u ser pass",
	} {
		c, err := mail.ParseURL(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, fmt.Sprint(c.Host, " ", c.Port, " ", c.Encryption, " ", c.User, " ", c.Password.Reveal()))
	}
}

func TestAURLThatIsRefused(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                                        "must be smtp://",
		"mail.example:587":                        "must be smtp://",
		"http://mail.example":                     "must be smtp://",
		"smtp://":                                 "must be smtp://",
		"smtp://shop:secret@:587":                 "must be smtp://",
		"smtp://shop:sec/ret@mail.example":        "must be smtp://",
		"smtp://shop:sec#ret@mail.example":        "must be smtp://",
		"smtp://shop:secret@mail.example:port":    "must be smtp://",
		"smtp://mail.example:0":                   "must be smtp://",
		"smtp://mail.example:70000":               "must be smtp://",
		"smtp://mail.example/secret":              "must be smtp://",
		"smtp://shop%0D%0A:secret@mail.example":   "must be smtp://",
		"smtp://shop@mail.example":                "both user and password",
		"smtp://:secret@mail.example":             "both user and password",
		"smtp://mail.example?tls=none":            "on this machine",
		"smtp://127.0.0.1.evil.example?tls=none":  "on this machine",
		"smtp://s:secret@relay?tls=opportunistic": "needs TLS",
		"smtp://mail.example?tls=off":             "?tls=",
		"smtp://mail.example?tls=none&tls=none":   "?tls=",
		"smtp://mail.example?secret=1":            "?tls=",
		"smtps://localhost?tls=none":              "?tls=",
	} {
		_, err := mail.ParseURL(raw)
		require.ErrorContains(t, err, want, raw)
		require.NotContains(t, err.Error(), "secret", "no error repeats the URL")
	}
	_, err := mail.NewSMTP(mail.Config{Host: "mail.example", Port: 25, Encryption: mail.NoTLS})
	require.Error(t, err, "whoever makes the configuration")
	_, err = mail.NewSMTP(mail.Config{Host: "mail.example", Port: 25})
	require.Error(t, err, "no encryption by mistake")
	_, err = mail.NewSMTP(mail.Config{Host: "mail.example", Port: 25, Encryption: mail.StartTLS, MaxConnections: -1})
	require.Error(t, err)
}

func TestThePasswordIsNotPrinted(t *testing.T) {
	t.Parallel()
	c, err := mail.ParseURL("smtp://shop:secret@mail.example")
	require.NoError(t, err)
	out, err := mail.NewSMTP(c)
	require.NoError(t, err)
	t.Cleanup(out.Close)
	var printed bytes.Buffer
	for _, v := range []any{c.Password, c, &c, out, map[string]any{"c": c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&printed, verb, v)
		}
		raw, err := json.Marshal(v)
		if err == nil {
			printed.Write(raw)
		}
		log := zerolog.New(&printed)
		log.Info().Interface("v", v).Any("w", v).Msg("")
	}
	require.NotContains(t, printed.String(), "secret")
	require.NotContains(t, printed.String(), fmt.Sprintf("%x", "secret"))
	require.Contains(t, printed.String(), "***")
}

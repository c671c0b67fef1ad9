package mail_test

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/mail"
)

// parts reads text and HTML of a mail as a reader of mail does.
func parts(t require.TestingT, m *netmail.Message, body io.Reader) (text, html string) {
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	reader := multipart.NewReader(body, params["boundary"])
	var all []string
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
		raw, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		all = append(all, strings.ReplaceAll(string(raw), "\r\n", "\n"))
	}
	require.Len(t, all, 2, "text, then HTML: the last is what readers prefer")
	return all[0], all[1]
}

func decoded(t require.TestingT, header string) string {
	s, err := new(mime.WordDecoder).DecodeHeader(header)
	require.NoError(t, err)
	return s
}

func TestUnicodeArrives(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	m := message("m1")
	m.From, m.ToName = "Лампы & Свет <orders@shop.example>", "Zoë “Zed” Müller, 李"
	m.Subject = strings.Repeat("Ihre Bestellung für übermorgen ✓ ", 5)
	m.Text, m.HTML = ".\n.. Grüße\n.\n", "<p>Grüße €</p>\n"
	require.NoError(t, sender(t, s, nil).Send(t.Context(), m))
	got := s.delivered()[0]
	text, html := parts(t, got, strings.NewReader(s.bodies[0]))
	require.Equal(t, m.Text, text)
	require.Equal(t, m.HTML, html)
	require.Equal(t, strings.TrimSpace(m.Subject), decoded(t, got.Header.Get("Subject")))
	to, err := got.Header.AddressList("To")
	require.NoError(t, err)
	require.Equal(t, []*netmail.Address{{Name: m.ToName, Address: m.To}}, to)
	from, err := got.Header.AddressList("From")
	require.NoError(t, err)
	require.Equal(t, "Лампы & Свет", from[0].Name)
	date, err := got.Header.Date()
	require.NoError(t, err)
	require.True(t, noon().Equal(date))
	require.Equal(t, "auto-generated", got.Header.Get("Auto-Submitted"))
}

func TestAnAddressOutsideOfASCII(t *testing.T) {
	t.Parallel()
	m := message("m1")
	m.To = "анна@example.org"
	err := sender(t, startServer(t, serverOptions{}), nil).Send(t.Context(), m)
	lean(t, err)
	require.True(t, mail.Permanent(err), "the server does not offer SMTPUTF8")
	require.NotContains(t, err.Error(), "анна")

	var said []bool
	s := startServer(t, serverOptions{utf8: true, hook: func(s *server) {
		s.onRcpt = func(at *session) error { said = append(said, at.utf8); return nil }
	}})
	out := sender(t, s, nil)
	require.NoError(t, out.Send(t.Context(), m))
	require.NoError(t, out.Send(t.Context(), message("m2")))
	require.Equal(t, []bool{true, false}, said, "said only where it must be: it makes a mail bounce at older servers")
}

func TestWhatCannotBeAMail(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*mail.Message){
		"no address":              func(m *mail.Message) { m.To = "" },
		"not an address":          func(m *mail.Message) { m.To = "anna" },
		"two addresses":           func(m *mail.Message) { m.To = "anna@example.org, b@example.org" },
		"a command in an address": func(m *mail.Message) { m.To = "anna@example.org>\r\nRCPT TO:<b@example.org" },
		"an id that leaves":       func(m *mail.Message) { m.ID = "../anna@example.org" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := message("m1")
			change(&m)
			folder := t.TempDir()
			err := mail.Folder(folder).Send(t.Context(), m)
			require.Error(t, err)
			require.True(t, mail.Permanent(err))
			if m.ID == "m1" {
				lean(t, err)
			}
		})
	}
	s := startServer(t, serverOptions{noTLS: true})
	for _, from := range []string{"", "shop"} {
		m := message("m1")
		m.From = from
		err := sender(t, s, plain).Send(t.Context(), m)
		require.ErrorContains(t, err, "mail_from")
		require.False(t, mail.Permanent(err), "an operator can set it")
	}
	require.Empty(t, s.delivered())
}

// Whatever a customer or a store is called, the mail has the headers that we
// gave it, and goes to whom we said.
func TestNoHeaderSlipsIn(t *testing.T) {
	t.Parallel()
	want := []string{
		"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To",
	}
	nasty := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"a\r\nBcc: b@evil.example", "a\nBcc: b@evil.example\n\nbody", "a\rBcc: b@evil.example", "\r\n\r\n<script>",
		"=?utf-8?q?a=0D=0ABcc:_b@evil.example?=", "\"<b@evil.example>, c", "a\u2028Bcc: b@evil.example", "\u202Eevil",
		strings.Repeat("x", 5000), `\Ⱥ`, `a\`, "\xff\xfe", "a\x00b",
	}))
	folder := t.TempDir()
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		m := message(fmt.Sprint("m", n))
		m.ToName, m.Subject = nasty.Draw(r, "name"), nasty.Draw(r, "subject")
		m.From = (&netmail.Address{Name: strings.ToValidUTF8(nasty.Draw(r, "title"), ""), Address: "orders@shop.example"}).String()
		m.Text, m.HTML = nasty.Draw(r, "text"), "<p>"+nasty.Draw(r, "html")
		if err := mail.Folder(folder).Send(t.Context(), m); err != nil {
			require.ErrorContains(r, err, "mail_from", "a title that no address can have")
			return
		}
		raw, err := os.ReadFile(filepath.Join(folder, m.ID+".eml"))
		require.NoError(r, err)
		for l := range strings.SplitSeq(string(raw), "\r\n") {
			require.LessOrEqual(r, len(l), 998)
			require.NotContains(r, l, "\n")
		}
		got, err := netmail.ReadMessage(strings.NewReader(string(raw)))
		require.NoError(r, err)
		for _, name := range want {
			require.Len(r, got.Header[name], 1, name)
		}
		require.Len(r, got.Header, len(want))
		to, err := got.Header.AddressList("To")
		require.NoError(r, err)
		require.Len(r, to, 1)
		require.Equal(r, m.To, to[0].Address)
		require.NotContains(r, decoded(r, got.Header.Get("Subject")), "\n")
		parts(r, got, got.Body)
	})
}

func TestAFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "mails")
	m := message("ord_1-send_order_mail")
	require.NoError(t, mail.Folder(folder).Send(t.Context(), m))
	again := m
	again.Text = "Another text"
	require.NoError(t, mail.Folder(folder).Send(t.Context(), again), "the same mail again is harmless")
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Equal(t, "ord_1-send_order_mail.eml", files[0].Name())
	raw, err := os.ReadFile(filepath.Join(folder, files[0].Name()))
	require.NoError(t, err)
	got, err := netmail.ReadMessage(strings.NewReader(string(raw)))
	require.NoError(t, err)
	text, html := parts(t, got, got.Body)
	require.Equal(t, "Hello", text, "it is written once")
	require.Equal(t, "<p>Hello</p>", html)
	info, err := files[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it is personal data")

	m.ID, m.From, m.HTML = "m2", "", ""
	require.NoError(t, mail.Folder(folder).Send(t.Context(), m), "a store need not have a sender here")
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := mail.Folder(filepath.Join(file, "mails")).Send(t.Context(), message("m1"))
	lean(t, err)
	require.False(t, mail.Permanent(err))
}

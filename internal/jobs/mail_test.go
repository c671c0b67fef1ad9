package jobs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/jobs"
)

func TestAMailInAFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "mails")
	m := jobs.Mail{
		ID: "ord_1-send_order_mail", From: "Shop <shop@example.org>", To: "a@example.org\r\nBcc: b@example.org",
		Subject: "Ihre Bestellung für\nmorgen", Text: "Danke", At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
	}
	require.NoError(t, jobs.Folder(folder).Send(t.Context(), m))
	require.NoError(t, jobs.Folder(folder).Send(t.Context(), m), "the same mail again is harmless")
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 1)
	raw, err := os.ReadFile(filepath.Join(folder, files[0].Name()))
	require.NoError(t, err)
	head, text, _ := strings.Cut(string(raw), "\n\n")
	require.Equal(t, "Danke", text)
	for line := range strings.Lines(head) {
		require.False(t, strings.HasPrefix(line, "Bcc:"), "no header slips in through a name")
	}
	require.Contains(t, head, "Date: Sat, 21 Nov 2026 12:00:00 +0000")
	info, err := files[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it is personal data")
}

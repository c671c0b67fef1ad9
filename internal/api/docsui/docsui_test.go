package docsui_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/docsui"
)

func get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	handler, err := docsui.Handler()
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	page := get(t, "/docs")
	require.Equal(t, http.StatusOK, page.Code)
	require.Equal(t, page.Body.String(), get(t, "/docs/").Body.String())

	csp := page.Header().Get("Content-Security-Policy")
	require.Contains(t, csp, "default-src 'none'")
	require.NotContains(t, csp, "unsafe")
	require.NotContains(t, csp, "http")
	require.NotRegexp(t, `https?://|src="//|href="//`, page.Body.String())
	require.NotRegexp(t, `<script>|<script [^>]*>[^<]|<style| on\w+=| style=`, page.Body.String(), "the policy forbids inline code")

	links := regexp.MustCompile(`(?:src|href)="(/docs/[^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	require.Len(t, links, 3)
	for _, link := range links {
		asset := get(t, link[1])
		require.Equal(t, http.StatusOK, asset.Code, link[1])
		require.NotContains(t, asset.Header().Get("Content-Type"), "html")
	}
}

func TestViewerIsThePublishedOne(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/docs/swagger-ui.css":       "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
		"/docs/swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
	} {
		plain := get(t, path)
		sum := sha256.Sum256(plain.Body.Bytes())
		require.Equal(t, want, hex.EncodeToString(sum[:]), path)

		packed := get(t, path, "Accept-Encoding", "gzip, br")
		require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
		reader, err := gzip.NewReader(packed.Body)
		require.NoError(t, err)
		unpacked, err := io.ReadAll(reader)
		require.NoError(t, err)
		require.Equal(t, plain.Body.Bytes(), unpacked)
	}
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	t.Parallel()
	first := get(t, "/docs/start.js")
	again := get(t, "/docs/start.js", "If-None-Match", first.Header().Get("ETag"))
	require.Equal(t, http.StatusNotModified, again.Code)
	require.Empty(t, again.Body.Bytes())
}

func TestOnlyTheFilesAreServed(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/docs/README.md", "/docs/../go.mod", "/docs/swagger-ui.css.gz", "/docsx"} {
		require.Equal(t, http.StatusNotFound, get(t, path).Code, path)
	}
}

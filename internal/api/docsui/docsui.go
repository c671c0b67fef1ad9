// Package docsui serves a page that shows the API's OpenAPI document. Page,
// script and style are embedded: nothing is loaded from elsewhere, which the
// page's content security policy also forbids.
package docsui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
)

//go:embed assets/index.html assets/start.js assets/swagger-ui.css.gz assets/swagger-ui-bundle.js.gz
var assets embed.FS

// policy allows the page its own files and its own API, and nothing else. The
// viewer sets styles through the DOM, which needs no 'unsafe-inline'; its
// icons are data: images.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// file is one embedded file as it is served.
type file struct {
	contentType string
	content     []byte // gzip if packed
	packed      bool
	etag        string
}

// Handler serves the page at /docs and its files below. The document is
// expected at /openapi.json of the same host.
func Handler() (http.Handler, error) {
	files := map[string]file{}
	for path, source := range map[string]file{
		"/docs":                      {contentType: "text/html; charset=utf-8"},
		"/docs/start.js":             {contentType: "text/javascript; charset=utf-8"},
		"/docs/swagger-ui.css":       {contentType: "text/css; charset=utf-8", packed: true},
		"/docs/swagger-ui-bundle.js": {contentType: "text/javascript; charset=utf-8", packed: true},
	} {
		content, err := assets.ReadFile(assetOf(path, source.packed))
		if err != nil {
			return nil, fmt.Errorf("docs page: %w", err)
		}
		sum := sha256.Sum256(content)
		source.content, source.etag = content, `"`+hex.EncodeToString(sum[:8])+`"`
		files[path] = source
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, files)
	}), nil
}

func assetOf(path string, packed bool) string {
	name := strings.TrimPrefix(strings.TrimPrefix(path, "/docs"), "/")
	if name == "" {
		name = "index.html"
	}
	if packed {
		name += ".gz"
	}
	return "assets/" + name
}

func serve(w http.ResponseWriter, r *http.Request, files map[string]file) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	f, ok := files[path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-cache") // kept, but asked about each time
	h.Set("ETag", f.etag)
	h.Set("Content-Type", f.contentType)
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	var content io.Reader = bytes.NewReader(f.content)
	if f.packed {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
		} else if unpacked, err := gzip.NewReader(content); err == nil {
			content = unpacked
		}
	}
	_, _ = io.Copy(w, content) // the client may be gone; nothing is left to tell it
}

package httpkit_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

func TestPagesOfOtherOriginsMayCallOnlyWhatIsForBrowsers(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	for path, browser := range map[string]bool{"/open": true, "/closed": false} {
		httpkit.Register(k, httpkit.Route{
			Operation: huma.Operation{Method: http.MethodGet, Path: path, OperationID: path[1:]}, Browser: browser, Public: true,
		}, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
		for _, method := range []string{http.MethodOptions, http.MethodGet} {
			w := httptest.NewRecorder()
			k.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
			require.Equal(t, browser, w.Header().Get("Access-Control-Allow-Origin") == "*", method+" "+path)
			require.Empty(t, w.Header().Get("Access-Control-Allow-Credentials"))
		}
	}
}

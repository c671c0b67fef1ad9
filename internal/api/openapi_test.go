package api_test

import (
	"crypto/rand"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api"
)

// goldenDocument is the contract as other programs read it.
const goldenDocument = "../../docs/openapi.yaml"

var update = flag.Bool("update", false, "write docs/openapi.yaml anew")

// document is the OpenAPI document of an API that nobody calls.
func document(t *testing.T) []byte {
	t.Helper()
	a, err := api.New(api.Deps{Now: time.Now, Random: rand.Reader, Version: "dev"})
	require.NoError(t, err)
	yaml, err := a.OpenAPIYAML()
	require.NoError(t, err)
	return yaml
}

func TestTheDocumentInDocsIsTheOneThatIsServed(t *testing.T) {
	t.Parallel()
	served := document(t)
	if *update {
		require.NoError(t, os.WriteFile(goldenDocument, served, 0o644)) //nolint:gosec // a public page
	}
	kept, err := os.ReadFile(goldenDocument)
	require.NoError(t, err)
	require.Equal(t, string(kept), string(served), "run: go test ./internal/api -run Document -update")
}

package api_test

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api"
)

// goldenDocument is the contract as other programs read it.
const goldenDocument = "../../docs/openapi.yaml"

var update = flag.Bool("update", false, "write docs/openapi.yaml anew")

// uncalled is an API for those who only want its document.
func uncalled(t *testing.T) *api.API {
	t.Helper()
	a, err := api.New(api.Deps{Now: time.Now, Random: rand.Reader, Version: "dev"})
	require.NoError(t, err)
	return a
}

// operation is an operation of the document.
type operation struct {
	Method, Path string
	ID           string `json:"operationId"`
	Security     []map[string][]string
	Parameters   []struct{ Name, In string }
	RequestBody  *struct{ Required bool }
}

func (o operation) String() string { return o.Method + " " + o.Path }

// rights are those that let a key in: one of them is enough.
func (o operation) rights() []string {
	var rights []string
	for _, alternative := range o.Security {
		rights = append(rights, alternative["bearer"]...)
	}
	return rights
}

// allows tells whether a key with this right is let in.
func (o operation) allows(right string) bool { return slices.Contains(o.rights(), right) }

// operations reads every operation out of the document that is served.
func operations(t *testing.T) []operation {
	t.Helper()
	recorder := httptest.NewRecorder()
	uncalled(t).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	require.Equal(t, http.StatusOK, recorder.Code)
	var document struct {
		Paths map[string]map[string]operation
	}
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &document))
	var all []operation
	for path, methods := range document.Paths {
		for method, o := range methods {
			o.Method, o.Path = strings.ToUpper(method), path
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return cmp.Compare(a.String(), b.String()) })
	require.Greater(t, len(all), 30, "the document is nearly empty")
	return all
}

func TestTheDocumentInDocsIsTheOneThatIsServed(t *testing.T) {
	t.Parallel()
	served, err := uncalled(t).OpenAPIYAML()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(goldenDocument, served, 0o644))
	}
	kept, err := os.ReadFile(goldenDocument)
	require.NoError(t, err)
	require.Equal(t, string(kept), string(served), "run: go test ./internal/api -run Document -update")
}

// A parameter of the path that a handler does not declare is one that it never
// gets: huma passes over embedded types that are not exported.
func TestEveryParameterOfAPathIsRead(t *testing.T) {
	t.Parallel()
	inBraces := regexp.MustCompile(`\{(\w+)\}`)
	for _, o := range operations(t) {
		var named, read []string
		for _, match := range inBraces.FindAllStringSubmatch(o.Path, -1) {
			named = append(named, match[1])
		}
		for _, p := range o.Parameters {
			if p.In == "path" {
				read = append(read, p.Name)
			}
		}
		assert.ElementsMatch(t, named, read, "%s", o)
	}
}

func TestEveryListIsPaged(t *testing.T) {
	t.Parallel()
	unpaged := []string{"list-payment-methods", "list-pipelines"} // as many as the settings hold
	for _, o := range operations(t) {
		if !strings.HasPrefix(o.ID, "list-") || slices.Contains(unpaged, o.ID) {
			continue
		}
		var read []string
		for _, p := range o.Parameters {
			read = append(read, p.Name)
		}
		assert.Subset(t, read, []string{"limit", "cursor"}, "%s", o)
	}
}

// readByAdmins are the reads that not every secret key may do.
var readByAdmins = []string{"list-jobs", "list-webhook-endpoints", "get-webhook-endpoint", "list-webhook-deliveries"}

func TestOnlyReadingNeedsNoScope(t *testing.T) {
	t.Parallel()
	for _, o := range operations(t) {
		assert.NotEmpty(t, o.rights(), "%s lets nobody in", o)
		if slices.Contains(readByAdmins, o.ID) {
			assert.Equal(t, []string{"admin"}, o.rights(), "%s", o)
			continue
		}
		assert.Equal(t, o.Method == http.MethodGet, o.allows("any"), "%s", o)
	}
}

package httpkit

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// securityBearer names the security scheme in the OpenAPI document.
const securityBearer = "bearer"

// introduction says in the document what holds for every operation.
//
//go:embed introduction.md
var introduction string

// humaConfig is huma's configuration with the defaults changed that would hurt
// us: no docs page from a CDN, no $schema links in bodies, no document routes
// of huma's own (they are built on first use without a lock), our JSON only,
// and unknown query parameters refused: a misspelt filter must not list all.
func (k *Kit) humaConfig() huma.Config {
	config := huma.DefaultConfig("paysvc", k.config.Version)
	config.CreateHooks = nil
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Formats = map[string]huma.Format{contentJSON: jsonFormat(), "json": jsonFormat()}
	config.DefaultFormat = contentJSON
	config.RejectUnknownQueryParameters = true
	config.Transformers = []huma.Transformer{finishProblems}
	config.Info.Description = introduction
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		securityBearer: {Type: "http", Scheme: "bearer", Description: "A store's API key, secret (`paysk_…`) or publishable (`paypk_…`)."},
	}
	config.Security = []map[string][]string{{securityBearer: {}}}
	return config
}

// serveSpec serves the document, built once on first request, when every
// operation is registered.
func (k *Kit) serveSpec() {
	k.specJSON = sync.OnceValues(func() ([]byte, error) { return json.Marshal(k.API.OpenAPI()) })
	k.specYAML = sync.OnceValues(k.API.OpenAPI().YAML)
	k.Router.Get("/openapi.json", serveDocument("application/openapi+json", k.specJSON))
	k.Router.Get("/openapi.yaml", serveDocument("application/openapi+yaml", k.specYAML))
}

// OpenAPIYAML is the OpenAPI 3.1 document of all operations registered so far.
// The first call freezes it.
func (k *Kit) OpenAPIYAML() ([]byte, error) { return k.specYAML() }

func serveDocument(contentType string, build func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		document, err := build()
		if err != nil {
			panic(err) // a schema that cannot be encoded: a bug, logged by recoverPanic
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(document) // the client may be gone; nothing is left to tell it
	}
}

package layers_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// layer is a row of the import table. In patterns "x/..." is every folder below x, but not x. A folder belongs to
// the last row that matches it, so a row for one gateway can stand below the row for all.
type layer struct {
	folder string
	may    []string
}

// layers are the imports among our own packages, from the leaf up. A new package needs a row here, and a new
// arrow a reason: every arrow that is not drawn is a thing that can be changed without looking there.
var layers = []layer{
	{"migrations", nil},
	{"internal/layers", nil},
	{"internal/e2e", nil},        // tests of the whole program
	{"internal/simulation", nil}, // and of all of it at once, in virtual time
	{"internal/payment", nil},
	{"internal/pipeline", []string{"internal/payment"}},
	{"internal/pipeline/steps", []string{"internal/payment", "internal/pipeline"}},
	{"internal/pipeline/when", []string{"internal/payment", "internal/pipeline"}},

	{"internal/gateways", []string{"internal/payment", "internal/pipeline"}},
	{"internal/gateways/...", []string{"internal/gateways", "internal/payment", "internal/pipeline"}},
	{"internal/gateways/catalog", []string{"internal/gateways", "internal/gateways/...", "internal/payment", "internal/pipeline"}},
	// Conditions are checked while the file is read, at the place where they stand.
	{"internal/settings", []string{
		"internal/gateways", "internal/gateways/catalog", "internal/payment", "internal/pipeline", "internal/pipeline/when",
	}},

	// The moments carry a run across its calls, so they know the port and the settings, but no gateway and no SQL.
	{"internal/moments", []string{
		"internal/gateways", "internal/payment", "internal/pipeline", "internal/pipeline/steps", "internal/settings",
	}},

	// Calls to URLs of stores; who calls, and why, is for others.
	{"internal/outbound", []string{"internal/payment"}},

	{"internal/store", []string{"internal/payment"}},
	{"internal/mail", []string{"internal/payment"}},
	{"internal/jobs", []string{"internal/mail", "internal/moments", "internal/outbound", "internal/payment", "internal/pipeline"}},
	{"internal/api", []string{"internal/api/...", "internal/moments", "internal/outbound", "internal/payment", "internal/pipeline"}},
	{"internal/api/...", []string{"internal/payment"}},
	{"internal/backoffice", []string{"internal/moments", "internal/payment", "internal/pipeline"}},

	// The simulator stands for somebody else's program.
	{"internal/sandbox", nil},

	{"internal/postgres", nil},
	{"internal/postgres/pgtest", []string{"internal/postgres", "migrations"}},
	{"internal/postgres/setup", []string{"internal/postgres"}},

	{"cmd/...", []string{"cmd/...", "internal/...", "migrations"}},
}

// forTests are the packages that only tests import.
var forTests = []string{"internal/gateways/gatewaytest", "internal/postgres/pgtest"}

// programs are the packages that make contexts and read the clock and the environment. The simulator makes a
// context: it lives from New to Close, like a program of its own.
var programs = []string{"cmd/...", "internal/postgres/setup", "internal/sandbox"}

// library is an outside module that only some packages may know.
type library struct {
	prefix string
	users  []string
}

// libraries keep a decision about a tool inside the packages that are about it.
var libraries = []library{
	{"github.com/jackc/", []string{"internal/store", "internal/jobs", "internal/postgres", "internal/postgres/...", "cmd/..."}},
	{"github.com/riverqueue/", []string{"internal/jobs", "internal/postgres"}},
	{"github.com/golang-migrate/", []string{"internal/postgres"}},
	{"github.com/go-chi/", []string{"internal/api", "internal/api/...", "internal/backoffice", "internal/sandbox"}},
	{"github.com/danielgtaylor/huma/", []string{"internal/api", "internal/api/...", "internal/backoffice"}},
	{"github.com/expr-lang/", []string{"internal/pipeline/when"}},
	{"github.com/stripe/", []string{"internal/gateways/stripe"}},
	{"github.com/wneessen/go-mail", []string{"internal/mail"}},
	{"github.com/lib/pq", nil},
}

// leaf is the package that imports nothing but the standard library and this.
const (
	leaf        = "internal/payment"
	leafLibrary = "github.com/shopspring/decimal"
)

func TestImportsAmongOurPackagesAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		if f.test {
			continue
		}
		row, known := rowOf(f.folder)
		if !assert.True(t, known, "%s: %s has no row in the import table", f.path, f.folder) {
			continue
		}
		for _, imported := range f.imports {
			ours, ok := strings.CutPrefix(imported, module+"/")
			if !ok {
				continue
			}
			assert.True(t, in(ours, row.may...), "%s must not import %s", f.path, ours)
			assert.False(t, in(ours, forTests...), "%s: only tests import %s", f.path, ours)
		}
	}
}

func rowOf(folder string) (row layer, known bool) {
	for _, l := range layers {
		if in(folder, l.folder) {
			row, known = l, true
		}
	}
	return row, known
}

func TestLibrariesStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		if f.test {
			continue
		}
		for _, imported := range f.imports {
			for _, l := range libraries {
				assert.False(t, strings.HasPrefix(imported, l.prefix) && !in(f.folder, l.users...),
					"%s must not import %s", f.path, imported)
			}
			standard := !strings.Contains(strings.Split(imported, "/")[0], ".")
			assert.False(t, f.folder == leaf && !standard && imported != leafLibrary,
				"%s must not import %s: the leaf knows decimal and the standard library only", f.path, imported)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	require.True(t, in("internal/store", "internal/store"))
	require.False(t, in("internal/storefront", "internal/store", "internal/store/..."))
	require.False(t, in("internal/gateways", "internal/gateways/..."))
	require.True(t, in("internal/gateways/zero", "internal/gateways/..."))
	row, known := rowOf("internal/gateways/catalog")
	require.True(t, known)
	require.Contains(t, row.may, "internal/gateways/...", "the later row wins")
}

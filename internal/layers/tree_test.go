package layers_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module = "github.com/paysvc/paysvc"
	root   = "../.."
)

// file is one Go file of the project.
type file struct {
	path    string // from the project's root, with slashes
	folder  string // "internal/store"
	lines   int
	imports []string
	test    bool
	tree    *ast.File
	set     *token.FileSet
}

// files parses every Go file that is not generated. Folders of other modules and of test data are left out.
func files(t *testing.T) []file {
	t.Helper()
	var all []file
	for _, top := range []string{"cmd", "internal", "migrations"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, entry fs.DirEntry, err error) error {
			if os.IsNotExist(err) && name == filepath.Join(root, top) {
				return nil
			}
			if err != nil {
				return err
			}
			if entry.IsDir() && entry.Name() == "testdata" {
				return filepath.SkipDir
			}
			if entry.IsDir() || !strings.HasSuffix(name, ".go") {
				return nil
			}
			f, err := parse(name)
			if err == nil && !ast.IsGenerated(f.tree) {
				all = append(all, f)
			}
			return err
		})
		require.NoError(t, err)
	}
	require.NotEmpty(t, all)
	return all
}

func parse(name string) (file, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return file{}, err
	}
	short, err := filepath.Rel(root, name)
	if err != nil {
		return file{}, err
	}
	f := file{
		path: filepath.ToSlash(short), set: token.NewFileSet(),
		test: strings.HasSuffix(name, "_test.go"), lines: bytes.Count(text, []byte("\n")),
	}
	f.folder = path.Dir(f.path)
	f.tree, err = parser.ParseFile(f.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return f, err
	}
	for _, spec := range f.tree.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return f, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}

// in says whether folder is one of the patterns: a folder, or one followed by /... for those below it.
func in(folder string, patterns ...string) bool {
	for _, p := range patterns {
		below, tree := strings.CutSuffix(p, "/...")
		if folder == below && !tree || tree && strings.HasPrefix(folder, below+"/") {
			return true
		}
	}
	return false
}

package mail

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	texttemplate "text/template"
)

// The default templates: one layout for all languages, which differ in their Words.
//
//go:embed templates/*
var defaults embed.FS

const (
	baseName         = "order-confirmation"
	templateBytesMax = 256 << 10
)

// kinds are the files of which a mail is made.
func kinds() []string { return []string{"subject", "txt", "html"} }

// fileName is order-confirmation.de-AT.html, or without a language for all that
// have words.
var fileName = regexp.MustCompile(`^order-confirmation(?:\.([a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8})*))?\.(subject|txt|html)$`)

// Templates write mails. They do not change and may be used by many at once.
type Templates struct{ sets map[string]*set }

// set are the templates of one language.
type set struct {
	words         Words
	subject, text *texttemplate.Template
	html          *htmltemplate.Template
}

// source is one template as it was read.
type source struct{ name, text string }

// LoadTemplates returns the default templates, with those of the folder in
// place of their like; "" is no folder. Every template is tried on a sample
// order, so one that is broken is an error here, which names its file, and not
// a mail that never leaves.
func LoadTemplates(folder string) (*Templates, error) {
	own, err := readFolder(folder)
	if err != nil {
		return nil, fmt.Errorf("mail templates: %w", err)
	}
	tags := make(map[string]bool)
	for _, language := range languages() {
		tags[language] = true
	}
	for key := range own {
		if tag, _, _ := strings.Cut(key, "."); tag != "" {
			tags[tag] = true
		}
	}
	t := &Templates{sets: make(map[string]*set)}
	var problems []error
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		s, err := load(tag, own)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		t.sets[tag] = s
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("mail templates: %w", err)
	}
	return t, nil
}

// readFolder reads the templates of a folder, by "tag.kind"; the tag is lower
// case, and "" for all languages.
func readFolder(folder string) (map[string]source, error) {
	own := make(map[string]source)
	if folder == "" {
		return own, nil
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), baseName) || file.IsDir() {
			continue // a picture, a note: none of ours
		}
		name := filepath.Join(folder, file.Name())
		parts := fileName.FindStringSubmatch(file.Name())
		if parts == nil {
			return nil, fmt.Errorf("%s: must be called like %s.de.html, .txt or .subject", name, baseName)
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if len(raw) > templateBytesMax {
			return nil, fmt.Errorf("%s: is longer than %d KiB", name, templateBytesMax>>10)
		}
		key := strings.ToLower(parts[1]) + "." + parts[2]
		if other, twice := own[key]; twice {
			return nil, fmt.Errorf("%s: is the same as %s", name, other.name)
		}
		own[key] = source{name: name, text: string(raw)}
	}
	return own, nil
}

// load makes the templates of one language.
func load(tag string, own map[string]source) (*set, error) {
	language, _, _ := strings.Cut(tag, "-")
	words, known := wordsOf(language)
	if !known {
		words, _ = wordsOf(fallback)
		words.Language = tag
	}
	s := &set{words: words}
	for _, kind := range kinds() {
		src, err := find(tag, kind, known, own)
		if err != nil {
			return nil, err
		}
		if kind == "html" {
			s.html, err = htmltemplate.New(src.name).Parse(src.text)
		} else if parsed, failed := texttemplate.New(src.name).Parse(src.text); kind == "txt" {
			s.text, err = parsed, failed
		} else {
			s.subject, err = parsed, failed
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", src.name, err)
		}
	}
	return s, s.try()
}

// find returns the template that a language uses: its own, that of the language
// without the region, that for all, the default. A language without words has
// to bring its own: a mail half in English helps nobody.
func find(tag, kind string, known bool, own map[string]source) (source, error) {
	for at := tag; at != ""; at = parent(at) {
		if src, ok := own[at+"."+kind]; ok {
			return src, nil
		}
	}
	if !known {
		return source{}, fmt.Errorf("%s.%s.%s is missing: this language has no default", baseName, tag, kind)
	}
	if src, ok := own["."+kind]; ok {
		return src, nil
	}
	name := baseName + "." + kind
	raw, err := fs.ReadFile(defaults, "templates/"+name)
	return source{name: name, text: string(raw)}, err
}

// parent drops the last part of a tag: de-at, de, "".
func parent(tag string) string {
	return tag[:max(strings.LastIndexByte(tag, '-'), 0)]
}

// pick returns the templates for a locale such as de-AT or de_AT.UTF-8.
func (t *Templates) pick(locale string) *set {
	tag, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), ".")
	for ; tag != ""; tag = parent(tag) {
		if s, ok := t.sets[tag]; ok {
			return s
		}
	}
	return t.sets[fallback]
}

// try writes the mail of two sample orders: one that has everything, and one
// that has only what an order must have.
func (s *set) try() error {
	for _, sample := range samples() {
		c := confirmation(sample, sample.Store, s.words)
		if _, _, _, err := s.render(c); err != nil {
			// The cause may hold values of the order, so render leaves it out; these are ours.
			return errors.Join(err, errors.Unwrap(err))
		}
	}
	return nil
}

package api

import "github.com/danielgtaylor/huma/v2"

// Views that answers hold as null where there is nothing to show. huma documents
// that for scalars by itself, and for objects only on request.

// TransformSchema serves huma.
func (nextActionView) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s)
}

// TransformSchema serves huma.
func (reviewView) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return nullable(s) }

// TransformSchema serves huma.
func (reasonView) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return nullable(s) }

// TransformSchema serves huma.
func (releaseView) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return nullable(s) }

// TransformSchema serves huma.
func (whyNotView) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return nullable(s) }

func nullable(s *huma.Schema) *huma.Schema {
	s.Nullable = true
	return s
}

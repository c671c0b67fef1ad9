package httpkit

import (
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// extensionErrorCode is the OpenAPI extension by which a schema names the code
// of a wrong value: it documents the code and makes the kit answer it.
const extensionErrorCode = "x-error-code"

// fieldErrorOf rewrites one of huma's errors. It never looks at the value. The
// second result is true if the body was not JSON that we take.
func fieldErrorOf(ctx huma.Context, detail *huma.ErrorDetail) (FieldError, bool) {
	location := detail.Location
	if refused, ok := parseRefusal(detail.Message); ok && location == "body" {
		switch refused.code {
		case fieldUnknown, fieldType, fieldControl:
			location = strings.TrimSuffix("body."+refused.field, ".")
			return fieldError(ctx, location, refused.code, messageOf(refused.code)), false
		default:
			return FieldError{Field: refused.field, Code: refused.code, Message: messageOf(refused.code)}, true
		}
	}
	if name, ok := missingName(detail.Message); ok {
		return fieldError(ctx, location+"."+name, fieldRequired, messageOf(fieldRequired)), false
	}
	code, message := classify(detail.Message)
	return fieldError(ctx, location, code, message), false
}

// fieldError builds the error of a location of huma's, with the code that the
// schema at that location asks for, if the value is what is wrong.
func fieldError(ctx huma.Context, location, code, message string) FieldError {
	switch code {
	case fieldRequired, fieldUnknown, fieldUnknownParam:
	default:
		if own := declaredCode(ctx, location); own != "" {
			code = own
		}
	}
	field := strings.TrimPrefix(location, "body.")
	if field == "body" {
		field = ""
	}
	return FieldError{Field: field, Code: code, Message: message}
}

// missingName takes the member's name out of huma's message for a missing one:
// the location that huma gives is the parent's.
func missingName(message string) (string, bool) {
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	name, ok := strings.CutPrefix(message, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(name, after)
}

// classify gives a code for a message of huma's, and the message without what
// stands behind a colon: there huma quotes errors of parsers, which quote the
// value. What stands before it comes from our schemas only.
func classify(message string) (code, safe string) {
	safe, _, _ = strings.Cut(message, ": ")
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(safe, part) {
				return true
			}
		}
		return false
	}
	switch {
	case safe == validation.MsgUnexpectedProperty:
		return fieldUnknown, unknownFieldAnswer
	case safe == "unknown query parameter":
		return fieldUnknownParam, "this parameter is not known here"
	case has("parameter is missing", "to be present"):
		return fieldRequired, safe
	case has("one of"):
		return fieldEnum, safe
	case has("match pattern", "string to be a", "string to be an"):
		return fieldPattern, safe
	case has("string to be"):
		return fieldFormat, safe
	case has("length", "properties", "unique"):
		return fieldLength, safe
	case has(">", "<", "multiple of"):
		return fieldRange, safe
	case has("expected string", "expected boolean", "expected number", "expected integer",
		"expected array", "expected object", "invalid integer", "invalid boolean", "invalid float"):
		return fieldType, safe
	case has("invalid value", "invalid date"):
		return fieldFormat, messageOf(fieldFormat)
	default:
		return fieldInvalid, messageOf(fieldInvalid)
	}
}

func messageOf(code string) string {
	switch code {
	case fieldRequired:
		return "is required"
	case fieldUnknown:
		return unknownFieldAnswer
	case fieldType:
		return "has the wrong type, or is out of range"
	case fieldDuplicate:
		return "is given twice"
	case fieldInvalidUTF8:
		return "is not valid UTF-8"
	case fieldTrailing:
		return "something follows the JSON value"
	case fieldTooDeep:
		return "is nested too deep"
	case fieldNUL:
		return "holds a NUL character"
	case fieldControl:
		return "holds a control character, or one that changes the direction of text"
	case fieldSyntax:
		return "is not JSON"
	default:
		return "is not valid"
	}
}

// declaredCode is the x-error-code of the schema at a location, or "".
func declaredCode(ctx huma.Context, location string) string {
	if ctx == nil {
		return ""
	}
	s := scopeOf(ctx.Context())
	if s == nil {
		return ""
	}
	schema := schemaAt(s.kit.API.OpenAPI().Components.Schemas, ctx.Operation(), location)
	if schema == nil {
		return ""
	}
	code, _ := schema.Extensions[extensionErrorCode].(string)
	return code
}

// schemaAt follows a location such as body.lines[0].total or query.limit. A
// name with a dot in it leads nowhere, which costs the special code only.
func schemaAt(registry huma.Registry, op *huma.Operation, location string) *huma.Schema {
	root, rest, _ := strings.Cut(location, ".")
	if root != "body" {
		for _, param := range op.Parameters {
			if param.In == root && param.Name == rest {
				return param.Schema
			}
		}
		return nil
	}
	if op.RequestBody == nil || op.RequestBody.Content[contentJSON] == nil {
		return nil
	}
	schema := resolve(registry, op.RequestBody.Content[contentJSON].Schema)
	for rest != "" && schema != nil {
		var name string
		name, rest, _ = strings.Cut(rest, ".")
		name, indexes, indexed := strings.Cut(name, "[")
		schema = member(registry, schema, name)
		for range strings.Count(indexes, "[") + boolCount(indexed) {
			if schema == nil {
				return nil
			}
			schema = resolve(registry, schema.Items)
		}
	}
	return schema
}

func boolCount(b bool) int {
	if b {
		return 1
	}
	return 0
}

func member(registry huma.Registry, schema *huma.Schema, name string) *huma.Schema {
	if own, ok := schema.Properties[name]; ok {
		return resolve(registry, own)
	}
	more, _ := schema.AdditionalProperties.(*huma.Schema)
	return resolve(registry, more)
}

func resolve(registry huma.Registry, schema *huma.Schema) *huma.Schema {
	for schema != nil && schema.Ref != "" {
		schema = registry.SchemaFromRef(schema.Ref)
	}
	return schema
}

// safeField makes a field's path fit to be answered: the names of members are
// the caller's, so they are cut, cleaned, and rid of card numbers.
func safeField(field string) string {
	if len(field) > fieldNameMaxBytes {
		field = field[:fieldNameMaxBytes]
		for !utf8.ValidString(field) && field != "" {
			field = field[:len(field)-1]
		}
		field += "…"
	}
	field = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return '?'
		}
		return r
	}, field)
	return RedactCardNumbers(field)
}

package httpkit

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// depthMax bounds how deep a body may be nested.
const depthMax = 32

// scanBody refuses a body that holds a card number or a NUL in any string,
// number or name, or that is nested too deep. A body that is not JSON passes:
// decoding refuses it.
//
// Almost no body is suspicious, so one pass over the bytes answers for most;
// only what might be refused is read token by token, to know for certain and
// to name the field.
func scanBody(body []byte, exempt []string) *Problem {
	if !suspicious(body) {
		return nil
	}
	return inspect(body, exempt)
}

// suspicious is true for every body that inspect would refuse, and for some
// others. It allocates nothing and reads each byte once.
func suspicious(body []byte) bool {
	depth, digits, inString := 0, 0, false
	for i := 0; i < len(body); i++ {
		c := body[i]
		if isDigit(c) {
			if digits++; digits >= cardDigitsMin {
				return true
			}
			continue
		}
		switch {
		case c == '"':
			inString, digits = !inString, 0
		case inString && c == '\\':
			if escapesASCII(body[i+1:]) {
				return true
			}
			i++ // what is escaped neither ends the string nor is a digit
			digits = 0
		case inString:
			if c != ' ' && c != '-' {
				digits = 0
			}
		case c == '{' || c == '[':
			if depth++; depth > depthMax {
				return true
			}
			digits = 0
		default:
			if c == '}' || c == ']' {
				depth--
			}
			digits = 0
		}
	}
	return false
}

// escapesASCII is true if a \u escape follows that may stand for NUL, a digit,
// a space or a dash. Nobody needs those escaped but to hide them.
func escapesASCII(rest []byte) bool {
	return len(rest) >= 5 && rest[0] == 'u' && rest[1] == '0' && rest[2] == '0' &&
		(rest[3] == '0' || rest[3] == '2' || rest[3] == '3')
}

// inspect reads the body token by token.
func inspect(body []byte, exempt []string) *Problem {
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.ReadToken()
		if err != nil {
			return nil // the end, or not JSON
		}
		switch token.Kind() {
		case '{', '[':
			if decoder.StackDepth() > depthMax {
				return refuseBody(http.StatusBadRequest, CodeMalformedJSON, fieldTooDeep, currentField(decoder))
			}
		case '"', '0':
			text := token.String()
			if strings.IndexByte(text, 0) >= 0 {
				return refuseBody(http.StatusUnprocessableEntity, CodeValidationFailed, fieldNUL, currentField(decoder))
			}
			if ContainsCardNumber(text) && !isExempt(currentField(decoder), exempt) {
				return NewFieldProblem(http.StatusUnprocessableEntity, CodeCardDataRefused, currentField(decoder), "")
			}
		}
	}
}

func refuseBody(status int, code, fieldCode, field string) *Problem {
	return NewProblem(status, code, "", FieldError{Field: field, Code: fieldCode, Message: messageOf(fieldCode)})
}

// currentField is the path of the token read last. The decoder's pointer gives
// the names and its stack tells members from elements.
func currentField(decoder *jsontext.Decoder) string {
	var path []byte
	level := 1
	for token := range decoder.StackPointer().Tokens() {
		if kind, length := decoder.StackIndex(level); kind == '[' {
			path = append(append(append(path, '['), strconv.FormatInt(length-1, 10)...), ']')
		} else {
			path = appendName(path, token)
		}
		level++
	}
	return string(path)
}

// isExempt compares with every index taken out.
func isExempt(field string, exempt []string) bool {
	if len(exempt) == 0 {
		return false
	}
	var plain []byte
	for i := 0; i < len(field); i++ {
		plain = append(plain, field[i])
		if field[i] != '[' {
			continue
		}
		for i+1 < len(field) && isDigit(field[i+1]) {
			i++
		}
	}
	return slices.Contains(exempt, string(plain))
}

package store

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/paysvc/paysvc/internal/payment"
)

const (
	// pageDefault and pageMax bound a page of a list.
	pageDefault = 50
	pageMax     = 200
	// batchMax bounds what one call may load or lease.
	batchMax = 1000
)

// errCursor is what a caller hears whose cursor no list handed out.
var errCursor = payment.Invalid("cursor", "cursor_invalid", "is not a cursor that this list gave")

// pageLimit returns how many rows a page holds.
func pageLimit(p payment.Page) int {
	if p.Limit <= 0 {
		return pageDefault
	}
	return min(p.Limit, pageMax)
}

// bounded returns the limit of lists that are no pages.
func bounded(limit int) int { return max(1, min(limit, batchMax)) }

// paged cuts rows, read with one more than the page holds, to the page, and
// returns the cursor of its last row when there is more.
func paged[T any](rows []T, limit int, cursor func(T) string) ([]T, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], cursor(rows[limit-1])
}

// textCursor makes a cursor of a key that callers chose.
func textCursor(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

func parseTextCursor(cursor string) (string, error) {
	key, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", errCursor
	}
	return string(key), nil
}

// where gathers the conditions of a list. A condition is a constant text with a
// ? for each argument; nothing of a request ever becomes part of a statement.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	for _, arg := range args {
		condition = strings.Replace(condition, "?", w.bind(arg), 1)
	}
	w.conditions = append(w.conditions, condition)
}

// bind gives an argument a name, for texts that use it more than once.
func (w *where) bind(arg any) string {
	w.args = append(w.args, arg)
	return "$" + strconv.Itoa(len(w.args))
}

// equal adds a condition unless the value is empty.
func (w *where) equal(condition, value string) {
	if value != "" {
		w.add(condition, value)
	}
}

// with returns a copy that has one more condition.
func (w *where) with(condition string, args ...any) *where {
	more := &where{conditions: slices.Clone(w.conditions), args: slices.Clone(w.args)}
	more.add(condition, args...)
	return more
}

func (w *where) String() string { return strings.Join(w.conditions, " and ") }

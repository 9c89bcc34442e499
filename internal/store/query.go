package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"dec.local/dec/internal/experiment"
)

// pages of lists have this many items, unless asked otherwise, and at most so
// many.
const (
	defaultPage = 50
	maxPage     = 200
)

// pageSize returns how many items a page gets.
func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}

// cursor returns what names a position in a list; kind keeps the cursors of
// different lists apart.
func cursor(kind string, position int64) string { return kind + strconv.FormatInt(position, 36) }

// position returns the position that a cursor names, or [experiment.ErrCursor].
func position(kind, cursor string) (int64, error) {
	text, ok := strings.CutPrefix(cursor, kind)
	n, err := strconv.ParseInt(text, 36, 64)
	if !ok || err != nil || n < 0 || text != strconv.FormatInt(n, 36) {
		return 0, fmt.Errorf("%.40q: %w", cursor, experiment.ErrCursor)
	}
	return n, nil
}

// conditions are joined by AND; each has its arguments as question marks.
type conditions struct {
	terms []string
	args  []any
}

// add adds a condition; it must have one question mark for each argument.
func (c *conditions) add(term string, args ...any) {
	for _, arg := range args {
		c.args = append(c.args, arg)
		term = strings.Replace(term, "?", "$"+strconv.Itoa(len(c.args)), 1)
	}
	c.terms = append(c.terms, term)
}

// where returns the conditions as a clause, "" when there are none.
func (c *conditions) where() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}

// list returns "$from, …" for n arguments.
func list(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(from+i))
	}
	return b.String()
}

// values returns "($1, …), …" for rows of a number of arguments.
func values(rows, columns int) string {
	all := make([]string, rows)
	for i := range all {
		all[i] = "(" + list(1+i*columns, columns) + ")"
	}
	return strings.Join(all, ", ")
}

// arguments returns a list as arguments of a query.
func arguments[T any](list []T) []any {
	args := make([]any, len(list))
	for i, one := range list {
		args[i] = one
	}
	return args
}

// clean makes text of foreign origin fit for every database: valid UTF-8 and
// without the character 0.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// notInRepertoire is Postgres's code for text that it cannot hold: there is no
// row with such a text.
const notInRepertoire = "22021"

// isInvalidText reports whether err says that an argument is no text that the database
// could hold.
func isInvalidText(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == notInRepertoire
}

// missing turns the absence of a row into [experiment.ErrNotFound].
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) || isInvalidText(err) {
		return experiment.ErrNotFound
	}
	return err
}

// collect reads all rows with scan and closes them.
func collect[T any](rows *sql.Rows, err error, scan func(row) (T, error)) ([]T, error) {
	if isInvalidText(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// row is the current row of a query.
type row interface{ Scan(...any) error }

// scanOne reads rows of one column.
func scanOne[T any](r row) (T, error) {
	var one T
	err := r.Scan(&one)
	return one, err
}

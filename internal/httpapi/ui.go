package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"dec.local/dec/internal/guard"
)

const (
	indexFile = "index.html"
	// nonceSlot stands in the page where the nonce of an answer goes.
	nonceSlot = "{{nonce}}"
	// assets have their hash in their names, so they never change.
	assets = "assets/"
)

// newPage returns a handler of the built page, at every path that is none of the
// API; of a line of text where page is nil.
func newPage(page fs.FS) (http.HandlerFunc, error) {
	if page == nil {
		return func(w http.ResponseWriter, _ *http.Request) {
			say(w, http.StatusOK, "DEC is running. This build has no web page; the API is at /api/v1, its OpenAPI document at /api/openapi.json.")
		}, nil
	}
	index, err := fs.ReadFile(page, indexFile)
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	if !bytes.Contains(index, []byte(nonceSlot)) {
		return nil, errors.New("the page has no placeholder for the nonce of its styles: rebuild it with 'make setup'")
	}
	files, err := readPage(page)
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if file, ok := files[name]; ok {
			file.ServeHTTP(w, r)
			return
		}
		if strings.HasPrefix(name, assets) {
			say(w, http.StatusNotFound, "No such file; reload the page.")
			return
		}
		writeIndex(w, r, index)
	}, nil
}

// writeIndex writes the page with the nonce of this answer, which is why it must
// not be stored.
func writeIndex(w http.ResponseWriter, r *http.Request, index []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(bytes.ReplaceAll(index, []byte(nonceSlot), []byte(guard.Nonce(r.Context())))) // the caller may have gone
}

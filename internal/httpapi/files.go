package httpapi

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// pageFile is a file of the page, ready to be sent.
type pageFile struct {
	mediaType string
	cache     string // how long it may be kept
	tag       string // of its content, without quotes
	plain     []byte
	packed    []byte // by gzip; nil where that saves too little
}

// readPage reads the files of the page but its index, by name.
func readPage(page fs.FS) (map[string]pageFile, error) {
	files := map[string]pageFile{}
	err := fs.WalkDir(page, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || name == indexFile {
			return err
		}
		content, err := fs.ReadFile(page, name)
		if err != nil {
			return err
		}
		files[name], err = newPageFile(name, content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	return files, nil
}

func newPageFile(name string, content []byte) (pageFile, error) {
	sum := sha256.Sum256(content)
	f := pageFile{
		mediaType: cmp.Or(mime.TypeByExtension(path.Ext(name)), http.DetectContentType(content)),
		cache:     "no-cache", // it may be kept, and is asked for again by its tag
		tag:       base64.RawURLEncoding.EncodeToString(sum[:]),
		plain:     content,
	}
	if strings.HasPrefix(name, assets) {
		f.cache = "public, max-age=31536000, immutable"
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(content); err != nil {
		return f, fmt.Errorf("compress %s: %w", name, err)
	}
	if err := w.Close(); err != nil {
		return f, fmt.Errorf("compress %s: %w", name, err)
	}
	if packed.Len() < len(content)*9/10 {
		f.packed = packed.Bytes()
	}
	return f, nil
}

// ServeHTTP sends the file, compressed if the client takes that.
func (f pageFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Cache-Control", f.cache)
	content, tag := f.plain, f.tag
	if f.packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if takesGzip(r.Header) {
			h.Set("Content-Encoding", "gzip")
			content, tag = f.packed, tag+"-gzip"
		}
	}
	h.Set("ETag", strconv.Quote(tag))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// takesGzip reports whether a client takes answers compressed by gzip: it names
// it, or else any coding, and not with the weight zero.
func takesGzip(h http.Header) bool {
	others := false
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, parameter, weighted := strings.Cut(part, ";")
		takes := true
		if weighted {
			_, weight, _ := strings.Cut(parameter, "=")
			q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
			takes = err == nil && q > 0
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return takes
		case "*":
			others = takes
		}
	}
	return others
}

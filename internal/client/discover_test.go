package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/client"
)

func TestDiscoverFindsOnlyTheServerOfTheFolder(t *testing.T) {
	data := t.TempDir()
	ours := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer of-the-folder" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"install": %q}`, data)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	tests := map[string]struct {
		handler http.HandlerFunc
		url     string // instead of a handler
		file    string // instead of a right one
		want    bool
	}{
		"the folder's server":           {handler: ours, want: true},
		"a server of another folder":    {handler: answer(401, "application/json", `{}`)},
		"with a token of the same":      {handler: answer(200, "application/json", `{"install": "/elsewhere"}`)},
		"another program":               {handler: answer(200, "text/html", `<html>`)},
		"killed":                        {url: gone.URL},
		"killed while the file was cut": {file: `{"url": "htt`},
		"an address that is none":       {file: `{"url": "x"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.handler != nil {
				server := httptest.NewServer(tt.handler)
				defer server.Close()
				tt.url = server.URL
			}
			if tt.file == "" {
				content, err := json.Marshal(api.ServerFile{URL: tt.url, PID: ended(t)})
				if err != nil {
					t.Fatal(err)
				}
				tt.file = string(content)
			}
			write(t, filepath.Join(data, client.ServerFile), tt.file)
			write(t, filepath.Join(data, client.TokenFile), "of-the-folder\n")
			c, found, err := client.Discover(t.Context(), data, client.Options{})
			if err != nil || found != tt.want || found && c.URL() != tt.url {
				t.Errorf("Discover = %v, %t, %v, want %t", c, found, err, tt.want)
			}
		})
	}
}

// TestDiscoverTellsOfAWrongToken lets the process live that wrote the file.
func TestDiscoverTellsOfAWrongToken(t *testing.T) {
	data := t.TempDir()
	server := httptest.NewServer(answer(401, "application/json", `{"detail": "The token is not valid."}`))
	defer server.Close()
	content, err := json.Marshal(api.ServerFile{URL: server.URL, PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, client.ServerFile), string(content))
	_, found, err := client.Discover(t.Context(), data, client.Options{Token: "wrong"})
	if found || err == nil || !strings.Contains(err.Error(), server.URL) || !strings.Contains(err.Error(), "The token is not valid; pass") {
		t.Errorf("Discover with a wrong token = %t, %v, want an error that says what to do", found, err)
	}
}

// ended returns the id of a process that is no more.
func ended(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func TestDiscoverWithoutAFile(t *testing.T) {
	if _, found, err := client.Discover(t.Context(), t.TempDir(), client.Options{}); found || err != nil {
		t.Errorf("Discover in an empty folder = %t, %v, want nothing", found, err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

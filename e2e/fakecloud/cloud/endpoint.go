package cloud

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Endpoint is where a cloud answers, and its two keys. It is a file in the
// cloud's folder.
type Endpoint struct {
	URL     string `json:"url"`
	Account string `json:"account"` // for everything that has to do with objects
	Admin   string `json:"admin"`   // for faults, which it never meets itself
}

// EndpointPath is the file of the [Endpoint] in the folder of a cloud.
func EndpointPath(folder string) string { return filepath.Join(folder, "cloud.json") }

// ReadEndpoint reads where the cloud of a folder answers.
func ReadEndpoint(folder string) (Endpoint, error) {
	var e Endpoint
	data, err := os.ReadFile(EndpointPath(folder))
	if err == nil {
		err = json.Unmarshal(data, &e)
	}
	if err != nil {
		return e, fmt.Errorf("find the cloud of %s: %w", folder, err)
	}
	return e, nil
}

// Client returns a client with the account's key.
func (e Endpoint) Client() *Client { return New(e.URL, e.Account) }

// AdminClient returns a client with the administrator's key.
func (e Endpoint) AdminClient() *Client { return New(e.URL, e.Admin) }

package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// accountName is the account's key in the log.
const accountName = "account"

// claim is what the key of a session says. The account's key signs it, so the
// cloud keeps no list of sessions.
type claim struct {
	Name   string    `json:"name"`
	Issued time.Time `json:"issued"`
}

// bearer is the key of a request.
func bearer(r *http.Request) string {
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return key
}

// authenticate notes whose key a call has, and returns when it was issued if it is
// that of a session.
func (s *simulator) authenticate(c *call) (issued time.Time, err error) {
	key := bearer(c.request)
	if key == s.endpoint.Account {
		c.entry.Key = accountName
		return time.Time{}, nil
	}
	text, signature, _ := strings.Cut(key, ".")
	var told claim
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !hmac.Equal([]byte(signature), []byte(s.sign(text))) || json.Unmarshal(data, &told) != nil {
		return time.Time{}, refuse(cloud.CodeDenied, "the key is not one of this account")
	}
	c.entry.Key = told.Name
	return told.Issued, nil
}

// sign is the account's signature.
func (s *simulator) sign(text string) string {
	mac := hmac.New(sha256.New, []byte(s.endpoint.Account))
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// session issues a key to the account.
func (s *simulator) session(c *call) (int, any, error) {
	if c.entry.Key != accountName {
		return 0, nil, refuse(cloud.CodeDenied, "a session opens no other one")
	}
	var wanted cloud.Session
	if err := decode(c.request, &wanted); err != nil {
		return 0, nil, err
	}
	data, err := json.Marshal(claim{Name: wanted.Name, Issued: time.Now()})
	if err != nil {
		return 0, nil, err
	}
	text := base64.RawURLEncoding.EncodeToString(data)
	return http.StatusCreated, cloud.Credential{Key: text + "." + s.sign(text)}, nil
}

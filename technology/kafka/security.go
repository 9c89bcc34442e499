package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"dec.local/dec/technology"
)

// user is the name that goes with the password.
const user = "dec"

// identity is how the brokers prove who they are.
type identity struct {
	CA         string `json:"ca"`          // certificate in PEM of who signed theirs
	ServerName string `json:"server_name"` // that theirs is made out to, whatever their addresses
}

// security returns the client's options for encryption and authentication.
func (e endpoints) security(secrets map[string]json.RawMessage) ([]kgo.Opt, error) {
	var options []kgo.Opt
	if e.TLS != nil {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(e.TLS.CA)) {
			return nil, errors.New("read the endpoints: tls.ca contains no PEM certificate")
		}
		options = append(options, kgo.DialTLSConfig(&tls.Config{RootCAs: roots, ServerName: e.TLS.ServerName, MinVersion: tls.VersionTLS12}))
	}
	password, err := readPassword(secrets)
	if err != nil {
		return nil, err
	}
	if password != "" {
		options = append(options, kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha512Mechanism()))
	}
	return options, nil
}

// readPassword returns the stack's secret option password, "" if none was given.
func readPassword(secrets map[string]json.RawMessage) (string, error) {
	raw, given := secrets["password"]
	if !given {
		return "", nil
	}
	var password string
	if json.Unmarshal(raw, &password) != nil { // the error itself may repeat it
		return "", errors.New("the secret option password is not text")
	}
	return password, nil
}

// refused makes final what the brokers, or this client, will refuse again.
func refused(err error) error {
	if errors.Is(err, kerr.SaslAuthenticationFailed) {
		return technology.Final(fmt.Errorf("the brokers refuse the stack's option password: %w", err))
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return technology.Final(fmt.Errorf("a broker's certificate is not that of the run; another service may be listening at its address: %w", err))
	}
	return err
}

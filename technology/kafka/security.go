package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

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

// security is how clients encrypt and authenticate.
type security struct {
	tls     *tls.Config // nil without encryption
	options []kgo.Opt
}

// dialTimeout is that of franz-go's own dialer.
const dialTimeout = 10 * time.Second

// dialer returns how clients connect. Unless it is nil, watch sees what goes through the
// connections, before it is encrypted.
func (s security) dialer(watch func(net.Conn) net.Conn) func(context.Context, string, string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: dialTimeout}
	dial := plain.DialContext
	if s.tls != nil {
		dial = (&tls.Dialer{NetDialer: plain, Config: s.tls}).DialContext
	}
	if watch == nil {
		return dial
	}
	return func(ctx context.Context, network, host string) (net.Conn, error) {
		conn, err := dial(ctx, network, host)
		if err != nil {
			return nil, err
		}
		return watch(conn), nil
	}
}

// clientSecurity returns how clients encrypt and authenticate.
func (e endpoints) clientSecurity(secrets map[string]json.RawMessage) (security, error) {
	var s security
	if e.TLS != nil {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(e.TLS.CA)) {
			return s, errors.New("read the endpoints: tls.ca contains no PEM certificate")
		}
		s.tls = &tls.Config{RootCAs: roots, ServerName: e.TLS.ServerName, MinVersion: tls.VersionTLS12}
	}
	password, err := readPassword(secrets)
	if err != nil {
		return s, err
	}
	if password != "" {
		s.options = append(s.options, kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha512Mechanism()))
	}
	return s, nil
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

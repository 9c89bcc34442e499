// Package identity makes the certificates with which the services of a run prove
// who they are. Each lives as long as its run and is written nowhere by DEC.
package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Authority is what clients need to trust the services of a run.
type Authority struct {
	Certificate string `json:"certificate"` // PEM; of the authority, which exists for one run and whose key is thrown away
	Name        string `json:"name"`        // that the services' certificate is made out to, whatever their addresses
}

// Identity is what the services of a run prove themselves with.
type Identity struct {
	Certificate string `json:"certificate"` // PEM
	Key         string `json:"key"`         // PEM, PKCS #8
}

// New makes a certificate with that name and an authority that signs it,
// and nothing else ever. Both are good for as long as the run may live, and an
// hour more, for clocks that disagree.
func New(name string, expires time.Time) (Authority, Identity, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Authority{}, Identity{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Authority{}, Identity{}, err
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "DEC, run " + name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: expires.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		DNSNames: []string{name, "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature,
		// Brokers are clients of each other.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &caKey.PublicKey, caKey)
	if err != nil {
		return Authority{}, Identity{}, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, &key.PublicKey, caKey)
	if err != nil {
		return Authority{}, Identity{}, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Authority{}, Identity{}, err
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return Authority{Certificate: encode("CERTIFICATE", rootDER), Name: name},
		Identity{Certificate: encode("CERTIFICATE", leafDER), Key: encode("PRIVATE KEY", keyDER)}, nil
}

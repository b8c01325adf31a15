package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync/atomic"
)

// maxPEM is the size of a PEM file at most, in bytes.
const maxPEM = 4 << 20

// certificates is what TLS works with, read from files that may change while the process runs: connections that are made
// later see the new ones.
type certificates struct {
	cert, key, clientCA string
	now                 atomic.Pointer[tls.Config]
}

// load reads the files, and keeps what it had when one of them is not good.
func (c *certificates) load() error {
	certPEM, err := readSmall(c.cert, maxPEM)
	if err != nil {
		return fmt.Errorf("tls-cert: %w", err)
	}
	keyPEM, err := readSmall(c.key, maxPEM)
	if err != nil {
		return fmt.Errorf("tls-key: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", c.cert, c.key, err)
	}
	fresh := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		NextProtos:   []string{"h2", "http/1.1"},
	}
	if c.clientCA != "" {
		if fresh.ClientCAs, err = readPool(c.clientCA); err != nil {
			return err
		}
		fresh.ClientAuth = tls.RequireAndVerifyClientCert
		fresh.SessionTicketsDisabled = true // a resumed session would outlive the authority that it was checked against
	}
	c.now.Store(fresh)
	return nil
}

func readPool(path string) (*x509.CertPool, error) {
	text, err := readSmall(path, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("tls-client-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("tls-client-ca: %s has no certificate", path)
	}
	return pool, nil
}

// config asks for the files' present content at each handshake.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		SessionTicketsDisabled: c.clientCA != "",
		GetConfigForClient:     func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load(), nil },
	}
}

func (c *certificates) files() []string {
	files := []string{c.cert, c.key}
	if c.clientCA != "" {
		files = append(files, c.clientCA)
	}
	return files
}

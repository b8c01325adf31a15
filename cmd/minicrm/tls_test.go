package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert, a.key, a.pem, _ = a.sign(template)
	return a
}

// sign makes a certificate, by itself when there is no authority yet.
func (a *authority) sign(template *x509.Certificate) (cert *x509.Certificate, key *ecdsa.PrivateKey, certPEM, keyPEM []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(a.t, err)
	parent, parentKey := a.cert, a.key
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	check(a.t, err)
	cert, err = x509.ParseCertificate(der)
	check(a.t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	check(a.t, err)
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return cert, key, certPEM, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// leaf makes a certificate with a serial number, for a server on loopback or for a client.
func (a *authority) leaf(serial int64, use x509.ExtKeyUsage) (certPEM, keyPEM []byte) {
	_, _, certPEM, keyPEM = a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "leaf"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{use},
	})
	return certPEM, keyPEM
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// tlsFiles are the files of a server's options.
type tlsFiles struct{ cert, key, ca string }

func newTLSFiles(t *testing.T, a *authority) tlsFiles {
	dir := t.TempDir()
	f := tlsFiles{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem")}
	check(t, os.WriteFile(f.ca, a.pem, 0o600))
	f.write(t, a, 2)
	return f
}

func (f tlsFiles) write(t *testing.T, a *authority, serial int64) {
	cert, key := a.leaf(serial, x509.ExtKeyUsageServerAuth)
	check(t, os.WriteFile(f.cert, cert, 0o600))
	check(t, os.WriteFile(f.key, key, 0o600))
}

// over is the server as a client with this configuration sees it, on a connection of its own.
func (s *server) over(c *tls.Config) *server {
	other := *s
	other.base = strings.Replace(s.base, "http:", "https:", 1)
	other.client = &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
	return &other
}

// seen makes a call and says what it saw of the server.
func (s *server) seen(t *testing.T) (serial int64, protocol string, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/healthz", http.NoBody)
	check(t, err)
	got, err := s.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	_ = got.Body.Close()
	return got.TLS.PeerCertificates[0].SerialNumber.Int64(), got.Proto, nil
}

// Catches: TLS that is too old, no HTTP/2, plain HTTP beside it; a renewed certificate that is not used, a damaged one that
// is.
func TestTLS(t *testing.T) {
	ca := newAuthority(t)
	files := newTLSFiles(t, ca)
	s := startServer(t, t.TempDir(), "", "--tls-cert="+files.cert, "--tls-key="+files.key)
	good := s.over(&tls.Config{RootCAs: ca.pool()})
	if serial, protocol, err := good.seen(t); serial != 2 || protocol != "HTTP/2.0" || err != nil {
		t.Errorf("certificate %d, %s, %v", serial, protocol, err)
	}
	good.furnish(1, 5, []int{1})
	if _, protocol, err := s.over(&tls.Config{RootCAs: ca.pool(), MaxVersion: tls.VersionTLS12}).seen(t); protocol != "HTTP/2.0" || err != nil {
		t.Errorf("TLS 1.2: %s, %v", protocol, err)
	}
	if _, _, err := s.over(&tls.Config{RootCAs: ca.pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).seen(t); err == nil {
		t.Error("TLS 1.1 is taken")
	}
	if status, err := s.call("GET", "/healthz", "", nil); err == nil && status == 200 {
		t.Error("plain HTTP is answered")
	}
	files.write(t, ca, 3)
	await(t, "the new certificate", func() bool {
		serial, _, err := good.seen(t)
		return serial == 3 && err == nil
	})
	check(t, os.WriteFile(files.cert, []byte("garbage"), 0o600))
	await(t, "a word about the garbage", func() bool { return strings.Contains(s.stderr.String(), "stays in use") })
	if serial, _, err := good.seen(t); serial != 3 || err != nil {
		t.Errorf("certificate %d, %v", serial, err)
	}
	if got := good.reloadMetric("certificates"); got != "0" {
		t.Errorf("the metric is %q", got)
	}
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// Catches: clients without a certificate, or with a stranger's, that come in; one that comes in by resuming a session when
// its authority was taken away.
func TestClientCertificates(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	files := newTLSFiles(t, ca)
	s := startServer(t, t.TempDir(), "", "--tls-cert="+files.cert, "--tls-key="+files.key, "--tls-client-ca="+files.ca)
	client := func(a *authority) *server {
		cert, key := a.leaf(9, x509.ExtKeyUsageClientAuth)
		pair, err := tls.X509KeyPair(cert, key)
		check(t, err)
		return s.over(&tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{pair}, ClientSessionCache: tls.NewLRUClientSessionCache(8)})
	}
	own, other := client(ca), client(stranger)
	if _, _, err := own.seen(t); err != nil {
		t.Error(err)
	}
	if _, _, err := other.seen(t); err == nil {
		t.Error("a stranger's certificate is taken")
	}
	if _, _, err := s.over(&tls.Config{RootCAs: ca.pool()}).seen(t); err == nil {
		t.Error("no certificate is taken")
	}
	check(t, os.WriteFile(files.ca, stranger.pem, 0o600))
	await(t, "the other authority", func() bool {
		_, _, err := other.seen(t)
		return err == nil
	})
	if _, _, err := own.seen(t); err == nil {
		t.Error("a client of the authority that was taken away comes in")
	}
}

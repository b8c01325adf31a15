package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

type healthcheckCmd struct {
	Server     string        `placeholder:"http://127.0.0.1:8080" help:"The server to ask. Without it, the one that serve is with the same environment variables and the same configuration file."`
	ConfigFile string        `name:"config" placeholder:"FILE" help:"serve's configuration file."`
	Timeout    time.Duration `default:"3s" env:"-" help:"How long the answer may take."`
}

// Help is the long part of --help.
func (*healthcheckCmd) Help() string {
	return `Asks /readyz, on the admin listener if there is one, and prints the answer. It is for containers that have no other program
to ask with, and needs no key.

Exit status: 0 when the server is ready, otherwise 1.`
}

// Run asks once.
func (c *healthcheckCmd) Run() error {
	server := c.Server
	if server == "" {
		serve, err := c.serveConfig()
		if err != nil {
			return err
		}
		if server, err = serve.probeURL(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	return askReady(ctx, server)
}

// serveConfig is what serve would take from the environment and the configuration file.
func (c *healthcheckCmd) serveConfig() (*Config, error) {
	args := []string{"serve"}
	if c.ConfigFile != "" {
		args = append(args, "--config="+c.ConfigFile)
	}
	_, line, err := parse(args)
	if err != nil {
		return nil, err
	}
	return &line.Serve.Config, nil
}

// probeURL is where the probes of a server with this configuration are reached from its own machine.
func (c *Config) probeURL() (string, error) {
	scheme := "http"
	if c.AdminListen == "" && c.TLSCert != "" {
		scheme = "https"
	}
	if c.AdminListen == "" && c.TLSClientCA != "" {
		return "", errors.New("with tls-client-ca only admin-listen answers without a client's certificate, and there is none")
	}
	host, port, err := net.SplitHostPort(cmp.Or(c.AdminListen, c.Listen))
	if err != nil {
		return "", err
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip.Equal(net.IPv4zero):
		host = "127.0.0.1"
	case ip.Equal(net.IPv6unspecified):
		host = "::1"
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}

// askReady is nil when the server says that it is ready.
func askReady(ctx context.Context, server string) error {
	address, err := url.JoinPath(server, "/readyz")
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	// A certificate is for the name that clients use, and here stands the address that the process has; who answers on it
	// is told nothing. The probes of Kubernetes do the same.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("GET %s: %w", address, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answered %s: %s", address, resp.Status, oneLine(string(answer)))
	}
	fmt.Println(oneLine(string(answer)))
	return nil
}

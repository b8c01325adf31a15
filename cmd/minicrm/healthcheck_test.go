package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// healthcheck runs the command with environment variables as serve has them; it returns its exit status and output.
func healthcheck(t *testing.T, environment string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append([]string{"healthcheck"}, args...)...)
	cmd.Env = append(os.Environ(), strings.Fields(environment)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// Catches: a check that is good about a server that is not, or asks another one than serve is with the same settings.
func TestHealthcheck(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys.yaml")
	newKey(t, keys, "--name=root", "--role=admin") // the probe needs none
	s := startServer(t, t.TempDir(), "", "--keys="+keys)
	address := strings.TrimPrefix(s.base, "http://")
	file := filepath.Join(t.TempDir(), "config.yaml")
	check(t, os.WriteFile(file, []byte("listen: "+address+"\n"), 0o600))
	for name, run := range map[string]func() (int, string){
		"by --server":       func() (int, string) { return healthcheck(t, "", "--server="+s.base) },
		"by MINICRM_SERVER": func() (int, string) { return healthcheck(t, "MINICRM_SERVER="+s.base) },
		"by MINICRM_LISTEN": func() (int, string) { return healthcheck(t, "MINICRM_LISTEN="+address) },
		"by MINICRM_ADMIN_LISTEN": func() (int, string) {
			return healthcheck(t, "MINICRM_LISTEN=127.0.0.1:1 MINICRM_ADMIN_LISTEN="+address)
		},
		"by MINICRM_CONFIG": func() (int, string) { return healthcheck(t, "MINICRM_CONFIG="+file) },
		"by --config":       func() (int, string) { return healthcheck(t, "", "--config="+file) },
	} {
		if code, out := run(); code != 0 || out != "ok\n" {
			t.Errorf("%s: exit status %d, %s", name, code, out)
		}
	}
	if code, out := healthcheck(t, "", "--server="+s.base+"/nothing"); code != 1 || !strings.Contains(out, "404") && !strings.Contains(out, "401") {
		t.Errorf("no probe: exit status %d, %s", code, out)
	}
	s.kill()
	if code, out := healthcheck(t, "MINICRM_LISTEN="+address); code != 1 || !strings.Contains(out, "refused") {
		t.Errorf("no server: exit status %d, %s", code, out)
	}
}

// Catches: a probe that goes to an address that only means "all", or by the wrong protocol.
func TestProbeURL(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Listen: ":8080"}, "http://127.0.0.1:8080"},
		{Config{Listen: "0.0.0.0:8080"}, "http://127.0.0.1:8080"},
		{Config{Listen: "[::]:8080"}, "http://[::1]:8080"},
		{Config{Listen: "10.1.2.3:8080", TLSCert: "a"}, "https://10.1.2.3:8080"},
		{Config{Listen: ":1", TLSCert: "a", TLSClientCA: "b", AdminListen: ":9090"}, "http://127.0.0.1:9090"},
	} {
		if got, err := c.config.probeURL(); got != c.want || err != nil {
			t.Errorf("%+v: %q, %v", c.config, got, err)
		}
	}
	if got, err := (&Config{Listen: ":1", TLSCert: "a", TLSClientCA: "b"}).probeURL(); err == nil {
		t.Errorf("without a client's certificate: %q", got)
	}
}

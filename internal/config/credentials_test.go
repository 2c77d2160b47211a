package config_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/config"
)

func TestLoad_credentials(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		environ []string
		want    config.Credentials
		missing string
		token   string
		client  string // id:secret
		ignored string
		notices []string
	}{
		{name: "none", environ: []string{"INPUT_API-TOKEN=", "INPUT_CLIENT-ID= "}, want: config.NoCredentials, client: ":"},
		{name: "token", environ: []string{"INPUT_API-TOKEN=t"}, want: config.Token, token: "t", client: ":"},
		{name: "token_of_the_ecosystem", environ: []string{"SPICE_CLOUD_PAT=t"}, want: config.Token, token: "t", client: ":"},
		{
			name: "client", environ: []string{"INPUT_CLIENT-ID=i", "SPICE_CLIENT_SECRET=s"},
			want: config.Client, client: "i:s",
		},
		{
			name: "client_of_the_cli", environ: []string{"SPICE_CLOUD_CLIENT_ID=i", "SPICE_CLOUD_CLIENT_SECRET=s"},
			want: config.Client, client: "i:s",
		},
		{
			name: "client_of_the_provider", environ: []string{"SPICEAI_CLIENT_ID=i", "SPICEAI_CLIENT_SECRET=s"},
			want: config.Client, client: "i:s",
		},
		{
			name: "without_the_secret", environ: []string{"INPUT_CLIENT-ID=i", "INPUT_CLIENT-SECRET="},
			want: config.HalfClient, missing: "client-secret", client: "i:",
		},
		{
			name: "without_the_id", environ: []string{"SPICE_CLIENT_SECRET=s"},
			want: config.HalfClient, missing: "client-id", client: ":s",
		},
		{
			name: "nearer_token", environ: []string{"INPUT_API_TOKEN=t", "SPICE_CLIENT_ID=i", "SPICEAI_CLIENT_SECRET=s"},
			want: config.Token, token: "t", client: ":", ignored: "s",
			notices: []string{"ignored SPICE_CLIENT_ID and SPICEAI_CLIENT_SECRET in favour of INPUT_API_TOKEN"},
		},
		{
			name: "nearer_client", environ: []string{"SPICE_CLOUD_PAT=t", "SPICE_CLIENT_ID=i", "SPICE_CLIENT_SECRET=s"},
			want: config.Client, client: "i:s", ignored: "t",
			notices: []string{"ignored SPICE_CLOUD_PAT in favour of SPICE_CLIENT_ID and SPICE_CLIENT_SECRET"},
		},
		{
			name: "nearer_half_of_a_client", environ: []string{"SPICE_API_TOKEN=t", "INPUT_CLIENT-ID=i"},
			want: config.HalfClient, missing: "client-secret", client: "i:", ignored: "t",
			notices: []string{"ignored SPICE_API_TOKEN in favour of INPUT_CLIENT-ID"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := mustLoad(t, "deploy", []string{"--app-id=1"}, tc.environ...)
			if got := o.Credentials; got != tc.want {
				t.Errorf("expected kind %d to be %d", got, tc.want)
			}
			if got := o.MissingHalf(); got != tc.missing {
				t.Errorf("expected missing half %q to be %q", got, tc.missing)
			}
			if got := o.APIToken.Reveal(); got != tc.token {
				t.Errorf("expected token %q to be %q", got, tc.token)
			}
			if got := o.ClientID + ":" + o.ClientSecret.Reveal(); got != tc.client {
				t.Errorf("expected client %q to be %q", got, tc.client)
			}
			var ignored string
			for _, secret := range o.Ignored {
				ignored += secret.Reveal()
			}
			if got := ignored; got != tc.ignored {
				t.Errorf("expected ignored %q to be %q", got, tc.ignored)
			}
			if diff := cmp.Diff(tc.notices, o.Notices); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoad_both_credentials_at_one_level(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		environ []string
		want    string
	}{
		{
			"inputs",
			[]string{"INPUT_API-TOKEN=hunter2", "INPUT_CLIENT_ID=i", "INPUT_CLIENT-SECRET=hunter2"},
			"api-token: a token and an OAuth client are both given (INPUT_API-TOKEN; INPUT_CLIENT_ID and INPUT_CLIENT-SECRET); remove one",
		},
		{
			"half_a_client",
			[]string{"SPICE_API_TOKEN=hunter2", "SPICE_CLIENT_SECRET=hunter2"},
			"api-token: a token and an OAuth client are both given (SPICE_API_TOKEN; SPICE_CLIENT_SECRET); remove one",
		},
		{
			"ecosystem",
			[]string{"SPICE_CLOUD_PAT=hunter2", "SPICEAI_CLIENT_ID=i"},
			"api-token: a token and an OAuth client are both given (SPICE_CLOUD_PAT; SPICEAI_CLIENT_ID); remove one",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := load("deploy", []string{"--app-id=1"}, tc.environ...)
			if err == nil || err.Error() != tc.want {
				t.Errorf("expected %v to be %q", err, tc.want)
			}
		})
	}
}

// loadWithFiles runs Load where there is a file token.txt, a file block and something on standard input.
func loadWithFiles(args ...string) (*config.Options, error) {
	files := map[string]string{"token.txt": "hunter2\r\n", "block": "A=1\n", "empty": "\n", "pasted": "TOKEN: hunter2"}
	return config.Load("deploy", append([]string{"--app-id=1"}, args...), config.Env{
		Stdin: strings.NewReader("B=2\n"),
		ReadFile: func(name string) ([]byte, error) {
			if text, ok := files[name]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
	})
}

func TestLoad_secret_flags(t *testing.T) {
	t.Parallel()
	o, err := loadWithFiles("--api-token", "@token.txt", "--secrets", "-")
	if err != nil {
		t.Fatalf("Load: %s", err)
	}
	if got, want := o.APIToken.Reveal(), "hunter2"; got != want {
		t.Errorf("expected token %q to be %q", got, want)
	}
	if got, want := o.Secrets.Reveal(), "B=2\n"; got != want {
		t.Errorf("expected block %q to be %q", got, want)
	}
	o, err = loadWithFiles("--secrets=@block", "--client-secret=@empty", "--github-token=")
	if err != nil {
		t.Fatalf("Load: %s", err)
	}
	if got, want := o.Secrets.Reveal(), "A=1\n"; got != want {
		t.Errorf("expected block %q to be %q", got, want)
	}
	if got, want := o.Credentials, config.NoCredentials; got != want {
		t.Errorf("expected kind %d to be %d", got, want)
	}
}

func TestLoad_secret_flag_problems(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		args []string
		want string
	}{
		{
			"value_itself",
			[]string{"--api-token", "hunter2"},
			"api-token: the flag takes @FILE or - for standard input, never the value itself; or set SPICE_API_TOKEN",
		},
		{
			"value_itself_with_equals",
			[]string{"--secrets=A=hunter2"},
			"secrets: the flag takes @FILE or - for standard input, never the value itself; or set SPICE_SECRETS",
		},
		{
			"no_such_file",
			[]string{"--client-secret", "@nowhere"},
			"client-secret: read the file of --client-secret: open nowhere: file does not exist",
		},
		{
			"stdin_twice",
			[]string{"--secrets=-", "--api-token=-"},
			"api-token: standard input is already read for --secrets; give one of them as @FILE",
		},
		{
			"more_than_a_token",
			[]string{"--api-token=@pasted"},
			"api-token: expected one word, got a blank, a line break or a character that no token has; " +
				"was more than the token pasted?",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := loadWithFiles(tc.args...)
			if err == nil || err.Error() != tc.want {
				t.Errorf("expected %v to be %q", err, tc.want)
			}
		})
	}
}

func TestLoad_no_message_repeats_a_secret(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		args    []string
		environ []string
	}{
		{"token_with_a_line_break", nil, []string{"INPUT_API-TOKEN=hunter2\nhunter2"}},
		{"words_behind_a_secret", []string{"--secrets", "A=hunter2", "B=hunter2"}, nil},
		{"blanks_around_equals", []string{"--client-secret", "=", "hunter2"}, nil},
		{"pem_as_arguments", []string{"--secrets", "-----BEGIN", "-----hunter2"}, nil},
		{"typo_in_the_name", []string{"--api-tokn", "hunter2", "--clientsecret=hunter2"}, nil},
		{"password_in_an_address", []string{"--api-url=http://u:hunter2@h"}, []string{"SPICE_OAUTH_TOKEN_URL=u:hunter2@h"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := load("deploy", append([]string{"--app-id=1"}, tc.args...), tc.environ...)
			if err == nil {
				t.Fatal("expected problems, got none")
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("expected no secret in %q", err)
			}
		})
	}
}

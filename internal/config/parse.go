package config

import (
	"errors"
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// The parsers put a value into its field. Their errors say what is accepted and what was given, and stand
// behind the option's name; those of secrets, and of addresses that may hold a password, leave out the latter.

func text(arg string, to *string) kind {
	return kind{arg: arg, set: func(s string) error {
		*to = s
		return nil
	}}
}

// name is a text of at most so many characters (0: any number) that can stand in a line of a log.
func name(arg string, to *string, most int) kind {
	return kind{arg: arg, set: func(s string) error {
		switch {
		case strings.ContainsFunc(s, unicode.IsControl):
			return fmt.Errorf("expected one line without control characters, got %s", quote(s))
		case most > 0 && utf8.RuneCountInString(s) > most:
			return fmt.Errorf("expected at most %d characters, got %d: %s", most, utf8.RuneCountInString(s), quote(s))
		}
		*to = s
		return nil
	}}
}

// objectID is the name that git gives a commit, at the least the seven digits that it shows itself.
var objectID = regexp.MustCompile(`^[0-9a-fA-F]{7,64}$`)

func commitSHA(to *string) kind {
	return kind{arg: "SHA", set: func(s string) error {
		if !objectID.MatchString(s) {
			return fmt.Errorf("expected 7 to 64 hexadecimal digits, as git rev-parse HEAD prints them, got %s", quote(s))
		}
		*to = s
		return nil
	}}
}

func secret(to *redact.Secret) kind {
	return kind{arg: "@FILE|-", secret: true, set: func(s string) error {
		*to = redact.New(s)
		return nil
	}}
}

// secretToken is a secret that is sent in a header, where a blank or a line break cannot stand.
func secretToken(to *redact.Secret) kind {
	return kind{arg: "@FILE|-", secret: true, set: func(s string) error {
		if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("expected one word, got a blank, a line break or a character that no token has; " +
				"was more than the token pasted?")
		}
		*to = redact.New(s)
		return nil
	}}
}

func boolean(to *bool) kind {
	return kind{isBool: true, set: func(s string) error {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("expected true or false, got %s", quote(s))
		}
		*to = b
		return nil
	}}
}

func optionalBoolean(to **bool) kind {
	var b bool
	k := boolean(&b)
	parse := k.set
	k.set = func(s string) error {
		if err := parse(s); err != nil {
			return err
		}
		*to = &b
		return nil
	}
	return k
}

func enum(to *string, words ...string) kind {
	return kind{arg: "WORD", words: words, set: func(s string) error {
		if slices.Contains(words, s) {
			*to = s
			return nil
		}
		message := fmt.Sprintf("expected one of %s, got %s", strings.Join(words, ", "), quote(s))
		if near, ok := nearest(strings.ToLower(s), words); ok {
			message += "; did you mean " + near + "?"
		}
		return errors.New(message)
	}}
}

func number(to *int, least, most int) kind {
	return kind{arg: "NUMBER", set: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return fmt.Errorf("expected a whole number from %d to %d, got %s", least, most, quote(s))
		}
		*to = n
		return nil
	}}
}

func appID(to *int64) kind {
	return kind{arg: "NUMBER", set: func(s string) error {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil || id <= 0 {
			return fmt.Errorf("expected a positive number, got %s; a number is wanted, for a name use app-name", quote(s))
		}
		*to = id
		return nil
	}}
}

// seconds is a whole number of seconds. Durations such as "5m" are what people write by habit, so the message
// translates them.
func seconds(to *time.Duration, least, most int) kind {
	return kind{arg: "SECONDS", set: func(s string) error {
		n, err := strconv.Atoi(s)
		if err == nil && n >= least && n <= most {
			*to = time.Duration(n) * time.Second
			return nil
		}
		message := fmt.Sprintf("expected a whole number of seconds from %d to %d, got %s", least, most, quote(s))
		if d, notDuration := time.ParseDuration(s); err != nil && notDuration == nil {
			message += "; seconds are meant"
			if whole := int(d / time.Second); d%time.Second == 0 && whole >= least && whole <= most {
				message += fmt.Sprintf(", write %d", whole)
			}
		}
		return errors.New(message)
	}}
}

// orgHandle is what Spice Cloud documents: letters, digits, ".", "-" and "_".
var orgHandle = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func handle(to *string) kind {
	return kind{arg: "HANDLE", set: func(s string) error {
		if !orgHandle.MatchString(s) {
			return fmt.Errorf("expected letters, digits, %q, %q and %q, got %s", ".", "-", "_", quote(s))
		}
		*to = s
		return nil
	}}
}

func globs(to *[]string) kind {
	return kind{arg: "PATTERNS", set: func(s string) error {
		patterns := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
		var errs []error
		for _, pattern := range patterns {
			if _, err := path.Match(pattern, ""); err != nil {
				errs = append(errs, fmt.Errorf("expected patterns of names such as CI_*, got %s", quote(pattern)))
				continue // what is reported here is not to be reported again by whoever uses the patterns
			}
			*to = append(*to, pattern)
		}
		return errors.Join(errs...)
	}}
}

func hostPort(to *string) kind {
	return kind{arg: "HOST:PORT", set: func(s string) error {
		_, port, err := net.SplitHostPort(s)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			return fmt.Errorf("expected host:port such as 127.0.0.1:8080, got %s", quote(s))
		}
		*to = s
		return nil
	}}
}

func commitMessage(to *string) kind {
	return kind{arg: "TEXT", set: func(s string) error {
		*to = CommitSubject(s)
		return nil
	}}
}

// maxSubject is what the vendor's action sends at most; the service documents no limit.
const maxSubject = 500

// CommitSubject is the part of a commit message that goes with a deployment: the first line that is not
// blank, at most 500 characters, as valid UTF-8.
func CommitSubject(message string) string {
	line := strings.TrimSpace(message)
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	line = strings.ToValidUTF8(line, string(utf8.RuneError))
	if utf8.RuneCountInString(line) > maxSubject {
		line = string([]rune(line)[:maxSubject])
	}
	return strings.TrimSpace(line)
}

// maxQuote is how much of a wrong value a message repeats, in characters.
const maxQuote = 80

// quote shows a wrong value on one line, whatever it holds.
func quote(s string) string {
	if runes := []rune(s); len(runes) > maxQuote {
		s = string(runes[:maxQuote]) + "…"
	}
	return strconv.Quote(s)
}

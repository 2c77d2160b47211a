// Package redact keeps secrets out of everything that people and other programs read.
//
// A [Secret] cannot be printed by accident: every formatting, logging and encoding path shows ***, and
// [Secret.Reveal] is the one way out. A [Redactor] covers the secrets, and the forms they take on their
// way through other programs, in text that is about to leave the process.
//
// The package does not decide what is secret, and it never prints.
package redact

import (
	"fmt"
	"io"
	"log/slog"
)

// Cover is what stands in the place of a secret.
const Cover = "***"

// Secret is a value that must not be shown. The zero value is the absent secret.
type Secret struct{ value string }

// New makes a Secret of a value.
func New(value string) Secret { return Secret{value: value} }

// Reveal returns the value. Only code that sends, checks or masks the value calls it.
func (s Secret) Reveal() string { return s.value }

// IsZero tells whether there is no value.
func (s Secret) IsZero() bool { return s.value == "" }

// String returns [Cover], also for the zero value: whether a secret is set is not for the log to tell.
func (s Secret) String() string { return Cover }

// GoString returns [Cover].
func (s Secret) GoString() string { return Cover }

// Format writes [Cover] whatever the verb is, %x and %#v among them.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Cover) }

// MarshalText returns [Cover]; encoding/json, YAML and flag values use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Cover), nil }

// LogValue returns [Cover].
func (s Secret) LogValue() slog.Value { return slog.StringValue(Cover) }

var (
	_ fmt.Formatter  = Secret{}
	_ fmt.GoStringer = Secret{}
	_ slog.LogValuer = Secret{}
)

package redact

import "io"

// Writer covers secrets on their way to another writer, also those that arrive in pieces: it holds back what
// may be the beginning of one until more comes or [Writer.Flush] is called.
//
// It is not safe for use by several goroutines.
type Writer struct {
	redactor *Redactor
	to       io.Writer
	held     string
}

// NewWriter returns a Writer in front of w.
func (r *Redactor) NewWriter(w io.Writer) *Writer {
	return &Writer{redactor: r, to: w}
}

// Write takes all of p, whatever it passes on now; an error is the one of the writer behind.
func (w *Writer) Write(p []byte) (int, error) {
	text := w.held + string(p)
	w.redactor.mu.RLock()
	masked := w.redactor.masked(text)
	safe := w.redactor.safeLength(text, masked)
	w.redactor.mu.RUnlock()
	for len(masked) > 0 && masked[len(masked)-1].to > safe {
		masked = masked[:len(masked)-1]
	}
	w.held = text[safe:]
	if safe == 0 {
		return len(p), nil
	}
	if _, err := io.WriteString(w.to, cover(text[:safe], masked)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush passes on what is held back, as the end of the text.
func (w *Writer) Flush() error {
	text := w.redactor.Redact(w.held)
	w.held = ""
	if text == "" {
		return nil
	}
	_, err := io.WriteString(w.to, text)
	return err
}

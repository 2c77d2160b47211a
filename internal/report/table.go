package report

import (
	"fmt"
	"slices"
	"strings"
)

// table writes a table without the columns in which nothing stands, as many rows as can be read and have room.
func table(b *page, head []string, rows [][]string) {
	var columns []int
	for i := range head {
		if len(rows) == 0 || slices.ContainsFunc(rows, func(row []string) bool { return row[i] != "" }) {
			columns = append(columns, i)
		}
	}
	line := func(cells func(i int) string) string {
		var text strings.Builder
		text.WriteString("|")
		for _, i := range columns {
			text.WriteString(" " + cells(i) + " |")
		}
		return text.String() + "\n"
	}
	b.WriteString(line(func(i int) string { return head[i] }) + line(func(int) string { return ":--" }))
	shown, room := 0, mostOfTable
	for _, row := range rows[:min(len(rows), mostOfRows)] {
		text := line(func(i int) string { return row[i] })
		if len(text) > room {
			continue // one without measure, behind which others may be in order
		}
		b.WriteString(text)
		shown, room = shown+1, room-len(text)
	}
	b.WriteString("\n")
	if more := len(rows) - shown; more > 0 {
		fmt.Fprintf(b, "and %d more\n\n", more)
	}
}

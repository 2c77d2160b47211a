package gitobject

import (
	"strings"
	"testing"
)

func TestPatch(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 1<<13) // 128 KiB
	delta := func(base, object uint64, instructions string) string {
		return string(sizes(base, object)) + instructions
	}
	cases := []struct {
		name, base, delta, want string
		err                     error
	}{
		{"insert", "base", delta(4, 3, "\x03abc"), "abc", nil},
		{"copy", "base", delta(4, 2, "\x91\x01\x02"), "as", nil},
		{"copy_all_from_the_beginning", "base", delta(4, 4, "\x90\x04"), "base", nil},
		{"copy_and_insert", "base", delta(4, 7, "\x90\x03\x04line"), "basline", nil},
		{"copy_64_KiB", long, delta(1<<17, 1<<16, "\x81\x05"), long[5 : 5+1<<16], nil},
		{"copy_one_byte_too_many", long, delta(1<<17, 1<<16+1, "\xf4\x01\x01\x00\x01"), "", errDelta},
		{"copy_far", long, delta(1<<17, 1<<16, "\xc4\x01\x01"), long[1<<16:], nil},
		{"nothing", "base", delta(4, 0, ""), "", nil},
		{"empty", "base", "", "", errDelta},
		{"no_size_of_the_object", "base", "\x04", "", errDelta},
		{"size_without_end", "base", strings.Repeat("\x80", 20), "", errDelta},
		{"another_base", "base", delta(5, 3, "\x03abc"), "", errDelta},
		{"too_large", "base", delta(4, maxObject+1, "\x03abc"), "", errTooLarge},
		{"too_long", "base", delta(4, 2, "\x03abc"), "", errDelta},
		{"too_short", "base", delta(4, 4, "\x03abc"), "", errDelta},
		{"insert_nothing", "base", delta(4, 3, "\x03abc\x00"), "", errDelta},
		{"insert_what_is_cut_off", "base", delta(4, 3, "\x03ab"), "", errDelta},
		{"copy_from_behind_the_end", "base", delta(4, 2, "\x91\x03\x02"), "", errDelta},
		{"copy_from_far_behind_the_end", "base", delta(4, 2, "\x9f\xff\xff\xff\xff\x02"), "", errDelta},
		{"copy_that_is_cut_off", "base", delta(4, 2, "\x91\x02"), "", errDelta},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := patch([]byte(tc.base), []byte(tc.delta))
			if string(got) != tc.want || err != tc.err {
				t.Errorf("expected %.40q and the error %v, got %.40q and %v", tc.want, tc.err, got, err)
			}
		})
	}
}

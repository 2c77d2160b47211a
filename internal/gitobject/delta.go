package gitobject

import (
	"encoding/binary"
	"errors"
)

var errDelta = errors.New("a delta in the pack is damaged")

// patch rebuilds an object from its base: a delta is the sizes of both, and instructions to copy a range of the base
// or to insert bytes that it brings along. See "Deltified representation" in
// https://git-scm.com/docs/gitformat-pack.
func patch(base, delta []byte) ([]byte, error) {
	from, n := binary.Uvarint(delta)
	if n <= 0 || from != uint64(len(base)) {
		return nil, errDelta
	}
	delta = delta[n:]
	size, n := binary.Uvarint(delta)
	if n <= 0 {
		return nil, errDelta
	}
	if size > maxObject {
		return nil, errTooLarge
	}
	delta = delta[n:]

	object := make([]byte, 0, size)
	for len(delta) > 0 {
		var part []byte
		var err error
		if part, delta, err = instruction(base, delta); err != nil {
			return nil, err
		}
		if uint64(len(object)+len(part)) > size {
			return nil, errDelta
		}
		object = append(object, part...)
	}
	if uint64(len(object)) != size {
		return nil, errDelta
	}
	return object, nil
}

// instruction is the bytes that the first instruction of a delta adds to the object, and the instructions after it.
func instruction(base, delta []byte) (part, rest []byte, err error) {
	code, delta := delta[0], delta[1:]
	if code < 1<<7 { // insert that many of the bytes that follow
		if code == 0 || int(code) > len(delta) {
			return nil, nil, errDelta
		}
		return delta[:code], delta[code:], nil
	}
	// Copy. Each of the lower seven bits says whether a byte follows: four of the offset, then three of the size.
	var value [7]byte
	for i := range value {
		if code>>i&1 == 0 {
			continue
		}
		if len(delta) == 0 {
			return nil, nil, errDelta
		}
		value[i], delta = delta[0], delta[1:]
	}
	offset := int64(binary.LittleEndian.Uint32(value[:4]))
	size := int64(value[4]) | int64(value[5])<<8 | int64(value[6])<<16
	if size == 0 {
		size = 1 << 16
	}
	if offset+size > int64(len(base)) {
		return nil, nil, errDelta
	}
	return base[offset : offset+size], delta, nil
}

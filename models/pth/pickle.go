package pth

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// The opcodes that torch.save writes, from Python 2 and 3 and at protocols 2 to 5; named as in Python's pickletools.
const (
	opMark            = '('
	opStop            = '.'
	opPop             = '0'
	opBinFloat        = 'G'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opNone            = 'N'
	opBinPersID       = 'Q'
	opReduce          = 'R'
	opBinString       = 'T'
	opShortBinString  = 'U'
	opBinUnicode      = 'X'
	opEmptyList       = ']'
	opAppend          = 'a'
	opBuild           = 'b'
	opGlobal          = 'c'
	opAppends         = 'e'
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opSetItem         = 's'
	opTuple           = 't'
	opSetItems        = 'u'
	opEmptyTuple      = ')'
	opEmptyDict       = '}'
	opProto           = 0x80
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opShortBinUnicode = 0x8c
	opNewObj          = 0x81
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
)

// What a pickle can hold here, beside nil, bool, int64, *big.Int, float64, string, *storage and *view.
type (
	mark  struct{}
	tuple []any
	list  struct{ items []any }
	dict  struct{ keys, values []any } // in the order written; a later key overrides an earlier one
)

// machine unpickles one object from data. It makes values of the types above and calls nothing the data names.
type machine struct {
	data     []byte
	at       int
	stack    []any
	memo     map[uint32]any
	storages map[string]*storage
	budget   int // items it may still copy or create
}

// unpickle reads one pickle from the start of data and tells how many bytes it took. Storages named in it are put
// into storages, which may be nil when the pickle may not hold tensors.
func unpickle(data []byte, storages map[string]*storage) (value any, used int, err error) {
	m := &machine{data: data[:min(len(data), maxPickle)], memo: map[uint32]any{}, storages: storages, budget: maxItems}
	for {
		op, err := m.byte()
		if err == nil {
			if op == opStop {
				value, err = m.pop()
				if err == nil {
					return value, m.at, nil
				}
			} else {
				err = m.step(op)
			}
		}
		if err != nil {
			return nil, 0, fmt.Errorf("pickle, byte %d: %w", m.at, err)
		}
	}
}

// step carries out one opcode. Those that only push a value are in literal.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		version, err := m.byte()
		if err == nil && version > 5 {
			err = fmt.Errorf("pickle protocol %d is newer than 5", version)
		}
		return err
	case opFrame:
		_, err := m.take(8)
		return err
	case opPop:
		_, err := m.pop()
		return err
	case opTuple, opTuple1, opTuple2, opTuple3:
		return m.tuple(op)
	case opAppend, opAppends:
		return m.append(op)
	case opSetItem, opSetItems:
		return m.setItems(op)
	case opBinPut, opLongBinPut, opMemoize:
		return m.put(op)
	case opBinGet, opLongBinGet:
		i, err := m.index(op == opLongBinGet)
		if err != nil {
			return err
		}
		v, ok := m.memo[i]
		if !ok {
			return fmt.Errorf("memo %d was never set", i)
		}
		return m.push(v)
	case opGlobal, opStackGlobal, opReduce, opNewObj, opBuild, opBinPersID:
		return m.object(op)
	}
	return m.literal(op)
}

func (m *machine) literal(op byte) error {
	switch op {
	case opMark:
		return m.push(mark{})
	case opNone:
		return m.push(nil)
	case opNewTrue, opNewFalse:
		return m.push(op == opNewTrue)
	case opEmptyTuple:
		return m.push(tuple{})
	case opEmptyList:
		return m.push(&list{})
	case opEmptyDict:
		return m.push(&dict{})
	case opBinInt1:
		return m.integer(1)
	case opBinInt2:
		return m.integer(2)
	case opBinInt:
		return m.integer(4)
	case opLong1:
		return m.long()
	case opBinFloat:
		p, err := m.take(8)
		if err != nil {
			return err
		}
		var bits uint64
		for _, b := range p {
			bits = bits<<8 | uint64(b)
		}
		return m.push(math.Float64frombits(bits))
	case opShortBinString, opShortBinUnicode:
		return m.text(1)
	case opBinString, opBinUnicode:
		return m.text(4)
	}
	return fmt.Errorf("opcode %#02x is not one that a state dict needs", op)
}

func (m *machine) integer(width int) error {
	p, err := m.take(width)
	if err != nil {
		return err
	}
	if width == 4 {
		return m.push(int64(int32(little.Uint32(p))))
	}
	var n int64
	for i, b := range p {
		n |= int64(b) << (8 * i)
	}
	return m.push(n)
}

// long pushes a little-endian two's complement integer of up to 255 bytes: an int64 where it fits.
func (m *machine) long() error {
	width, err := m.byte()
	if err != nil {
		return err
	}
	p, err := m.take(int(width))
	if err != nil {
		return err
	}
	n := new(big.Int)
	for i := len(p) - 1; i >= 0; i-- {
		n.Lsh(n, 8).Or(n, big.NewInt(int64(p[i])))
	}
	if len(p) > 0 && p[len(p)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(p))))
	}
	if n.IsInt64() {
		return m.push(n.Int64())
	}
	return m.push(n)
}

func (m *machine) text(width int) error {
	p, err := m.take(width)
	if err != nil {
		return err
	}
	n := int(p[0])
	if width == 4 {
		n = int(little.Uint32(p))
	}
	if p, err = m.take(n); err != nil {
		return err
	}
	return m.push(string(p))
}

func (m *machine) tuple(op byte) error {
	var items []any
	var err error
	if op == opTuple {
		items, err = m.popMark()
	} else {
		items, err = m.popN(int(op-opTuple1) + 1)
	}
	if err != nil {
		return err
	}
	return m.push(tuple(append([]any(nil), items...)))
}

func (m *machine) append(op byte) error {
	items, err := m.popItems(op == opAppends, 1)
	if err != nil {
		return err
	}
	l, ok := m.top().(*list)
	if !ok {
		return fmt.Errorf("append to a %s", kind(m.top()))
	}
	l.items = append(l.items, items...)
	return nil
}

func (m *machine) setItems(op byte) error {
	items, err := m.popItems(op == opSetItems, 2)
	if err != nil {
		return err
	}
	d, ok := m.top().(*dict)
	if !ok || len(items)%2 != 0 {
		return fmt.Errorf("%d keys and values for a %s", len(items), kind(m.top()))
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
	return nil
}

func (m *machine) put(op byte) error {
	i := uint32(len(m.memo))
	if op != opMemoize {
		var err error
		if i, err = m.index(op == opLongBinPut); err != nil {
			return err
		}
	}
	if len(m.stack) == 0 {
		return errStack
	}
	m.memo[i] = m.top()
	return nil
}

func (m *machine) index(long bool) (uint32, error) {
	if !long {
		b, err := m.byte()
		return uint32(b), err
	}
	p, err := m.take(4)
	if err != nil {
		return 0, err
	}
	return little.Uint32(p), nil
}

// line is the text up to the next newline, which is consumed.
func (m *machine) line() (string, error) {
	rest := m.data[m.at:]
	n := bytes.IndexByte(rest[:min(len(rest), 256)], '\n')
	if n < 0 {
		return "", errors.New("a name without an end")
	}
	m.at += n + 1
	return string(rest[:n]), nil
}

package pth

import (
	"errors"
	"fmt"
	"io"
	"math/big"
)

var errStack = errors.New("the stack is empty")

func (m *machine) byte() (byte, error) {
	p, err := m.take(1)
	if err != nil {
		return 0, err
	}
	return p[0], nil
}

// take returns the next n bytes of the pickle.
func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.data)-m.at {
		return nil, fmt.Errorf("needs %d bytes, but only %d are left: %w", n, len(m.data)-m.at, io.ErrUnexpectedEOF)
	}
	p := m.data[m.at : m.at+n]
	m.at += n
	return p, nil
}

// spend charges n items to the machine's budget, so that copies of copies end.
func (m *machine) spend(n int) error {
	if m.budget -= n; m.budget < 0 {
		return errors.New("the pickle makes too many objects")
	}
	return nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return m.spend(1)
}

// top is the value that the next pop gives; nil when there is none.
func (m *machine) top() any {
	if len(m.stack) == 0 {
		return nil
	}
	return m.stack[len(m.stack)-1]
}

func (m *machine) pop() (any, error) {
	items, err := m.popN(1)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// popN takes the last n values off the stack. The slice is overwritten by the next push.
func (m *machine) popN(n int) ([]any, error) {
	if len(m.stack) < n {
		return nil, errStack
	}
	items := m.stack[len(m.stack)-n:]
	for _, v := range items {
		if _, ok := v.(mark); ok {
			return nil, errors.New("a mark where a value should be")
		}
	}
	m.stack = m.stack[:len(m.stack)-n]
	return items, nil
}

// popMark takes the values above the last mark, and the mark, off the stack.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := m.stack[i+1:]
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

func (m *machine) popItems(toMark bool, n int) ([]any, error) {
	if toMark {
		return m.popMark()
	}
	return m.popN(n)
}

// kind names the type of an unpickled value for a message.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "string"
	case tuple:
		return "tuple"
	case *list:
		return "list"
	case *dict:
		return "dict"
	case *storage:
		return "storage"
	case *view:
		return "tensor"
	case class:
		return "class " + v.String()
	}
	return "mark"
}

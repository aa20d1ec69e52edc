package pth

import (
	"errors"
	"fmt"
)

// class is a Python class or function that a pickle named and that is on the list below.
type class struct{ module, name string }

func (c class) String() string { return c.module + "." + c.name }

var (
	orderedDict      = class{"collections", "OrderedDict"}
	rebuildTensor    = class{"torch._utils", "_rebuild_tensor"}
	rebuildTensorV2  = class{"torch._utils", "_rebuild_tensor_v2"}
	rebuildParameter = class{"torch._utils", "_rebuild_parameter"}
	parameter        = class{"torch.nn.parameter", "Parameter"}
)

// find returns the class of that name when it is one of the few that hold weights.
func find(module, name string) (class, error) {
	c := class{module, name}
	switch c {
	case orderedDict, rebuildTensor, rebuildTensorV2, rebuildParameter, parameter:
		return c, nil
	}
	if module == "torch" && storageTypes[name] != nil {
		return c, nil
	}
	return class{}, fmt.Errorf("contains the class %.120q, but only plain tensors are supported: save model.state_dict()", c)
}

// object carries out the opcodes by which a pickle would import and call things in Python.
func (m *machine) object(op byte) error {
	switch op {
	case opGlobal:
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		return m.global(module, name)
	case opStackGlobal:
		names, err := m.popN(2)
		if err != nil {
			return err
		}
		module, ok1 := names[0].(string)
		name, ok2 := names[1].(string)
		if !ok1 || !ok2 {
			return errors.New("a class whose name is not a string")
		}
		return m.global(module, name)
	case opReduce:
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		c, ok1 := items[0].(class)
		args, ok2 := items[1].(tuple)
		if !ok1 || !ok2 {
			return fmt.Errorf("calls a %s with a %s", kind(items[0]), kind(items[1]))
		}
		v, err := m.call(c, args)
		if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
		return m.push(v)
	case opNewObj: // a Parameter before PyTorch 0.4; its data comes with opBuild
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		if args, ok := items[1].(tuple); !ok || items[0] != any(parameter) || len(args) > 0 {
			return fmt.Errorf("makes an object of a %s", kind(items[0]))
		}
		return m.push(&view{})
	case opBuild:
		return m.build()
	}
	return m.persistent()
}

// build sets the state of the object on the stack: the data of an old Parameter (data, grad, hooks, requires_grad,
// volatile), or attributes of an OrderedDict, PyTorch's _metadata, which are of no use here.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	switch object := m.top().(type) {
	case *dict:
		return nil
	case *view:
		if s, ok := state.(tuple); ok && len(s) == 5 && object.storage == nil {
			if data, ok := s[0].(*view); ok {
				*object = *data
				return nil
			}
		}
	}
	return fmt.Errorf("sets the state of a %s to a %s", kind(m.top()), kind(state))
}

func (m *machine) global(module, name string) error {
	c, err := find(module, name)
	if err != nil {
		return err
	}
	return m.push(c)
}

// call makes the value that c would return for args; it knows the classes by name and has nothing else to call.
func (m *machine) call(c class, args tuple) (any, error) {
	switch {
	case c == orderedDict && len(args) == 0:
		return &dict{}, nil
	case c == orderedDict && len(args) == 1: // Python 2: a list of pairs
		return m.pairs(args[0])
	case c == rebuildTensor && len(args) == 4, c == rebuildTensorV2 && (len(args) == 6 || len(args) == 7):
		return m.tensor(args)
	case c == rebuildParameter && len(args) == 3:
		if v, ok := args[0].(*view); ok {
			return v, nil
		}
	}
	return nil, fmt.Errorf("called with %d arguments that do not fit", len(args))
}

func (m *machine) pairs(arg any) (any, error) {
	l, ok := arg.(*list)
	if !ok {
		return nil, fmt.Errorf("made from a %s", kind(arg))
	}
	if err := m.spend(2 * len(l.items)); err != nil {
		return nil, err
	}
	d := &dict{}
	for _, item := range l.items {
		var pair []any
		switch item := item.(type) {
		case tuple:
			pair = item
		case *list:
			pair = item.items
		}
		if len(pair) != 2 {
			return nil, fmt.Errorf("made from a list that holds a %s where a pair should be", kind(item))
		}
		d.keys, d.values = append(d.keys, pair[0]), append(d.values, pair[1])
	}
	return d, nil
}

// tensor is _rebuild_tensor(storage, offset, size, stride, …); what follows (requires_grad, hooks) is of no use.
func (m *machine) tensor(args tuple) (any, error) {
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := integers(args[2])
	strides, ok4 := integers(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, fmt.Errorf("arguments %s, %s, %s, %s", kind(args[0]), kind(args[1]), kind(args[2]), kind(args[3]))
	}
	return newView(s, offset, shape, strides)
}

func integers(v any) ([]int64, bool) {
	t, ok := v.(tuple)
	if !ok || len(t) > maxDims {
		return nil, false
	}
	out := make([]int64, len(t))
	for i, x := range t {
		if out[i], ok = x.(int64); !ok {
			return nil, false
		}
	}
	return out, true
}

// persistent turns ('storage', type, key, location, numel[, None]) into the storage of that key.
func (m *machine) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	id, ok := v.(tuple)
	if !ok || m.storages == nil || len(id) < 5 || len(id) > 6 || id[0] != "storage" {
		return errors.New("a persistent id that is not a storage")
	}
	c, ok1 := id[1].(class)
	key, ok2 := id[2].(string)
	numel, ok3 := id[4].(int64)
	if !ok1 || !ok2 || !ok3 || c.module != "torch" || storageTypes[c.name] == nil || numel < 0 || numel > maxNumel {
		return errors.New("a storage whose type, key or length cannot be read")
	}
	if len(id) == 6 && id[5] != nil {
		return errors.New("storage views of PyTorch before 0.4: load the file with that PyTorch and save it with a newer one")
	}
	s := m.storages[key]
	if s == nil {
		s = &storage{key: key, dtype: storageTypes[c.name], numel: numel}
		m.storages[key] = s
	}
	if s.dtype != storageTypes[c.name] || s.numel != numel {
		return fmt.Errorf("storage %.40q is described in two ways", key)
	}
	return m.push(s)
}

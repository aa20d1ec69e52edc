package captioner

// A Cell is the recurrence that reads the words: a value of model.cell.
type Cell struct {
	Name string
	// Gates is how many blocks of H rows the weights of a layer have, in PyTorch's
	// order: r, z, n of a GRU; i, f, g, o of an LSTM.
	Gates int64
	// Memory says that each layer keeps a memory cell beside its state.
	Memory bool
}

// Cells lists the cells, in the order of help texts; the first is the default.
var Cells = []Cell{
	{Name: "gru", Gates: 3},
	{Name: "lstm", Gates: 4, Memory: true},
}

// CellOf returns the cell of a name.
func CellOf(name string) (Cell, error) { return find("model.cell", Cells, Cell.name, name) }

// CellNames are the names of the cells.
func CellNames() []string { return names(Cells, Cell.name) }

func (c Cell) name() string { return c.Name }

// All of the C++ as one file for the compiler: to read libtorch's headers takes it longer than all that is written here,
// and it would read them for each file again. The parts are named .hpp so that Go hands none of them over by itself, and
// still builds anew when one is changed.
#include "allocator.hpp"
#include "attention.hpp"
#include "lstm.hpp"
#include "optimizer.hpp"
#include "product.hpp"
#include "recurrence.hpp"
#include "reinforce.hpp"
#include "rows.hpp"
#include "runtime.hpp"

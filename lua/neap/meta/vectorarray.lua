---@meta

--- A row of vectors of one length, each contiguous in memory; its shape is [dim, len]. A view names
--- vectors of a base: it writes through and keeps the base alive. Arrays are real or complex: what
--- is complex makes the result complex, and an array that is changed by it as well, its views
--- included. Complex arrays give complex numbers, real ones plain numbers.
---@class VectorArray
---@field dim integer        length of the vectors
---@field is_view boolean
---@field is_complex boolean
---@field is_frozen boolean
---@operator len: integer
---@operator add(VectorArray): VectorArray
---@operator sub(VectorArray): VectorArray
---@operator mul(number|complex): VectorArray
---@operator unm: VectorArray
---@field [integer] VectorArray?   a view of one vector, nil outside 1..#U
---@field [integer[]] VectorArray  a view of these vectors in this order, repeats allowed
local VectorArray = {}

--- What stands behind `neap.VectorArray`.
---@class VectorArrayModule
local M = {}

---@class ComplexOptions
---@field complex? boolean  false by default

---@param dim integer  at least 0
---@param len integer  at least 0
---@param options? ComplexOptions
---@return VectorArray  [dim, len]
---@nodiscard
function M.zeros(dim, len, options) end

---@param dim integer  at least 0
---@param len integer  at least 0
---@param options? ComplexOptions
---@return VectorArray  [dim, len]
---@nodiscard
function M.ones(dim, len, options) end

---@param value number|complex
---@param dim integer  at least 0
---@param len integer  at least 0
---@param options? ComplexOptions
---@return VectorArray  [dim, len], every component is value
---@nodiscard
function M.full(value, dim, len, options) end

---@class EmptyOptions: ComplexOptions
---@field reserve? integer  vectors to make room for, 0 by default

---@param dim integer  at least 0
---@param options? EmptyOptions
---@return VectorArray  [dim, 0]
---@nodiscard
function M.empty(dim, options) end

---@class RandomOptions: ComplexOptions
---@field distribution? "uniform"|"normal"  uniform by default
---@field low? number    of uniform: included, 0 by default
---@field high? number   of uniform: excluded, larger than low, 1 by default
---@field loc? number    of normal: the mean, 0 by default
---@field scale? number  of normal: the standard deviation, at least 0, 1 by default
---@field seed? integer  drawn from math.random when it is not given

--- Vector after vector from one stream: with the same seed the first vectors do not depend on len.
--- Of complex numbers both parts are drawn.
---@param dim integer  at least 0
---@param len integer  at least 0
---@param options? RandomOptions
---@return VectorArray  [dim, len]
---@nodiscard
function M.random(dim, len, options) end

---@param vectors (number|complex)[][]  one inner list per vector, all of one length
---@return VectorArray
---@nodiscard
function M.from_table(vectors) end

---@param dim integer  at least 0
---@param len integer  at least 0
---@param f fun(i: integer, j: integer): number|complex  component i of vector j; called vector
---  after vector
---@return VectorArray  [dim, len]
---@nodiscard
function M.from_function(dim, len, f) end

---@param arrays VectorArray[]  at least one, all of one dimension
---@return VectorArray  all their vectors in order
---@nodiscard
function M.cat(arrays) end

--- Component i of vector j.
---@param i integer  1..dim
---@param j integer  1..#U
---@return number|complex
---@nodiscard
function VectorArray:get(i, j) end

---@param i integer  1..dim
---@param j integer  1..#U
---@param x number|complex
---@return VectorArray self
function VectorArray:set(i, j, x) end

--- The real parts.
---@return VectorArray  real, of its own
---@nodiscard
function VectorArray:real() end

--- The imaginary parts.
---@return VectorArray  real, of its own
---@nodiscard
function VectorArray:imag() end

---@return VectorArray  real or complex as self is, of its own
---@nodiscard
function VectorArray:conj() end

---@return (number|complex)[][]  one inner list per vector
---@nodiscard
function VectorArray:to_table() end

--- A view of the vectors first, first + step, ..., not beyond last. `U:slice(3, 2)` is empty.
---@param first integer
---@param last integer   included
---@param step? integer  not 0, 1 by default; negative for the reverse order
---@return VectorArray
---@nodiscard
function VectorArray:slice(first, last, step) end

---@class AppendOptions
---@field remove_from_other? boolean  empties V, whose memory is taken over where that is possible

--- Appends copies of V's vectors. An error while views of self exist.
---@param V VectorArray  [dim, any]
---@param options? AppendOptions
---@return VectorArray self
function VectorArray:append(V, options) end

--- Removes vectors. An error while views of self exist.
---@param indices integer|integer[]  repeats allowed
---@return VectorArray self
function VectorArray:delete(indices) end

--- A base of its own with the same vectors. Memory is shared until one of the two is written.
---@return VectorArray
---@nodiscard
function VectorArray:copy() end

--- Multiplies each vector by its factor.
---@param alpha number|complex|(number|complex)[]  one for all, or one for each vector
---@return VectorArray self
function VectorArray:scal(alpha) end

--- Adds alpha X. X counts as it was before the call, whatever memory it shares with self.
---@param alpha number|complex|(number|complex)[]  one for all, or one for each vector
---@param X VectorArray          [dim, #U], or one vector for all
---@return VectorArray self
function VectorArray:axpy(alpha, X) end

---@param V VectorArray  [dim, any]
---@param product? Product
---@return Matrix  [#U, #V], entry (i, j) is the inner product of U[i], conjugated, and V[j]
---@nodiscard
function VectorArray:inner(V, product) end

---@param product? Product
---@return Matrix  [#U, #U]; without a product exactly symmetric, or Hermitian
---@nodiscard
function VectorArray:gramian(product) end

---@param V VectorArray  [dim, #U]
---@param product? Product
---@return (number|complex)[]  the inner product of U[j], conjugated, and V[j], for each j
---@nodiscard
function VectorArray:pairwise_inner(V, product) end

---@param C Matrix|(number|complex)[]  [#U, n], or a list of #U numbers for one vector
---@return VectorArray  [dim, n]
---@nodiscard
function VectorArray:lincomb(C) end

--- Neither overflows nor underflows; NaN where a vector holds one, else infinite where it holds an
--- infinity. With a product, negative squares above -1e-10 count as 0, and smaller ones are an
--- error, as are squares with an imaginary part; NaN and infinity pass.
---@param product? Product
---@return number[]
---@nodiscard
function VectorArray:norm(product) end

---@param product? Product
---@return number[]  squared norms
---@nodiscard
function VectorArray:norm2(product) end

---@return number[]  largest absolute values, 0 for dimension 0; NaN (in either part) wins
---@nodiscard
function VectorArray:sup_norm() end

--- Where each vector is largest in absolute value: the lowest index on ties, the first NaN if there
--- is one. An error for dimension 0.
---@return integer[] indices
---@return number[] values  absolute
---@nodiscard
function VectorArray:amax() end

---@param indices integer|integer[]  1..dim, repeats allowed
---@return Matrix  [#indices, #U], the components with these indices
---@nodiscard
function VectorArray:dofs(indices) end

---@class AlmostEqualOptions
---@field rtol? number       1e-14 by default
---@field atol? number       1e-14 by default
---@field product? Product   for the norm
---@field sup_norm? boolean  the largest component instead of the Euclidean norm

--- Is |U[j] - V[j]| <= atol + rtol |V[j]| for every j? Never where there is a NaN.
---@param V VectorArray  [dim, #U], or one vector
---@param options? AlmostEqualOptions
---@return boolean
---@nodiscard
function VectorArray:almost_equal(V, options) end

--- Makes the array, and what its views show, read-only for good. An error for a view.
---@return VectorArray self
function VectorArray:freeze() end

--- Gives the memory back before the collector would, and ends a view. May be repeated. Views of
--- a closed base are closed too.
function VectorArray:close() end

--- What inner products are taken with: it has `apply2(V, U)` and `pairwise_apply2(V, U)`.
---@alias Product Matrix|SparseMatrix|Operator

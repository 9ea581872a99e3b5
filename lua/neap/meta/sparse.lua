---@meta

--- An immutable sparse matrix of real or complex numbers, [rows, cols], by compressed columns.
--- Entries that are stored stay, also when they are 0. Matrices with equal patterns share the
--- pattern, and the symbolic factorisation with it.
---@class SparseMatrix
---@field rows integer
---@field cols integer
---@field nnz integer    stored entries
---@field is_complex boolean
---@field source integer  cols: the dimension of what it applies to
---@field range integer   rows
---@operator add(SparseMatrix): SparseMatrix
---@operator add(Matrix): Matrix
---@operator sub(SparseMatrix): SparseMatrix
---@operator sub(Matrix): Matrix
---@operator mul(number|complex): SparseMatrix
---@operator mul(SparseMatrix): SparseMatrix
---@operator mul(Matrix): Matrix
---@operator mul(VectorArray): VectorArray
---@operator div(number|complex): SparseMatrix
---@operator unm: SparseMatrix
local SparseMatrix = {}

--- Duplicates add up, in the order in which they come.
---@param m integer       rows
---@param n integer       columns
---@param rows integer[]  of the entries, from 1
---@param cols integer[]  as many
---@param values (number|complex)[] as many
---@return SparseMatrix
---@nodiscard
function SparseMatrix.from_triplets(m, n, rows, cols, values) end

--- The sum of coefficients[i] * matrices[i] in one pass over the values. Its pattern is the union
--- of all patterns, also where a coefficient is 0; it is found once for a list of patterns and
--- remembered. As in all sums of neap a coefficient 0 is multiplied like any other: a NaN or an
--- infinity that the matrix stores becomes NaN. Only what is not stored adds nothing.
---@param coefficients (number|complex)[]
---@param matrices SparseMatrix[]  as many, at least one, of one shape
---@return SparseMatrix
---@nodiscard
function SparseMatrix.lincomb(coefficients, matrices) end

--- A U
---@param U VectorArray  [cols, len]
---@return VectorArray   [rows, len]
---@nodiscard
function SparseMatrix:apply(U) end

--- A^H V
---@param V VectorArray  [rows, len]
---@return VectorArray   [cols, len]
---@nodiscard
function SparseMatrix:apply_adjoint(V) end

--- V^H A U
---@param V VectorArray  [rows, m]
---@param U VectorArray  [cols, n]
---@return Matrix        [m, n]
---@nodiscard
function SparseMatrix:apply2(V, U) end

---@param V VectorArray  [rows, len]
---@param U VectorArray  [cols, len]
---@return (number|complex)[]  V[i]^H A U[i]
---@nodiscard
function SparseMatrix:pairwise_apply2(V, U) end

--- U with A U = V: by Cholesky's method when A is symmetric (complex: Hermitian), exactly, and
--- turns out to be positive definite, else by LU. The factorisation is kept with A. Raises when A
--- is singular, or U overflows.
---@param V VectorArray  [rows, len]
---@return VectorArray   [cols, len]
---@nodiscard
function SparseMatrix:apply_inverse(V) end

--- V with A^H V = U
---@param U VectorArray  [cols, len]
---@return VectorArray   [rows, len]
---@nodiscard
function SparseMatrix:apply_inverse_adjoint(U) end

--- Factorises now rather than at the first solve.
---@return SparseMatrix self
function SparseMatrix:factorize() end

--- The transposed matrix, not conjugated; A itself when it is symmetric.
---@return SparseMatrix
---@nodiscard
function SparseMatrix:T() end

--- The adjoint; A itself when it is Hermitian.
---@return SparseMatrix
---@nodiscard
function SparseMatrix:H() end

---@return SparseMatrix  the real parts; A itself when it is real
---@nodiscard
function SparseMatrix:real() end

---@return SparseMatrix  the imaginary parts, real, of the same pattern
---@nodiscard
function SparseMatrix:imag() end

---@return SparseMatrix  A itself when it is real
---@nodiscard
function SparseMatrix:conj() end

--- The stored entries, column by column, rows ascending.
---@return integer[] rows
---@return integer[] cols
---@return (number|complex)[] values
---@nodiscard
function SparseMatrix:triplets() end

---@param i integer
---@param j integer
---@return number|complex  0 where nothing is stored
---@nodiscard
function SparseMatrix:get(i, j) end

---@return (number|complex)[]  min(rows, cols) of them
---@nodiscard
function SparseMatrix:diagonal() end

---@return Matrix
---@nodiscard
function SparseMatrix:to_matrix() end

---@param kind? "fro" | "1" | "inf"  default "fro"
---@return number
---@nodiscard
function SparseMatrix:norm(kind) end

--- Does nothing: a SparseMatrix is immutable.
---@return SparseMatrix self
function SparseMatrix:freeze() end

---@class neap
---@field SparseMatrix SparseMatrix
local neap = {}

--- What a .mat file holds, by name: Matrices, SparseMatrices, strings (of several rows: lists of
--- them), lists for cells, tables for structs (of several elements: lists of them). What is 1 x 1
--- and not sparse is a number, complex or plain, or a boolean; integers and singles are numbers
--- like all others. With option as every dense array, 1 x 1 too, is what that says.
---@alias MatFile { [string]: Matrix|VectorArray|SparseMatrix|number|complex|string|boolean|table }

--- Reads an array from a file, by its content: .npy (one dimension, or [dim, len]; a VectorArray
--- unless as says otherwise), .mtx (a SparseMatrix from coordinates, a Matrix from an array), .csv
--- (a Matrix); each also compressed by gzip; or a .mat file of version 5, as MATLAB writes it with
--- -v6 and -v7. Raises when the file is missing or malformed, with its path and the line or byte.
---@param path string
---@param options? { as?: "VectorArray" | "Matrix" | "SparseMatrix" }
---@return VectorArray | Matrix | SparseMatrix | MatFile
---@nodiscard
function neap.load(path, options) end

--- Writes an array: as .npy, .mtx, .mtx.gz or .csv, by the end of the path; or a MatFile as .mat
--- (version 5, at most 2 GiB a variable). The file appears under its name when it is complete;
--- symbolic links are followed, permissions kept, devices and pipes written to. Raises when it
--- cannot be written.
---@param path string
---@param object VectorArray|Matrix|SparseMatrix|MatFile  a SparseMatrix not as .npy or .csv
function neap.save(path, object) end

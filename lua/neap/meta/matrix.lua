---@meta

--- A small dense matrix, column-major, of real or complex numbers. It serves as an Operator and as
--- a product. What is complex makes the result complex, and a matrix where such an entry is set.
---@class Matrix
---@field rows integer
---@field cols integer
---@field range integer   the same as rows
---@field source integer  the same as cols
---@field is_frozen boolean
---@field is_complex boolean
---@operator add(Matrix|SparseMatrix): Matrix
---@operator sub(Matrix|SparseMatrix): Matrix
---@operator mul(Matrix|SparseMatrix): Matrix
---@operator mul(number|complex): Matrix
---@operator unm: Matrix
local Matrix = {}

--- What stands behind `neap.Matrix`.
---@class MatrixModule
local M = {}

---@param rows (number|complex)[][]  one inner list per row, all of one length
---@return Matrix
---@nodiscard
function M.from_table(rows) end

---@param rows integer  at least 0
---@param cols integer  at least 0
---@param options? ComplexOptions
---@return Matrix  [rows, cols]
---@nodiscard
function M.zeros(rows, cols, options) end

---@param n integer  at least 0
---@param options? ComplexOptions
---@return Matrix  [n, n]
---@nodiscard
function M.identity(n, options) end

---@param list (number|complex)[]  the diagonal
---@return Matrix  [#list, #list]
---@nodiscard
function M.diag(list) end

--- The sum of coefficients[i] * matrices[i]; 0 times NaN or infinity is NaN.
---@param coefficients (number|complex)[]
---@param matrices Matrix[]  at least one, all of one shape
---@return Matrix
---@nodiscard
function M.lincomb(coefficients, matrices) end

---@param i integer  1..rows
---@param j integer  1..cols
---@return number|complex
---@nodiscard
function Matrix:get(i, j) end

---@param i integer  1..rows
---@param j integer  1..cols
---@param x number|complex
---@return Matrix self
function Matrix:set(i, j, x) end

---@param i integer  1..rows
---@return (number|complex)[]
---@nodiscard
function Matrix:row(i) end

---@param j integer  1..cols
---@return (number|complex)[]
---@nodiscard
function Matrix:col(j) end

---@return (number|complex)[][]  one inner list per row
---@nodiscard
function Matrix:to_table() end

---@return Matrix  the transpose, [cols, rows], not conjugated
---@nodiscard
function Matrix:T() end

---@return Matrix  the adjoint, [cols, rows]
---@nodiscard
function Matrix:H() end

---@return Matrix  the real parts
---@nodiscard
function Matrix:real() end

---@return Matrix  the imaginary parts, real
---@nodiscard
function Matrix:imag() end

---@return Matrix
---@nodiscard
function Matrix:conj() end

--- Memory is shared until one of the two is written.
---@return Matrix
---@nodiscard
function Matrix:copy() end

--- Solves M X = B through an LU factorisation. An error that names the pivot when M is singular, or
--- when X overflows; a matrix that is singular up to rounding passes, see `cond`.
---@generic B: Matrix|VectorArray|(number|complex)[]
---@param right_hand_side B  of rows rows
---@return B  of the same kind
---@nodiscard
function Matrix:solve(right_hand_side) end

--- Solves M^H X = B.
---@generic B: Matrix|VectorArray|(number|complex)[]
---@param right_hand_side B  of rows rows
---@return B  of the same kind
---@nodiscard
function Matrix:solve_adjoint(right_hand_side) end

--- An error that names the pivot when the matrix is singular.
---@return Factorisation
---@nodiscard
function Matrix:lu() end

--- An error when the matrix is not symmetric (complex: Hermitian), or not positive definite: it
--- names the pivot.
---@return Factorisation
---@nodiscard
function Matrix:cholesky() end

---@return number|complex  0 for a singular matrix
---@nodiscard
function Matrix:det() end

---@class QrOptions
---@field pivoting? boolean  false by default

--- M = Q R, with min(rows, cols) orthonormal columns in Q; with pivoting, column p[j] of M is
--- column j of Q R.
---@param options? QrOptions
---@return Matrix Q
---@return Matrix R
---@return integer[]? p  with pivoting
---@nodiscard
function Matrix:qr(options) end

--- M = U diag(s) Vt (of a complex M it is V^H), with k = min(rows, cols) singular values.
---@return Matrix U    [rows, k]
---@return number[] s  descending
---@return Matrix Vt   [k, cols]
---@nodiscard
function Matrix:svd() end

--- The symmetric or Hermitian eigenproblem M X = X D, or M X = B X D with X^H B X = 1.
---@param B? Matrix  symmetric or Hermitian, positive definite
---@return number[] values  ascending
---@return Matrix vectors   in columns, orthonormal (in the product B)
---@nodiscard
function Matrix:eigh(B) end

--- The eigenproblem M X = X D. Plain numbers when all eigenvalues of a real matrix are real, else
--- all are complex.
---@return (number|complex)[] values
---@return Matrix vectors  in columns, of Euclidean norm 1
---@nodiscard
function Matrix:eig() end

--- The X of least norm among those that minimise |M X - B|.
---@generic B: Matrix|VectorArray|(number|complex)[]
---@param right_hand_side B  of rows rows
---@return B  of the same kind, of cols rows
---@nodiscard
function Matrix:lstsq(right_hand_side) end

--- The pseudoinverse; singular values below max(rows, cols) 2^-52 s[1] count as 0.
---@return Matrix  [cols, rows]
---@nodiscard
function Matrix:pinv() end

--- NaN where an entry is, else infinite where one is.
---@param kind? "fro"|"2"|"1"|"inf"  fro by default
---@return number
---@nodiscard
function Matrix:norm(kind) end

---@return number  condition number in the 2-norm, infinite for a singular matrix
---@nodiscard
function Matrix:cond() end

---@param U VectorArray  [cols, any]
---@return VectorArray  [rows, #U]
---@nodiscard
function Matrix:apply(U) end

---@param V VectorArray  [rows, any]
---@return VectorArray  [cols, #V]
---@nodiscard
function Matrix:apply_adjoint(V) end

---@param V VectorArray  [rows, any]
---@param U VectorArray  [cols, any]
---@return Matrix  V^H M U, [#V, #U]
---@nodiscard
function Matrix:apply2(V, U) end

---@param V VectorArray  [rows, any]
---@param U VectorArray  [cols, #V]
---@return (number|complex)[]  V[j]^H M U[j], for each j
---@nodiscard
function Matrix:pairwise_apply2(V, U) end

--- The same as solve.
---@param V VectorArray  [rows, any]
---@return VectorArray
---@nodiscard
function Matrix:apply_inverse(V) end

--- The same as solve_adjoint.
---@param V VectorArray  [rows, any]
---@return VectorArray
---@nodiscard
function Matrix:apply_inverse_adjoint(V) end

--- Makes the matrix read-only for good.
---@return Matrix self
function Matrix:freeze() end

--- Gives the memory back before the collector would. May be repeated.
function Matrix:close() end

--- The factors of a square matrix, to solve with many times.
---@class Factorisation
local Factorisation = {}

---@generic B: Matrix|VectorArray|(number|complex)[]
---@param right_hand_side B
---@return B  of the same kind
---@nodiscard
function Factorisation:solve(right_hand_side) end

--- With the transpose.
---@generic B: Matrix|VectorArray|(number|complex)[]
---@param right_hand_side B
---@return B  of the same kind
---@nodiscard
function Factorisation:solve_adjoint(right_hand_side) end

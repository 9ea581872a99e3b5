--- Arrays and matrices in plain Lua, to hold neap's against: { m =, n =, [j] = column j }. Entries
--- are small integers, real or complex, so that sums of products are exact.
local neap = require "neap"
local operators = require "neap.operators"

local M = {}

local function conj(x) return type(x) == "number" and x or x:conj() end

--- Entry (i, j) is f(i, j).
function M.new(m, n, f)
  local A = { m = m, n = n }
  for j = 1, n do
    A[j] = {}
    for i = 1, m do A[j][i] = f(i, j) end
  end
  return A
end

--- By math.random.
function M.random(m, n, is_complex)
  local A = M.new(m, n, function()
    local x = math.random(-5, 5)
    return is_complex and neap.complex(x, math.random(-5, 5)) or x + 0.0
  end)
  A.is_complex = is_complex
  return A
end

function M.map(A, f)
  return M.new(A.m, A.n, function(i, j) return f(A[j][i], i, j) end)
end

function M.adjoint(A) return M.new(A.n, A.m, function(i, j) return conj(A[i][j]) end) end

function M.transpose(A) return M.new(A.n, A.m, function(i, j) return A[i][j] end) end

function M.mul(A, B)
  assert(A.n == B.m)
  return M.new(A.m, B.n, function(i, j)
    local sum = 0.0
    for k = 1, A.n do sum = sum + A[k][i] * B[j][k] end
    return sum
  end)
end

--- a A + b B; where B has one column, that is added to each.
function M.sum(a, A, b, B)
  return M.map(A, function(x, i, j) return a * x + b * B[B.n == 1 and 1 or j][i] end)
end

--- These columns.
function M.pick(A, columns)
  return M.new(A.m, #columns, function(i, j) return A[columns[j]][i] end)
end

--- The columns of all, one after the other.
function M.join(...)
  local C = { m = (...).m, n = 0 }
  for _, A in ipairs { ... } do
    for j = 1, A.n do C[C.n + j] = A[j] end
    C.n = C.n + A.n
  end
  return C
end

---@return (number|complex)[]
function M.diagonal(A)
  local list = {}
  for i = 1, math.min(A.m, A.n) do list[i] = A[i][i] end
  return list
end

--- B^H B + 1, integers.
function M.definite(n, is_complex)
  local B = M.random(n, n, is_complex)
  local P = M.mul(M.adjoint(B), B)
  P = M.map(P, function(x, i, j) return i == j and (type(x) == "number" and x or x.re) + 1 or x end)
  P.is_complex = is_complex
  return P
end

-- --- the same as neap's --------------------------------------------------------------------------

local function fill(U, A, place)
  for j = 1, A.n do
    for i = 1, A.m do U:set(i, place(j), A[j][i]) end
  end
end

-- In how many ways an array may lie in memory; each returns it.
local storages = {
  base = function(A, options)
    local U = neap.VectorArray.zeros(A.m, A.n, options)
    fill(U, A, function(j) return j end)
    return U
  end,
  slice = function(A, options)
    local U = neap.VectorArray.full(99, A.m, A.n + 3, options)
    fill(U, A, function(j) return j + 2 end)
    return U:slice(3, A.n + 2)
  end,
  strided = function(A, options)
    local U = neap.VectorArray.full(99, A.m, 3 * A.n + 1, options)
    fill(U, A, function(j) return 3 * j - 1 end)
    return U:slice(2, math.max(3 * A.n - 1, 1), 3)
  end,
  reversed = function(A, options)
    local U = neap.VectorArray.full(99, A.m, A.n + 2, options)
    fill(U, A, function(j) return A.n + 2 - j end)
    return U:slice(A.n + 1, 2, -1)
  end,
  list = function(A, options)
    local U, places = neap.VectorArray.full(99, A.m, 2 * A.n + 1, options), {}
    for j = 1, A.n do places[j] = j % 2 == 1 and j or 2 * A.n + 1 - j end
    fill(U, A, function(j) return places[j] end)
    return U[places]
  end,
}
M.storages = {}
for name in pairs(storages) do M.storages[#M.storages + 1] = name end
table.sort(M.storages)

---@param storage string  one of M.storages
---@return VectorArray
function M.array(A, storage)
  return storages[storage or "base"](A, { complex = A.is_complex or false })
end

---@return Matrix
function M.matrix(A)
  local X = neap.Matrix.zeros(A.m, A.n, { complex = A.is_complex or false })
  for j = 1, A.n do
    for i = 1, A.m do X:set(i, j, A[j][i]) end
  end
  return X
end

---@return SparseMatrix  without the entries that are 0
function M.sparse(A)
  local rows, cols, values = {}, {}, {}
  for j = 1, A.n do
    for i = 1, A.m do
      if A[j][i] ~= 0 then
        rows[#rows + 1], cols[#cols + 1], values[#values + 1] = i, j, A[j][i]
      end
    end
  end
  return neap.SparseMatrix.from_triplets(A.m, A.n, rows, cols, values)
end

local Own = operators.Operator:subclass "spec.Own"

function Own:apply(U) return self.A:apply(U) end

function Own:apply_adjoint(V) return self.A:apply_adjoint(V) end

--- Everything that stands for the same operator.
---@return table<string, Matrix|SparseMatrix|Operator>
function M.operators(A)
  local dense, sparse = M.matrix(A), M.sparse(A)
  return {
    Matrix = dense, SparseMatrix = sparse,
    ["frozen Matrix"] = M.matrix(A):freeze(),
    ["MatrixOperator, dense"] = operators.MatrixOperator(dense),
    ["MatrixOperator, sparse"] = operators.MatrixOperator(sparse),
    LincombOperator = operators.LincombOperator({ dense, sparse }, { 3, -2 }),
    ["a user's own"] = Own:new { source = A.n, range = A.m, linear = true, A = dense },
  }
end

return M

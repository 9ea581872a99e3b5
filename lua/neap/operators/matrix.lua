--- Operators given by a matrix.
local neap = require "neap"
local blame = require "neap.blame"
local class = require "neap.class"
local Operator = require "neap.operators.operator"
local values = require "neap.operators.values"

--- A SparseMatrix or a Matrix as a linear operator.
---@class MatrixOperator: Operator
---@field matrix SparseMatrix|Matrix
local MatrixOperator = class("neap.MatrixOperator", Operator)

function MatrixOperator._fields(A)
  local kind = values.kind(A)
  if kind ~= "neap.SparseMatrix" and kind ~= "neap.Matrix" then
    error(("A: SparseMatrix or Matrix expected, got %s"):format(kind), 3)
  end
  return { matrix = A, source = A.cols, range = A.rows, linear = true, parametric = false }
end

-- " for mu = {diffusion = {0, 1}}"
local function for_mu(mu)
  local names = {}
  for name, value in pairs(type(mu) == "table" and mu or {}) do
    if type(value) == "table" then
      local entries = {}
      for i = 1, math.min(#value, 16) do entries[i] = tostring(value[i]) end
      value = "{" .. table.concat(entries, ", ") .. (#value > 16 and ", ...}" or "}")
    end
    names[#names + 1] = ("%s = %s"):format(name, value)
  end
  table.sort(names)
  return #names > 0 and (" for mu = {%s}"):format(table.concat(names, ", ")) or ""
end

-- The result of a method of the matrix. Its errors stand where the user's code is; arguments have
-- the names that they have there.
local function call(A, method, names, mu, ...)
  local ok, result = pcall(A[method], A, ...)
  if ok then return result end
  if type(result) ~= "string" or result == "not enough memory" then error(result, 0) end
  local arg, complaint = result:match "^bad argument #(%d+) to '[^']*' %((.*)%)$"
  if arg then result = ("%s: %s"):format(names[tonumber(arg) - 1] or names[1], complaint) end
  blame(result .. for_mu(mu))
end

local U, V, VU = { "U" }, { "V" }, { "V", "U" }

function MatrixOperator:apply(X) return call(self.matrix, "apply", U, nil, X) end

function MatrixOperator:apply_adjoint(X) return call(self.matrix, "apply_adjoint", V, nil, X) end

function MatrixOperator:apply2(X, Y) return call(self.matrix, "apply2", VU, nil, X, Y) end

function MatrixOperator:pairwise_apply2(X, Y)
  return call(self.matrix, "pairwise_apply2", VU, nil, X, Y)
end

function MatrixOperator:apply_inverse(X, mu, options)
  values.refuse_options(options, self)
  local A = self.matrix
  return call(A, values.kind(A) == "neap.Matrix" and "solve" or "apply_inverse", V, mu, X)
end

function MatrixOperator:apply_inverse_adjoint(X, mu)
  local A = self.matrix
  return call(A, values.kind(A) == "neap.Matrix" and "solve_adjoint" or "apply_inverse_adjoint",
    V, mu, X)
end

function MatrixOperator:_details()
  return values.kind(self.matrix) == "neap.Matrix" and ", dense" or ", sparse"
end

function MatrixOperator:as_range_array()
  local A = self.matrix
  if values.kind(A) == "neap.Matrix" then return values.columns(A) end
  return A:apply(values.unit_vectors(A.cols))
end

function MatrixOperator:as_source_array()
  local A = self.matrix
  if values.kind(A) == "neap.Matrix" then return values.columns(A:H()) end
  return A:apply_adjoint(values.unit_vectors(A.rows))
end

-- The rows `dofs` of A as triplets; of a Matrix what is not zero, NaN among it.
local function rows_of(A, dofs)
  if values.kind(A) == "neap.SparseMatrix" then
    return (require "neap.operators.selection".matrix(dofs, A.rows) * A):triplets()
  end
  local rows, cols, entries = {}, {}, {}
  for i, dof in ipairs(dofs) do
    for j, x in ipairs(A:row(dof)) do
      if x ~= 0 and (type(x) == "number" or x.re ~= 0 or x.im ~= 0) then
        rows[#rows + 1], cols[#cols + 1], entries[#entries + 1] = i, j, x
      end
    end
  end
  return rows, cols, entries
end

function MatrixOperator:restricted(dofs)
  local selection = require "neap.operators.selection"
  selection.check_dofs(dofs, self.range)
  local A = self.matrix
  local rows, cols, entries = rows_of(A, dofs)
  local source_dofs, places = selection.union { cols }
  local selected = {}
  for k, j in ipairs(cols) do selected[k] = places[j] end
  local R = neap.SparseMatrix.from_triplets(#dofs, #source_dofs, rows, selected, entries)
  return MatrixOperator(values.kind(A) == "neap.Matrix" and R:to_matrix() or R), source_dofs
end

return MatrixOperator

--- Operators given by a matrix.
local neap = require "neap"
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

function MatrixOperator:apply(U)
  return self.matrix:apply(U)
end

function MatrixOperator:apply_adjoint(V)
  return self.matrix:apply_adjoint(V)
end

function MatrixOperator:apply2(V, U)
  return self.matrix:apply2(V, U)
end

function MatrixOperator:pairwise_apply2(V, U)
  return self.matrix:pairwise_apply2(V, U)
end

function MatrixOperator:apply_inverse(V)
  local A = self.matrix
  if values.kind(A) == "neap.Matrix" then return A:solve(V) end
  return A:apply_inverse(V)
end

function MatrixOperator:apply_inverse_adjoint(V)
  local A = self.matrix
  if values.kind(A) == "neap.Matrix" then return A:solve_adjoint(V) end
  return A:apply_inverse_adjoint(V)
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

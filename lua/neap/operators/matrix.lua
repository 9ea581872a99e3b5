--- Operators given by a matrix.
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
  return values.columns(values.kind(A) == "neap.Matrix" and A or A:to_matrix())
end

function MatrixOperator:as_source_array()
  local A = self.matrix
  return values.columns((values.kind(A) == "neap.Matrix" and A or A:to_matrix()):T())
end

return MatrixOperator

--- What may stand for an Operator, and small helpers over arrays that all operators need.
local neap = require "neap"
local blame = require "neap.blame"
local options = require "neap.options"

local M = {}

M.kind = options.kind

--- Is it an instance of a class of operators?
---@return boolean
function M.is_operator(x)
  return type(x) == "table" and x.is_operator == true
end

--- Wraps a SparseMatrix or a Matrix; an Operator is returned as it is.
---@param x Operator|SparseMatrix|Matrix
---@param what string    the argument's name, for the message
---@param level integer  of the function to blame, as in error()
---@return Operator
---@nodiscard
function M.as_operator(x, what, level)
  if M.is_operator(x) then return x end
  local kind = M.kind(x)
  if kind == "neap.SparseMatrix" or kind == "neap.Matrix" then
    return require "neap.operators.matrix" (x)
  end
  error(("%s: Operator, SparseMatrix or Matrix expected, got %s"):format(what, kind), level + 1)
end

--- A product as the methods of VectorArray take it: nil, SparseMatrix, Matrix or Operator.
---@param level integer  of the function to blame
---@param dim? integer   of the vectors that it is for
function M.check_product(x, level, dim)
  if x == nil then return nil end
  local kind = M.kind(x)
  if not M.is_operator(x) and kind ~= "neap.SparseMatrix" and kind ~= "neap.Matrix" then
    error(("product: Operator, SparseMatrix or Matrix expected, got %s"):format(kind), level + 1)
  end
  local m, n = x.range or x.rows, x.source or x.cols
  if dim and (m ~= dim or n ~= dim) then
    error(("product: %d x %d expected, got %d x %d"):format(dim, dim, m, n), level + 1)
  end
  return x
end

--- Raises, where the user's code is, unless U is an array of vectors of that dimension.
---@param U any
---@param dim integer
---@param what string  the argument's name, for the message
function M.check_array(U, dim, what)
  if M.kind(U) ~= "neap.VectorArray" then
    blame(("%s: VectorArray expected, got %s"):format(what, options.describe(U)))
  elseif U.dim ~= dim then
    blame(("%s: dimension %d expected, got %d"):format(what, dim, U.dim))
  end
end

--- Raises, where the user's code is, when there are options for what knows none.
---@param given table|nil
---@param op Operator  that solves without any
function M.refuse_options(given, op)
  if given == nil then return end
  if type(given) ~= "table" then
    blame(("options: table expected, got %s"):format(options.describe(given)))
  end
  local name = next(given)
  if name ~= nil then
    blame(("unknown option '%s': %s solves directly and has no options")
      :format(tostring(name), op.__name))
  end
end

--- The columns of the identity.
---@param dim integer
---@return VectorArray [dim, dim]
---@nodiscard
function M.unit_vectors(dim)
  local U = neap.VectorArray.zeros(dim, dim)
  for i = 1, dim do U:set(i, i, 1.0) end
  return U
end

--- A Matrix as columns, by way of its smaller side.
---@param A Matrix  [m, n]
---@return VectorArray [m, n]
---@nodiscard
function M.columns(A)
  if A.rows <= A.cols then return M.unit_vectors(A.rows):lincomb(A) end
  return A:apply(M.unit_vectors(A.cols))
end

--- Vectors as a Matrix.
---@param U VectorArray  [m, n]
---@return Matrix [m, n]
---@nodiscard
function M.matrix(U)
  local indices = {}
  for i = 1, U.dim do indices[i] = i end
  return U:dofs(indices)
end

return M

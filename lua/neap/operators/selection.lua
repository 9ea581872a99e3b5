--- Components of vectors by index: what operators that are restricted to few of them are made of.
local neap = require "neap"
local MatrixOperator = require "neap.operators.matrix"

local M = {}

--- Refuses what is no list of indices from 1 to n.
---@param dofs integer[]
---@param n integer
---@param level? integer  of the function to blame, as in error(); the caller of a method by default
function M.check_dofs(dofs, n, level)
  level = (level or 2) + 1
  if type(dofs) ~= "table" then
    error(("dofs: list of indices expected, got %s"):format(type(dofs)), level)
  end
  for i = 1, #dofs do
    local dof = dofs[i]
    if math.type(dof) ~= "integer" or dof < 1 or dof > n then
      error(("dofs[%d]: index from 1 to %d expected, got %s"):format(i, n, tostring(dof)), level)
    end
  end
end

--- 1, ..., n.
---@return integer[]
---@nodiscard
function M.all(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

--- The indices in several lists, each once, ascending.
---@param lists integer[][]
---@return integer[] sorted
---@return table<integer, integer> places  index -> where it stands
---@nodiscard
function M.union(lists)
  local sorted, places = {}, {}
  for _, list in ipairs(lists) do
    for _, dof in ipairs(list) do
      if not places[dof] then places[dof], sorted[#sorted + 1] = true, dof end
    end
  end
  table.sort(sorted)
  for place, dof in ipairs(sorted) do places[dof] = place end
  return sorted, places
end

--- The matrix that picks the components `dofs` of vectors of length n.
---@param dofs integer[]  repeats allowed
---@return SparseMatrix   [#dofs, n]
---@nodiscard
function M.matrix(dofs, n)
  local ones = {}
  for i = 1, #dofs do ones[i] = 1.0 end
  return neap.SparseMatrix.from_triplets(#dofs, n, M.all(#dofs), dofs, ones)
end

--- The components `dofs` of vectors as vectors of their own.
---@param U VectorArray   [dim, n]
---@return VectorArray    [#dofs, n]
---@nodiscard
function M.pick(U, dofs)
  return M.matrix(dofs, U.dim):apply(U)
end

--- What a restricted operator becomes when more components of its source are given.
---@param op Operator                    from the components `source_dofs`
---@param source_dofs integer[]
---@param places table<integer, integer>  where each of them stands among n
---@return Operator
---@nodiscard
function M.widen(op, source_dofs, places, n)
  if #source_dofs == n then return op end
  local selected = {}
  for i, dof in ipairs(source_dofs) do selected[i] = places[dof] end
  return require "neap.operators.concatenation" { op, MatrixOperator(M.matrix(selected, n)) }
end

return M

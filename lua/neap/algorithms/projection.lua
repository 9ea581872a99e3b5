--- Galerkin projection of operators, and of projected operators onto leading basis vectors.
local operators = require "neap.operators"
local values = require "neap.operators.values"

local M = {}

local function check_basis(basis, dim, what, level)
  if basis == nil then return end
  if values.kind(basis) ~= "neap.VectorArray" then
    error(("%s: VectorArray expected, got %s"):format(what, values.kind(basis)), level + 1)
  end
  if basis.dim ~= dim then
    error(("%s: dimension %d expected, got %d"):format(what, dim, basis.dim), level + 1)
  end
end

-- What the vectors are to be tested with in the Euclidean product instead. A product of one's own
-- that has no adjoint is taken for Hermitian.
local function representatives(range_basis, product)
  if product == nil then return range_basis end
  product = values.as_operator(product, "product", 1)
  local has_adjoint = product.apply_adjoint ~= operators.Operator.apply_adjoint
  return has_adjoint and product:apply_adjoint(range_basis) or product:apply(range_basis)
end

-- Linear, without parameter: entry (i, j) is the product of c_i with the image of b_j. A matrix
-- with more columns than there are tests is not written out.
local function project_linear(op, range_basis, source_basis, product)
  if source_basis == nil and #range_basis < op.source
    and getmetatable(op) == operators.MatrixOperator then
    local W = op:apply_adjoint(representatives(range_basis, product))
    return operators.MatrixOperator(values.matrix(W):H())
  end
  local image = source_basis and op:apply(source_basis) or op:as_range_array()
  if range_basis then
    return operators.MatrixOperator(range_basis:inner(image, product))
  end
  return operators.VectorOperator(image)
end

local project_any

local function project_terms(op, range_basis, source_basis, product)
  local terms = {}
  for q, A in ipairs(op.operators) do
    terms[q] = project_any(A, range_basis, source_basis, product)
  end
  return operators.LincombOperator(terms, op.coefficients)
end

-- A concatenation gives up the linear factors at its ends to the bases.
local function project_concatenation(op, range_basis, source_basis, product)
  local first, last = op.operators[1], op.operators[#op.operators]
  if #op.operators > 1 and source_basis and last.linear and not last.parametric then
    local rest = operators.ConcatenationOperator(table.move(op.operators, 1,
      #op.operators - 1, 1, {}))
    return project_any(rest, range_basis, last:apply(source_basis), product)
  end
  if #op.operators > 1 and range_basis and first.linear and not first.parametric then
    local rest = operators.ConcatenationOperator(table.move(op.operators, 2, #op.operators, 1, {}))
    return project_any(rest, first:apply_adjoint(representatives(range_basis, product)),
      source_basis)
  end
  if #op.operators == 1 then return project_any(first, range_basis, source_basis, product) end
  return operators.ProjectedOperator(op, range_basis, source_basis, product)
end

function project_any(op, range_basis, source_basis, product)
  local class = getmetatable(op)
  if range_basis == nil and source_basis == nil then return op end
  if class == operators.LincombOperator then
    return project_terms(op, range_basis, source_basis, product)
  elseif class == operators.ConcatenationOperator then
    return project_concatenation(op, range_basis, source_basis, product)
  elseif class == operators.EmpiricalInterpolatedOperator and op.restricted_operator then
    return project_concatenation(op:factors(), range_basis, source_basis, product)
  elseif class == operators.ZeroOperator then
    return operators.ZeroOperator(range_basis and #range_basis or op.range,
      source_basis and #source_basis or op.source)
  elseif class == operators.VectorFunctional and range_basis == nil then
    return operators.VectorFunctional(values.columns(
      source_basis:inner(op:as_source_array())))
  elseif class == operators.VectorOperator and source_basis == nil then
    return operators.VectorOperator(values.columns(range_basis:inner(op.array, product)))
  elseif op.linear and not op.parametric then
    return project_linear(op, range_basis, source_basis, product)
  end
  return operators.ProjectedOperator(op, range_basis, source_basis, product)
end

--- The Galerkin projection: entry (i, j) of its matrix is (c_i, op b_j) in the product P, that is
--- c_i^H P op b_j, as `inner` has it.
--- A LincombOperator is projected term by term. Without bases op itself is returned.
---@param op Operator|SparseMatrix|Matrix
---@param range_basis VectorArray|nil   [range, r]; nil: the range stays
---@param source_basis VectorArray|nil  [source, s]; nil: the source stays
---@param product? Operator|SparseMatrix|Matrix  in the range
---@return Operator  [r, s]
---@nodiscard
function M.project(op, range_basis, source_basis, product)
  op = values.as_operator(op, "op", 2)
  check_basis(range_basis, op.range, "range_basis", 2)
  check_basis(source_basis, op.source, "source_basis", 2)
  values.check_product(product, 2, op.range)
  return (project_any(op, range_basis, source_basis, product))
end

local function indices(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

local subbasis = {} -- by class of the projected operator

local function to_subbasis(op, r, s)
  local narrow = subbasis[getmetatable(op)]
  if narrow == nil then
    error(("no rule to restrict a %s to leading basis vectors"):format(op.__name), 0)
  end
  return narrow(op, r, s)
end

subbasis[operators.MatrixOperator] = function(op, r, s)
  local block = values.columns(op.matrix):slice(1, s)
  return operators.MatrixOperator(block:dofs(indices(r)))
end

subbasis[operators.LincombOperator] = function(op, r, s)
  local terms = {}
  for q, A in ipairs(op.operators) do terms[q] = to_subbasis(A, r, s) end
  return operators.LincombOperator(terms, op.coefficients)
end

subbasis[operators.VectorOperator] = function(op, r)
  return operators.VectorOperator(values.columns(op.array:dofs(indices(r))))
end

subbasis[operators.VectorFunctional] = function(op, _, s)
  return operators.VectorFunctional(values.columns(op:as_source_array():dofs(indices(s))))
end

subbasis[operators.ZeroOperator] = function(_, r, s)
  return operators.ZeroOperator(r, s)
end

subbasis[operators.ProjectedOperator] = function(op, r, s)
  local V, W = op.range_basis, op.source_basis
  return operators.ProjectedOperator(op.operator, V and V:slice(1, r):copy(),
    W and W:slice(1, s):copy(), op.product)
end

--- The leading part of a projected operator, as if it had been projected on the first r vectors
--- of the range basis and the first s of the source basis.
---@param op Operator  projected
---@param r integer    at most op.range
---@param s integer    at most op.source
---@return Operator
---@nodiscard
function M.project_to_subbasis(op, r, s)
  op = values.as_operator(op, "op", 2)
  for what, pair in pairs { r = { r, op.range }, s = { s, op.source } } do
    if math.type(pair[1]) ~= "integer" or pair[1] < 0 or pair[1] > pair[2] then
      error(("%s: integer from 0 to %d expected, got %s")
        :format(what, pair[2], tostring(pair[1])), 2)
    end
  end
  return (to_subbasis(op, r, s))
end

return M

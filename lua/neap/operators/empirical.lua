--- Empirical interpolation of operators.
local class = require "neap.class"
local Operator = require "neap.operators.operator"
local MatrixOperator = require "neap.operators.matrix"
local ConcatenationOperator = require "neap.operators.concatenation"
local VectorOperator = require "neap.operators.vector".VectorOperator
local neap = require "neap"
local selection = require "neap.operators.selection"
local simple = require "neap.operators.simple"
local values = require "neap.operators.values"

--- Of the operator only the components `dofs` of its image are computed; the image is the linear
--- combination of the collateral basis that agrees with it there. Where the operator has
--- `restricted`, few components of U are enough.
---@class EmpiricalInterpolatedOperator: Operator
---@field operator Operator
---@field dofs integer[]                interpolation DOFs, all different
---@field basis VectorArray             collateral basis, [range, #dofs]
---@field interpolation_matrix Matrix   [#dofs, #dofs]: basis:dofs(dofs)
---@field restricted_operator? Operator to the DOFs
---@field source_dofs? integer[]        what it needs of U, sorted
local EmpiricalInterpolatedOperator = class("neap.EmpiricalInterpolatedOperator", Operator)

-- operator -> LU factors of its interpolation matrix, which cannot travel.
local factors = setmetatable({}, { __mode = "k" })

-- Restricted operator and source DOFs; nil where something in op has no such method.
local function restrict(op, dofs)
  local ok, restricted, source_dofs = pcall(op.restricted, op, dofs)
  if ok then return restricted, source_dofs end
  local is_lack = tostring(restricted):find("has no method 'restricted'", 1, true)
  if not is_lack then error(restricted, 0) end
  return nil
end

local function check_basis(basis, op, dofs)
  local kind = values.kind(basis)
  if kind ~= "neap.VectorArray" then
    error(("basis: VectorArray expected, got %s"):format(kind), 4)
  end
  if basis.dim ~= op.range or #basis ~= #dofs then
    error(("basis: shape %d x %d expected, got %d x %d"):format(op.range, #dofs, basis.dim, #basis),
      4)
  end
end

function EmpiricalInterpolatedOperator._fields(op, dofs, basis)
  op = values.as_operator(op, "op", 3)
  selection.check_dofs(dofs, op.range, 3)
  check_basis(basis, op, dofs)
  local seen = {}
  for i, dof in ipairs(dofs) do
    if seen[dof] then error(("dofs[%d]: %d occurs twice"):format(i, dof), 3) end
    seen[dof] = true
  end
  dofs = table.move(dofs, 1, #dofs, 1, {})
  local matrix = basis:dofs(dofs)
  local ok, message = pcall(matrix.lu, matrix)
  if not ok then error(("basis: %s"):format(message), 3) end
  local restricted, source_dofs = restrict(op, dofs)
  return {
    operator = op, dofs = dofs, basis = basis, interpolation_matrix = matrix,
    restricted_operator = restricted, source_dofs = source_dofs,
    source = op.source, range = op.range, linear = op.linear, parametric = op.parametric,
  }
end

local function lu(self)
  local known = factors[self]
  if not known then
    known = self.interpolation_matrix:lu()
    factors[self] = known
  end
  return known
end

-- The basis whose coefficients are the values at the DOFs.
local function nodal_basis(self)
  return self.basis:lincomb(lu(self):solve(neap.Matrix.identity(#self.dofs)))
end

function EmpiricalInterpolatedOperator:apply(U, mu)
  local at_dofs
  if self.restricted_operator then
    at_dofs = self.restricted_operator:apply(selection.pick(U, self.source_dofs), mu)
  else
    at_dofs = selection.pick(self.operator:apply(U, mu), self.dofs)
  end
  return self.basis:lincomb(values.matrix(lu(self):solve(at_dofs)))
end

function EmpiricalInterpolatedOperator:apply_adjoint(V, mu)
  if not self.linear then
    error(("%s is not linear and has no adjoint"):format(tostring(self)), 2)
  end
  local at_dofs = lu(self):solve_adjoint(values.columns(self.basis:inner(V)))
  if self.restricted_operator == nil then
    return self.operator:apply_adjoint(selection.matrix(self.dofs, self.range)
      :apply_adjoint(at_dofs), mu)
  end
  return selection.matrix(self.source_dofs, self.source)
    :apply_adjoint(self.restricted_operator:apply_adjoint(at_dofs, mu))
end

--- The same as a concatenation: nodal basis, operator restricted to the DOFs, the components it
--- needs. What is projected keeps no full dimension.
---@return ConcatenationOperator|EmpiricalInterpolatedOperator  self without restricted operator
---@nodiscard
function EmpiricalInterpolatedOperator:factors()
  if self.restricted_operator == nil then return self end
  return ConcatenationOperator { VectorOperator(nodal_basis(self)), self.restricted_operator,
    MatrixOperator(selection.matrix(self.source_dofs, self.source)) }
end

function EmpiricalInterpolatedOperator:assemble(mu)
  if not self.parametric then return self end
  return EmpiricalInterpolatedOperator(self.operator:assemble(mu), self.dofs, self.basis)
end

function EmpiricalInterpolatedOperator:jacobian(U, mu)
  if self.linear then return self:assemble(mu) end
  if #self.dofs == 0 then return simple.ZeroOperator(self.range, self.source) end
  if self.restricted_operator then return self:factors():jacobian(U, mu) end
  return ConcatenationOperator { VectorOperator(nodal_basis(self)),
    MatrixOperator(selection.matrix(self.dofs, self.range)), self.operator:jacobian(U, mu) }
end

function EmpiricalInterpolatedOperator:restricted(dofs)
  selection.check_dofs(dofs, self.range)
  if self.restricted_operator == nil then return self.operator:restricted(dofs) end
  return ConcatenationOperator { VectorOperator(selection.pick(nodal_basis(self), dofs)),
    self.restricted_operator }, self.source_dofs
end

return EmpiricalInterpolatedOperator

--- Galerkin projections of operators that have no smaller form.
local class = require "neap.class"
local Operator = require "neap.operators.operator"
local FixedParameterOperator = require "neap.operators.fixed_parameter"
local selection = require "neap.operators.selection"
local values = require "neap.operators.values"

--- Coefficients u -> range_basis^T product A(source_basis u). Without a basis on one side that
--- side stays as it is.
---@class ProjectedOperator: Operator
---@field operator Operator
---@field range_basis VectorArray|nil
---@field source_basis VectorArray|nil
---@field product Operator|SparseMatrix|Matrix|nil
local ProjectedOperator = class("neap.ProjectedOperator", Operator)

function ProjectedOperator._fields(op, range_basis, source_basis, product)
  op = values.as_operator(op, "op", 3)
  if range_basis ~= nil then values.check_array(range_basis, op.range, "range_basis") end
  if source_basis ~= nil then values.check_array(source_basis, op.source, "source_basis") end
  return {
    operator = op, range_basis = range_basis, source_basis = source_basis,
    product = values.check_product(product, 3, range_basis and op.range),
    source = source_basis and #source_basis or op.source,
    range = range_basis and #range_basis or op.range,
    linear = op.linear, parametric = op.parametric,
  }
end

function ProjectedOperator:apply(U, mu)
  values.check_array(U, self.source, "U")
  if self.source_basis then U = self.source_basis:lincomb(values.matrix(U)) end
  local V = self.operator:apply(U, mu)
  if self.range_basis == nil then return V end
  return values.columns(self.range_basis:inner(V, self.product))
end

function ProjectedOperator:apply_adjoint(V, mu)
  values.check_array(V, self.range, "V")
  if self.range_basis then
    V = self.range_basis:lincomb(values.matrix(V))
    if self.product then
      V = values.as_operator(self.product, "product", 1):apply_adjoint(V)
    end
  end
  local U = self.operator:apply_adjoint(V, mu)
  if self.source_basis == nil then return U end
  return values.columns(self.source_basis:inner(U))
end

--- Of a linear operator its matrix: the images of the source basis, tested with the range basis.
function ProjectedOperator:assemble(mu)
  if not self.linear or self.range_basis == nil and self.source_basis == nil then
    return Operator.assemble(self, mu)
  end
  local op = self.operator:assemble(mu)
  if op.parametric then op = FixedParameterOperator(op, mu) end
  return require "neap.algorithms.projection".project(op, self.range_basis, self.source_basis,
    self.product)
end

--- With a range basis the components are products with some of its vectors, hence of the whole
--- image.
function ProjectedOperator:restricted(dofs)
  selection.check_dofs(dofs, self.range)
  if self.range_basis then
    return ProjectedOperator(self.operator, self.range_basis[dofs], self.source_basis,
      self.product), selection.all(self.source)
  end
  local restricted, source_dofs = self.operator:restricted(dofs)
  if self.source_basis == nil then return restricted, source_dofs end
  return ProjectedOperator(restricted, nil, selection.pick(self.source_basis, source_dofs)),
    selection.all(self.source)
end

function ProjectedOperator:jacobian(U, mu)
  if self.source_basis then U = self.source_basis:lincomb(values.matrix(U)) end
  return require "neap.algorithms.projection".project(self.operator:jacobian(U, mu),
    self.range_basis, self.source_basis, self.product)
end

return ProjectedOperator

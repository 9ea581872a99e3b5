--- Adjoints.
local class = require "neap.class"
local Operator = require "neap.operators.operator"
local MatrixOperator = require "neap.operators.matrix"
local LincombOperator = require "neap.operators.lincomb"
local mu_ = require "neap.parameters.mu"
local values = require "neap.operators.values"

--- The adjoint of a linear operator.
---@class AdjointOperator: Operator
---@field operator Operator
local AdjointOperator = class("neap.AdjointOperator", Operator)

function AdjointOperator._fields(op)
  op = values.as_operator(op, "op", 3)
  if not op.linear then error("op: linear operator expected", 3) end
  return { operator = op, source = op.range, range = op.source, linear = true,
           parametric = op.parametric }
end

function AdjointOperator:apply(U, mu) return self.operator:apply_adjoint(U, mu) end

function AdjointOperator:apply_adjoint(V, mu) return self.operator:apply(V, mu) end

function AdjointOperator:apply_inverse(V, mu, options)
  values.refuse_options(options, self)
  return self.operator:apply_inverse_adjoint(V, mu)
end

function AdjointOperator:apply_inverse_adjoint(V, mu)
  return self.operator:apply_inverse(V, mu)
end

function AdjointOperator:assemble(mu)
  if not self.parametric then return self end
  return AdjointOperator(self.operator:assemble(mu))
end

function AdjointOperator:as_range_array(mu) return self.operator:as_source_array(mu) end

function AdjointOperator:as_source_array(mu) return self.operator:as_range_array(mu) end

function AdjointOperator:restricted(dofs)
  local op = self.operator
  if getmetatable(op) == MatrixOperator then
    return MatrixOperator(op.matrix:H()):restricted(dofs)
  elseif getmetatable(op) == LincombOperator then
    local adjoints = {}
    for q, A in ipairs(op.operators) do adjoints[q] = A:H() end
    return LincombOperator(adjoints, mu_.conjugates(op.coefficients)):restricted(dofs)
  end
  return Operator.restricted(self, dofs)
end

function AdjointOperator:H() return self.operator end

return AdjointOperator

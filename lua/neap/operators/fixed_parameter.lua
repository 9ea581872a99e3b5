--- Parametric operators for one mu.
local class = require "neap.class"
local mu_ = require "neap.parameters.mu"
local Operator = require "neap.operators.operator"
local values = require "neap.operators.values"

--- What assemble returns of an operator that cannot do better.
---@class FixedParameterOperator: Operator
---@field operator Operator
---@field mu table  a copy: what becomes of the caller's does not matter
local FixedParameterOperator = class("neap.FixedParameterOperator", Operator)

function FixedParameterOperator._fields(op, mu)
  op = values.as_operator(op, "op", 3)
  if mu == nil then error("mu: missing, but the operator depends on it", 3) end
  return { operator = op, mu = mu_.copy(mu_.parse(mu)), source = op.source, range = op.range,
           linear = op.linear, parametric = false }
end

for _, method in ipairs { "apply", "apply_adjoint", "apply_inverse_adjoint" } do
  FixedParameterOperator[method] = function(self, U)
    return self.operator[method](self.operator, U, self.mu)
  end
end

function FixedParameterOperator:apply_inverse(V, _, options)
  return self.operator:apply_inverse(V, self.mu, options)
end

function FixedParameterOperator:restricted(dofs)
  local restricted, source_dofs = self.operator:restricted(dofs)
  if restricted.parametric then restricted = FixedParameterOperator(restricted, self.mu) end
  return restricted, source_dofs
end

function FixedParameterOperator:jacobian(U) return self.operator:jacobian(U, self.mu) end

return FixedParameterOperator

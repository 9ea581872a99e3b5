--- Inverses.
local blame = require "neap.blame"
local class = require "neap.class"
local Operator = require "neap.operators.operator"
local values = require "neap.operators.values"

--- Applying it solves.
---@class InverseOperator: Operator
---@field operator Operator
local InverseOperator = class("neap.InverseOperator", Operator)

function InverseOperator._fields(op)
  op = values.as_operator(op, "op", 3)
  if op.source ~= op.range then
    error(("op: square operator expected, got %d x %d"):format(op.range, op.source), 3)
  end
  return { operator = op, source = op.range, range = op.source, linear = op.linear,
           parametric = op.parametric }
end

function InverseOperator:apply(U, mu) return self.operator:apply_inverse(U, mu) end

function InverseOperator:apply_adjoint(V, mu)
  return self.operator:apply_inverse_adjoint(V, mu)
end

function InverseOperator:apply_inverse(V, mu, options)
  values.refuse_options(options, self)
  return self.operator:apply(V, mu)
end

function InverseOperator:apply_inverse_adjoint(V, mu)
  return self.operator:apply_adjoint(V, mu)
end

function InverseOperator:restricted(dofs) -- luacheck: no unused args
  blame(("%s cannot be restricted: each component of a solution depends on all of the right-hand "
    .. "side"):format(self.__name))
end

function InverseOperator:assemble(mu)
  if not self.parametric then return self end
  return InverseOperator(self.operator:assemble(mu))
end

return InverseOperator

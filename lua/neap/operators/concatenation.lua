--- Operators applied one after the other.
local class = require "neap.class"
local MatrixOperator = require "neap.operators.matrix"
local Operator = require "neap.operators.operator"
local selection = require "neap.operators.selection"
local values = require "neap.operators.values"

--- operators[1](operators[2](...)): the last one is applied first.
---@class ConcatenationOperator: Operator
---@field operators Operator[]
---@field has_square_factors boolean
local ConcatenationOperator = class("neap.ConcatenationOperator", Operator)

function ConcatenationOperator._fields(operators)
  if type(operators) ~= "table" or values.is_operator(operators) or #operators == 0 then
    error("operators: non-empty list expected", 3)
  end
  local fields = { operators = {}, linear = true, parametric = false }
  for i = 1, #operators do
    local A = values.as_operator(operators[i], ("operators[%d]"):format(i), 3)
    local previous = fields.operators[i - 1]
    if previous and previous.source ~= A.range then
      error(("operators[%d]: range of dimension %d expected, got %d")
        :format(i, previous.source, A.range), 3)
    end
    fields.operators[i] = A
    fields.linear = fields.linear and A.linear
    fields.parametric = fields.parametric or A.parametric
  end
  fields.has_square_factors = true
  for _, A in ipairs(fields.operators) do
    fields.has_square_factors = fields.has_square_factors and A.source == A.range
  end
  fields.range = fields.operators[1].range
  fields.source = fields.operators[#operators].source
  return fields
end

function ConcatenationOperator:apply(U, mu)
  for i = #self.operators, 1, -1 do U = self.operators[i]:apply(U, mu) end
  return U
end

function ConcatenationOperator:apply_adjoint(V, mu)
  for i = 1, #self.operators do V = self.operators[i]:apply_adjoint(V, mu) end
  return V
end

function ConcatenationOperator:assemble(mu)
  if not self.parametric then return self end
  local operators = {}
  for i, A in ipairs(self.operators) do operators[i] = A:assemble(mu) end
  return ConcatenationOperator(operators)
end

-- With factors that are not square it is not their inverses that make the inverse: its matrix.
local function as_matrix(self, mu)
  return MatrixOperator(values.matrix(self:as_range_array(mu)))
end

function ConcatenationOperator:apply_inverse(V, mu, options)
  if self.linear and not self.has_square_factors then
    return as_matrix(self, mu):apply_inverse(V, mu, options)
  end
  for i = 1, #self.operators do V = self.operators[i]:apply_inverse(V, mu, options) end
  return V
end

function ConcatenationOperator:apply_inverse_adjoint(V, mu)
  if not self.has_square_factors then return as_matrix(self, mu):apply_inverse_adjoint(V, mu) end
  for i = #self.operators, 1, -1 do V = self.operators[i]:apply_inverse_adjoint(V, mu) end
  return V
end

function ConcatenationOperator:jacobian(U, mu)
  if self.linear then return self:assemble(mu) end
  local operators = {}
  for i = #self.operators, 1, -1 do
    operators[i] = self.operators[i]:jacobian(U, mu)
    if i > 1 then U = self.operators[i]:apply(U, mu) end
  end
  return ConcatenationOperator(operators)
end

function ConcatenationOperator:restricted(dofs)
  selection.check_dofs(dofs, self.range)
  local operators = {}
  for i, A in ipairs(self.operators) do operators[i], dofs = A:restricted(dofs) end
  return ConcatenationOperator(operators), dofs
end

return ConcatenationOperator

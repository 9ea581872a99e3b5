--- The interface of all operators, with what can be said without knowing the operator.
local blame = require "neap.blame"
local class = require "neap.class"
local collect = require "neap.parameters.collect"
local describe = require "neap.parameters.describe"
local values = require "neap.operators.values"

--- A (parametric) operator between Euclidean spaces.
---@class Operator
---@field source integer      dimension of the vectors it is applied to
---@field range integer       dimension of the results
---@field linear boolean
---@field parametric boolean  does it depend on mu?
---@field name? string
local Operator = class("neap.Operator", nil, { immutable = true })
Operator.is_operator = true

--- A class of own operators: define methods on what it returns, make instances with :new.
---@param name string  shown in messages
---@return table class
---@nodiscard
function Operator:subclass(name)
  if type(name) ~= "string" then
    error(("name: string expected, got %s"):format(type(name)), 2)
  end
  return class(name, self)
end

--- An instance of a class of own operators.
---@param fields table  source and range; linear (default false), parametric (default true
---  for what is not linear, else false), and whatever the methods use
---@return Operator
---@nodiscard
function Operator:new(fields)
  if type(fields) ~= "table" then
    error(("fields: table expected, got %s"):format(type(fields)), 2)
  end
  local instance = { linear = false, parametric = false }
  for key, value in pairs(fields) do instance[key] = value end
  for _, key in ipairs { "source", "range" } do
    if math.type(instance[key]) ~= "integer" or instance[key] < 0 then
      error(("%s: dimension expected, got %s"):format(key, tostring(instance[key])), 2)
    end
  end
  return setmetatable(instance, self)
end

local function lacks(self, method)
  blame(("%s has no method '%s'"):format(self.__name, method))
end

-- Is the method more than what stands in this file? One with a fixed parameter has what its
-- operator has.
local function brings(op, method)
  if op.__name == "neap.FixedParameterOperator" then op = op.operator end
  return op[method] ~= Operator[method]
end

-- What self is assembled to, until it brings the method.
local function assembled_for(self, method, mu)
  local op = self
  while not brings(op, method) do
    local assembled = op:assemble(op.parametric and mu or nil)
    if rawequal(assembled, op)
      or getmetatable(assembled) == getmetatable(op) and not op.parametric then
      blame(("%s has no method '%s'; %s"):format(self.__name, method, op:_why_unsolvable()))
    end
    op = assembled
  end
  return op
end

--- What would help where there is no matrix to solve with.
---@return string
function Operator:_why_unsolvable()
  if self.__name == "neap.FixedParameterOperator" then return self.operator:_why_unsolvable() end
  if not self.linear then return "define it" end
  return "define it, or an assemble(mu) that returns a MatrixOperator"
end

--- The images of the vectors of U.
---@param U VectorArray  [source, n]
---@param mu? table
---@return VectorArray [range, n]
---@nodiscard
function Operator:apply(U, mu) -- luacheck: no unused args
  lacks(self, "apply")
end

--- The images of the vectors of V under the adjoint.
---@param V VectorArray  [range, n]
---@param mu? table
---@return VectorArray [source, n]
---@nodiscard
function Operator:apply_adjoint(V, mu) -- luacheck: no unused args
  lacks(self, "apply_adjoint")
end

--- V^T A(U).
---@param V VectorArray  [range, m]
---@param U VectorArray  [source, n]
---@param mu? table
---@return Matrix [m, n]
---@nodiscard
function Operator:apply2(V, U, mu)
  values.check_array(V, self.range, "V")
  return V:inner(self:apply(U, mu))
end

--- The diagonal of V^T A(U), for as many vectors in V as in U.
---@return number[]
---@nodiscard
function Operator:pairwise_apply2(V, U, mu)
  values.check_array(V, self.range, "V")
  local AU = self:apply(U, mu)
  if #V ~= #AU then blame(("V: %d vectors expected, got %d"):format(#AU, #V)) end
  return V:pairwise_inner(AU)
end

--- The operator for this mu, without parameter.
---@return Operator
---@nodiscard
function Operator:assemble(mu)
  if not self.parametric then return self end
  return require "neap.operators.fixed_parameter" (self, mu)
end

--- Solves A(U) = V for each vector of V.
---@param V VectorArray  [range, n]
---@param mu? table
---@param options? table
---@return VectorArray [source, n]
---@nodiscard
function Operator:apply_inverse(V, mu, options)
  return assembled_for(self, "apply_inverse", mu):apply_inverse(V, mu, options)
end

--- Solves A^T U = V for each vector of V.
---@param V VectorArray  [source, n]
---@return VectorArray [range, n]
---@nodiscard
function Operator:apply_inverse_adjoint(V, mu)
  return assembled_for(self, "apply_inverse_adjoint", mu):apply_inverse_adjoint(V, mu)
end

--- Vectors W in the range with A(u) = W:lincomb(u).
---@return VectorArray [range, source]
---@nodiscard
function Operator:as_range_array(mu)
  if not self.linear then lacks(self, "as_range_array") end
  return self:apply(values.unit_vectors(self.source), mu)
end

--- Vectors W in the source with A(u) = W:inner(u).
---@return VectorArray [source, range]
---@nodiscard
function Operator:as_source_array(mu)
  if not self.linear then lacks(self, "as_source_array") end
  return self:apply_adjoint(values.unit_vectors(self.range), mu)
end

--- The derivative in U, one vector.
---@param U VectorArray  [source, 1]
---@return Operator
---@nodiscard
function Operator:jacobian(U, mu) -- luacheck: no unused args
  if not self.linear then lacks(self, "jacobian") end
  return self:assemble(mu)
end

--- The operator that computes the components `dofs` of the image from few of the source.
---@param dofs integer[]
---@return Operator restricted, integer[] source_dofs  sorted
function Operator:restricted(dofs) -- luacheck: no unused args
  lacks(self, "restricted")
end

--- The adjoint operator.
---@return Operator
---@nodiscard
function Operator:H()
  return require "neap.operators.adjoint" (self)
end

-- The arithmetic knows classes derived from this one, hence is loaded at first use. Tail calls,
-- so that its errors blame the expression.
local function arithmetic(name)
  return function(A, B) return require "neap.operators.arithmetic"[name](A, B) end
end
Operator.__add = arithmetic "add"
Operator.__sub = arithmetic "sub"
Operator.__mul = arithmetic "mul"
Operator.__unm = arithmetic "unm"

-- What a class adds to the text of its operators.
function Operator:_details()
  return type(self.operators) == "table" and (", %d operators"):format(#self.operators) or ""
end

function Operator:__tostring()
  local name = self.name or self.__name:match "^neap%.(.*)" or self.__name
  return ("%s(%d x %d%s%s%s)"):format(name, self.range, self.source,
    self.linear and "" or ", nonlinear", self:_details(),
    describe(collect(self), self.parametric))
end

return Operator

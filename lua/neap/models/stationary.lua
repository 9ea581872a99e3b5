--- Stationary problems A(u; mu) = f(mu).
local neap = require "neap"
local blame = require "neap.blame"
local class = require "neap.class"
local collect = require "neap.parameters.collect"
local describe = require "neap.parameters.describe"
local mu_ = require "neap.parameters.mu"
local options_ = require "neap.options"
local operators = require "neap.operators"
local values = require "neap.operators.values"

--- A(u; mu) = f(mu), with outputs of u.
---@class StationaryModel
---@field operator Operator
---@field rhs Operator                      from dimension 1
---@field output_functional? Operator
---@field products table<string, Operator|SparseMatrix|Matrix>
---@field error_estimator? table            with estimate(mu, model)
---@field dim integer                       of the solutions
---@field linear boolean
---@field parametric boolean
---@field parameters table<string, integer>  those that are known: name -> number of components
---@field name? string
local StationaryModel = class("neap.StationaryModel", nil, { immutable = true })
StationaryModel.is_model = true

local MATRICES = { ["neap.SparseMatrix"] = true, ["neap.Matrix"] = true }

-- An Operator from what the caller gave: an operator, an array, or a list of operators or arrays
-- with coefficients.
local function read(x, coefficients, wrap, what)
  local function one(y, name)
    if values.kind(y) == "neap.VectorArray" and wrap then return wrap(y) end
    if not values.is_operator(y) and not MATRICES[values.kind(y)] then
      blame(("%s: Operator, SparseMatrix%s Matrix expected, got %s"):format(name,
        wrap and ", VectorArray or" or " or", y == nil and "nothing" or values.kind(y)))
    end
    return values.as_operator(y, name, 1)
  end
  if type(x) ~= "table" or values.is_operator(x) then
    if coefficients then error(("%s: list expected beside its coefficients"):format(what), 4) end
    return one(x, what)
  end
  local list = {}
  for q = 1, #x do list[q] = one(x[q], ("%s[%d]"):format(what, q)) end
  if type(coefficients) ~= "table" or #coefficients ~= #list then
    error(("%s: list of %d coefficients expected beside it"):format(what, #list), 4)
  end
  return (operators.LincombOperator(list, coefficients))
end

local SPEC = {
  operator = options_.any, rhs = options_.any, output_functional = options_.any,
  coefficients = options_.any, rhs_coefficients = options_.any,
  output_coefficients = options_.any,
  products = {}, error_estimator = options_.any, name = options_.any,
}

function StationaryModel._fields(arguments)
  local given = options_.parse(arguments, SPEC, 3)
  local A = read(given.operator, given.coefficients, nil, "operator")
  local f = read(given.rhs, given.rhs_coefficients, operators.VectorOperator, "rhs")
  local l = given.output_functional and read(given.output_functional,
    given.output_coefficients, operators.VectorFunctional, "output_functional")
  if A.source ~= A.range then
    error(("operator: square operator expected, got %d x %d"):format(A.range, A.source), 3)
  end
  if f.range ~= A.range or f.source ~= 1 then
    error(("rhs: %d x 1 expected, got %d x %d"):format(A.range, f.range, f.source), 3)
  end
  if l and l.source ~= A.source then
    error(("output_functional: source of dimension %d expected, got %d")
      :format(A.source, l.source), 3)
  end
  local products = {}
  for name, product in pairs(given.products) do
    local P = values.as_operator(product, ("products.%s"):format(tostring(name)), 3)
    if P.source ~= A.source or P.range ~= A.source then
      error(("products.%s: %d x %d expected, got %d x %d")
        :format(tostring(name), A.source, A.source, P.range, P.source), 3)
    end
    products[name] = product
  end
  return {
    operator = A, rhs = f, output_functional = l, products = products,
    error_estimator = given.error_estimator, name = given.name,
    dim = A.source, linear = A.linear and (l == nil or l.linear),
    parametric = A.parametric or f.parametric or (l ~= nil and l.parametric),
    parameters = collect(A, f, l),
  }
end

-- Lua lets fields be overwritten: names the one that was.
local function refuse_field(self)
  for _, name in ipairs { "operator", "rhs", "output_functional" } do
    local value = self[name]
    if type(value) ~= "table" and (value ~= nil or name ~= "output_functional") then
      blame(("%s is immutable, but its field '%s' has been set to a %s")
        :format(self.__name, name, values.kind(value)))
    end
  end
end

local function check_mu(self, mu)
  local A, f, l = self.operator, self.rhs, self.output_functional
  if type(A) ~= "table" or type(f) ~= "table" or l and type(l) ~= "table" then
    refuse_field(self)
  end
  mu = mu_.parse(mu)
  if mu ~= nil then
    mu_.check(mu, self.parameters, "mu")
  elseif self.parametric then
    error("mu: missing, but the model depends on it", 3)
  end
  return mu
end

local function solve(self, mu)
  local F = self.rhs:as_range_array(mu)
  return self.operator:apply_inverse(F, mu)
end

-- The outputs of the solution U (nil: not computed yet).
local function output(self, U, mu)
  local l = self.output_functional
  if l == nil then return neap.Matrix.zeros(0, 1) end
  U = U or solve(self, mu)
  if getmetatable(l) == operators.VectorFunctional then return l.array:inner(U, l.product) end
  return values.matrix(l:apply(U, mu))
end

-- An estimator that solves the reduced system by itself gives the outputs as well, always, so
-- that their bits do not depend on what else is asked for. u: its solution, if there is one.
local function quick_output(self, mu, u, U)
  local estimator = self.error_estimator
  if self.output_functional and estimator and estimator.reduced_output then
    return estimator:reduced_output(mu, self, u)
  end
  return output(self, U, mu)
end

-- The bound, and the solution when the estimator has computed it and more than the bound is wanted.
local function estimate(self, mu, level, wants_more)
  local estimator = self.error_estimator
  if estimator == nil then
    error(("%s has no error estimator"):format(self.name or "the model"), level + 1)
  end
  return estimator:estimate(mu, self, wants_more)
end

--- The solution.
---@param mu? table
---@return VectorArray [dim, 1]
---@nodiscard
function StationaryModel:solve(mu)
  mu = check_mu(self, mu)
  return solve(self, mu)
end

--- The outputs of the solution.
---@param mu? table
---@return Matrix [outputs, 1]
---@nodiscard
function StationaryModel:output(mu)
  mu = check_mu(self, mu)
  return quick_output(self, mu)
end

--- Bounds of the error of the solution.
---@param mu? table
---@return number[]  one entry
---@nodiscard
function StationaryModel:estimate_error(mu)
  mu = check_mu(self, mu)
  return { (estimate(self, mu, 2)) }
end

--- Bounds of the errors of the outputs.
---@param mu? table
---@return number[]  one for each output
---@nodiscard
function StationaryModel:estimate_output_error(mu)
  mu = check_mu(self, mu)
  local bound = estimate(self, mu, 2)
  return self.error_estimator:output_errors(bound, mu, self)
end

local QUANTITIES = {
  solution = true, output = true, solution_error_estimate = true, output_error_estimate = true,
}

--- Several quantities with one solution.
---@param mu? table
---@param quantities? string[]  of "solution" (the default), "output", "solution_error_estimate",
---  "output_error_estimate"
---@return table<string, any>  by quantity
---@nodiscard
function StationaryModel:compute(mu, quantities)
  mu = check_mu(self, mu)
  quantities = quantities or { "solution" }
  local wanted = {}
  for _, quantity in ipairs(quantities) do
    if not QUANTITIES[quantity] then
      error(("unknown quantity '%s' (known: output, output_error_estimate, solution, "
        .. "solution_error_estimate)"):format(tostring(quantity)), 2)
    end
    wanted[quantity] = true
  end
  local results, u = {}, nil
  if wanted.solution_error_estimate or wanted.output_error_estimate then
    local bound
    bound, u = estimate(self, mu, 2, true)
    if wanted.solution_error_estimate then results.solution_error_estimate = { bound } end
    if wanted.output_error_estimate then
      results.output_error_estimate = self.error_estimator:output_errors(bound, mu, self)
    end
  end
  if wanted.solution then results.solution = solve(self, mu) end
  if wanted.output then results.output = quick_output(self, mu, u, results.solution) end
  return results
end

function StationaryModel:__tostring()
  return ("%s(%d unknowns%s%s)"):format(self.__name:match "^neap%.(.*)" or self.__name, self.dim,
    self.linear and "" or ", nonlinear", describe(self.parameters, self.parametric))
end

return StationaryModel

--- Functionals of mu: functions with a number as value, some with derivatives.
local blame = require "neap.blame"
local class = require "neap.class"
local mu_ = require "neap.parameters.mu"

local type = type

local M = {}

--- A function of mu with a number as value. Call it, or ask for a derivative.
---@class ParameterFunctional
local ParameterFunctional = class("neap.ParameterFunctional", nil, { immutable = true })
M.ParameterFunctional = ParameterFunctional
ParameterFunctional.__call = function(self, mu) return self:evaluate(mu) end

--- The same as a plain function, for loops.
---@return fun(mu: table): number
---@nodiscard
function ParameterFunctional:evaluator(what)
  return function(mu) return mu_.check_value(self:evaluate(mu), what) end
end

--- The partial derivative with respect to component i of the parameter.
---@return ParameterFunctional|number
function ParameterFunctional:d_mu(name)
  error(("%s has no derivative with respect to '%s'"):format(self.__name, tostring(name)), 2)
end

--- mu -> mu[name][i].
---@class ProjectionFunctional: ParameterFunctional
---@field name string
---@field size integer  number of components of the parameter
---@field i integer     from 1 to size
local ProjectionFunctional = class("neap.ProjectionFunctional", ParameterFunctional)
M.ProjectionFunctional = ProjectionFunctional

function ProjectionFunctional._fields(name, size, i)
  if type(name) ~= "string" then
    error(("name: string expected, got %s"):format(type(name)), 3)
  end
  size, i = size or 1, i or 1
  if math.type(size) ~= "integer" or size < 1 then
    error(("size: positive integer expected, got %s"):format(tostring(size)), 3)
  end
  if math.type(i) ~= "integer" or i < 1 or i > size then
    error(("i: integer from 1 to %d expected, got %s"):format(size, tostring(i)), 3)
  end
  return { name = name, size = size, i = i }
end

local function missing(self, mu)
  local value = type(mu) == "table" and mu[self.name]
  if type(value) ~= "table" then
    blame(("mu: parameter '%s' is missing"):format(self.name))
  end
  blame(("mu: parameter '%s' has %d components; %d expected")
    :format(self.name, #value, self.size))
end

---@param mu table<string, number[]>
---@return number
function ProjectionFunctional:evaluate(mu)
  local value = mu and mu[self.name]
  if type(value) == "number" and self.size == 1 then return value end
  if type(value) ~= "table" or #value ~= self.size then missing(self, mu) end
  return value[self.i]
end
ProjectionFunctional.__call = ProjectionFunctional.evaluate

function ProjectionFunctional:evaluator()
  local name, size, i = self.name, self.size, self.i
  return function(mu)
    local value = mu[name]
    if type(value) ~= "table" or #value ~= size then return self:evaluate(mu) end
    local x = value[i]
    if type(x) ~= "number" or x - x ~= 0 then mu_.check(mu, { [name] = size }, "mu") end
    return x
  end
end

--- The same for mus that have been looked at: whose parameter is a list of so many numbers.
---@return fun(mu: table): number
---@nodiscard
function ProjectionFunctional:trusting_evaluator()
  local name, i = self.name, self.i
  return function(mu) return mu[name][i] end
end

-- The lists of all mus, looked at once for all their components.
local function lists_of(self, mus, known)
  local name, size = self.name, self.size
  local key = ("lists of %d: %s"):format(size, name)
  if known[key] then return known[key] end
  local lists = {}
  for i = 1, #mus do
    local value = mus[i][name]
    if type(value) ~= "table" or #value ~= size then missing(self, mus[i]) end
    lists[i] = value
  end
  known[key] = lists
  return lists
end

-- Known under what it says, not under itself: a copy of it, as workers have another one of at each
-- call, has the same values.
function ProjectionFunctional:evaluate_all(mus, known)
  local key, k = ("%d of %d: %s"):format(self.i, self.size, self.name), self.i
  if known[key] then return known[key] end
  local lists, row = lists_of(self, mus, known), {}
  for i = 1, #lists do row[i] = lists[i][k] end
  known[key] = row
  return row
end

function ProjectionFunctional:d_mu(name, i)
  return (name == self.name and i == self.i) and 1.0 or 0.0
end

--- A Lua function of mu, with its derivatives.
---@class Functional: ParameterFunctional
---@field f fun(mu): number
---@field derivatives table<string, (fun(mu): number)[]>
local Functional = class("neap.Functional", ParameterFunctional)
M.Functional = Functional

function Functional._fields(f, derivatives)
  if type(f) ~= "function" then
    error(("f: function of mu expected, got %s"):format(type(f)), 3)
  end
  if derivatives ~= nil and type(derivatives) ~= "table" then
    error(("derivatives: table from names to lists expected, got %s"):format(type(derivatives)),
      3)
  end
  return { f = f, derivatives = derivatives or {} }
end

function Functional:evaluate(mu) return self.f(mu_.copy(mu)) end
Functional.__call = Functional.evaluate

function Functional:d_mu(name, i)
  local list = self.derivatives[name]
  if list == nil then return 0.0 end -- a parameter it does not depend on
  if type(list) == "function" then list = { list } end
  local d = list[i]
  if d == nil then ParameterFunctional.d_mu(self, ("%s[%d]"):format(name, i)) end
  return type(d) == "function" and Functional(d) or d
end

--- alpha * min over q of theta_q(mu) / theta_q(mu_bar): a lower bound of the coercivity
--- constant in the energy product for mu_bar, when all forms are positive semidefinite.
---@class MinThetaFunctional: ParameterFunctional
---@field thetas (number|function|ParameterFunctional)[]
---@field mu_bar table
---@field alpha number  coercivity constant for mu_bar
local MinThetaFunctional = class("neap.MinThetaFunctional", ParameterFunctional)
M.MinThetaFunctional = MinThetaFunctional

function MinThetaFunctional._fields(thetas, mu_bar, alpha)
  if type(thetas) ~= "table" or #thetas == 0 then error("thetas: non-empty list expected", 3) end
  alpha = alpha or 1.0
  if type(alpha) ~= "number" or not (alpha > 0) then
    error(("alpha: positive number expected, got %s"):format(tostring(alpha)), 3)
  end
  mu_bar = mu_.parse(mu_bar)
  local at_mu_bar = {}
  for q = 1, #thetas do
    at_mu_bar[q] = mu_.evaluate(thetas[q], mu_bar)
    if not (at_mu_bar[q] > 0) then
      error(("thetas: coefficient %d is %g for mu_bar; positive expected")
        :format(q, at_mu_bar[q]), 3)
    end
  end
  return { thetas = thetas, mu_bar = mu_bar, alpha = alpha, _at_mu_bar = at_mu_bar }
end

local function check_theta(q, theta)
  if type(theta) ~= "number" or not (theta > 0) then -- NaN too
    blame(("coefficient %d is %s; positive number expected"):format(q, tostring(theta)))
  end
  return theta
end

function MinThetaFunctional:evaluate(mu)
  return self:evaluator()(mu)
end

function MinThetaFunctional:evaluator()
  local at_mu_bar, alpha, thetas = self._at_mu_bar, self.alpha, {}
  for q, theta in ipairs(self.thetas) do thetas[q] = mu_.evaluator(theta) end
  return function(mu)
    local least = math.huge
    for q = 1, #thetas do
      local ratio = check_theta(q, thetas[q](mu)) / at_mu_bar[q]
      if ratio < least then least = ratio end
    end
    return alpha * least
  end
end

--- The value from those of all thetas, in their order.
---@param values number[]
---@return number
---@nodiscard
function MinThetaFunctional:of_thetas(values)
  local at_mu_bar, least = self._at_mu_bar, math.huge
  for q = 1, #at_mu_bar do
    local theta = values[q]
    if type(theta) ~= "number" or not (theta > 0) then check_theta(q, theta) end
    local ratio = theta / at_mu_bar[q]
    if ratio < least then least = ratio end
  end
  return self.alpha * least
end

function MinThetaFunctional:evaluate_all(mus, known)
  local list, alpha = {}, self.alpha
  for i = 1, #mus do list[i] = math.huge end
  for q, theta in ipairs(self.thetas) do
    local row, at_mu_bar = mu_.evaluate_all(theta, mus, known), self._at_mu_bar[q]
    for i = 1, #mus do
      local x = row[i]
      if type(x) ~= "number" or not (x > 0) then check_theta(q, x) end
      local ratio = x / at_mu_bar
      if ratio < list[i] then list[i] = ratio end
    end
  end
  for i = 1, #mus do list[i] = alpha * list[i] end
  return list
end
MinThetaFunctional.__call = MinThetaFunctional.evaluate

return M

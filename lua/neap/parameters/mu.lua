--- Parameter values mu and coefficients that depend on them.
--
-- mu is a table from names to lists of numbers, with the time, a number, under "t".
local blame = require "neap.blame"
local options = require "neap.options"

local type, unpack = type, table.unpack

local M = {}

--- Reads mu: a number stands for a list of one. Returns mu itself where nothing is to change.
--- Raises where the user's code is.
---@param mu table<string, number[]|number>|nil
---@return table<string, number[]>|nil
---@nodiscard
function M.parse(mu)
  if mu == nil then return nil end
  if type(mu) ~= "table" then
    blame(("mu: table from names to lists expected, got %s"):format(type(mu)))
  end
  local parsed = mu
  for name, value in next, mu do
    if type(value) == "number" then
      if name ~= "t" then
        if parsed == mu then
          parsed = {}
          for k, v in next, mu do parsed[k] = v end
        end
        parsed[name] = { value }
      end
    elseif type(value) ~= "table" then
      blame(("mu: '%s' is a %s; number or list of numbers expected")
        :format(tostring(name), type(value)))
    end
  end
  return parsed
end

--- Is it a number or a complex number?
---@return boolean
function M.is_scalar(x)
  if type(x) == "number" then return true end
  local metatable = type(x) == "userdata" and getmetatable(x)
  return type(metatable) == "table" and metatable.__name == "neap.complex"
end

---@param x number|complex
---@return number|complex
---@nodiscard
function M.conjugate(x) return type(x) == "number" and x or x:conj() end

--- The coefficients of the adjoint of a combination.
---@param coefficients (number|complex|function|ParameterFunctional)[]
---@return table[]
---@nodiscard
function M.conjugates(coefficients)
  local list = {}
  for q, coefficient in ipairs(coefficients) do
    list[q] = M.is_scalar(coefficient) and M.conjugate(coefficient)
      or function(mu) return M.conjugate(coefficient(mu)) end
  end
  return list
end

local function show(x)
  if x ~= x then return "NaN" end
  return M.is_scalar(x) and tostring(x) or options.show(x)
end

--- Values of mu for a function that is not neap's: what it changes is its own.
---@param mu table
---@return table
---@nodiscard
function M.copy(mu)
  local copy = {}
  for name, value in pairs(mu) do
    copy[name] = type(value) == "table" and (#value < 100 and { unpack(value) }
      or table.move(value, 1, #value, 1, {})) or value
  end
  return copy
end

--- Raises, where the user's code is, when mu lacks a parameter, or has one of another size or with
--- values that are no numbers.
---@param mu table  as parse returns it
---@param parameters table<string, integer>  name -> number of components
---@param what string  mu's name, for the message
function M.check(mu, parameters, what)
  for name, size in next, parameters do
    local value = mu[name]
    if type(value) == "number" then value = { value } end
    if type(value) ~= "table" then
      blame(("%s: parameter '%s' is missing"):format(what, name))
    elseif #value ~= size then
      blame(("%s: parameter '%s' has %d components; %d expected")
        :format(what, name, #value, size))
    end
    for i = 1, size do
      local x = value[i]
      if type(x) ~= "number" or x - x ~= 0 then
        blame(("%s.%s[%d]: finite number expected, got %s"):format(what, name, i, show(x)))
      end
    end
  end
end

--- Raises, where the user's code is, unless it is a finite number.
---@param value any
---@param what? string  the coefficient's name
---@return number|complex
function M.check_value(value, what)
  if type(value) == "number" then
    if value - value == 0 then return value end
  elseif M.is_scalar(value) and value.re - value.re == 0 and value.im - value.im == 0 then
    return value
  end
  blame(("%s: finite number expected, got %s"):format(what or "a coefficient",
    show(value)))
end

--- The value of a coefficient: a number, a function of mu or a functional.
---@param coefficient number|function|ParameterFunctional
---@param mu table|nil
---@param what? string  the coefficient's name, for messages
---@return number
function M.evaluate(coefficient, mu, what)
  if M.is_scalar(coefficient) then return M.check_value(coefficient, what) end
  if mu == nil then blame "mu: missing, but there is a coefficient that depends on it" end
  return M.evaluator(coefficient, what)(mu)
end

--- A coefficient as a plain function of mu, for loops.
---@param coefficient number|function|ParameterFunctional
---@param what? string  the coefficient's name, for messages
---@return fun(mu: table): number  mu must not be nil
---@nodiscard
function M.evaluator(coefficient, what)
  if M.is_scalar(coefficient) then
    M.check_value(coefficient, what)
    return function() return coefficient end
  end
  if type(coefficient) == "table" and coefficient.evaluator then
    return coefficient:evaluator(what)
  end
  return function(mu) return M.check_value(coefficient(M.copy(mu)), what) end
end

--- The values of a coefficient for many parameters.
---@param coefficient number|function|ParameterFunctional
---@param mus table[]  as parse returns them
---@param known table  changed: coefficient -> values for the same mus, to be computed once
---@return number[]    not to be changed
---@nodiscard
function M.evaluate_all(coefficient, mus, known)
  local list = known[coefficient]
  if list then return list end
  if type(coefficient) == "table" and coefficient.evaluate_all then
    list = coefficient:evaluate_all(mus, known)
  else
    local f = M.evaluator(coefficient)
    list = {}
    for i = 1, #mus do list[i] = f(mus[i]) end
  end
  known[coefficient] = list
  return list
end

--- Is it a number, a function or a functional?
---@return boolean
function M.is_coefficient(x)
  if type(x) == "function" or M.is_scalar(x) then return true end
  local metatable = type(x) == "table" and getmetatable(x)
  return metatable and metatable.__call ~= nil or false
end

return M

--- Parameter values mu and coefficients that depend on them.
--
-- mu is a table from names to lists of numbers, with the time, a number, under "t".
local M = {}

--- Reads mu: a number stands for a list of one. Returns mu itself where nothing is to change.
---@param mu table<string, number[]|number>|nil
---@param level? integer  of the function to blame, as in error(); 1 is the caller (default)
---@return table<string, number[]>|nil
---@nodiscard
function M.parse(mu, level)
  if mu == nil then return nil end
  if type(mu) ~= "table" then
    error(("mu: table from names to lists expected, got %s"):format(type(mu)), (level or 1) + 1)
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
      error(("mu: '%s' is a %s; number or list of numbers expected")
        :format(tostring(name), type(value)), (level or 1) + 1)
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

local function check_value(value)
  if type(value) ~= "number" and not M.is_scalar(value) then
    error(("a coefficient is a %s; number expected"):format(type(value)), 0)
  end
  return value
end

--- The value of a coefficient: a number, a function of mu or a functional.
---@param coefficient number|function|ParameterFunctional
---@param mu table|nil
---@return number
function M.evaluate(coefficient, mu)
  if M.is_scalar(coefficient) then return coefficient end
  if mu == nil then error("mu: missing, but there is a coefficient that depends on it", 0) end
  return check_value(coefficient(mu))
end

--- A coefficient as a plain function of mu, for loops.
---@param coefficient number|function|ParameterFunctional
---@return fun(mu: table): number  mu must not be nil
---@nodiscard
function M.evaluator(coefficient)
  if M.is_scalar(coefficient) then return function() return coefficient end end
  if type(coefficient) == "table" and coefficient.evaluator then return coefficient:evaluator() end
  return function(mu) return check_value(coefficient(mu)) end
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

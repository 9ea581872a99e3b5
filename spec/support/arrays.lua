--- Assertions on arrays; requiring this file registers them.
---
---     assert.close_arrays(expected, actual, tolerance)
---
--- compares VectorArrays, matrices and lists of lists of numbers, real or complex, entry by entry:
--- the largest absolute difference may be tolerance (0 when it is not given). NaN is close to NaN.
local assert = require "luassert"
local say = require "say"

local M = {}

--- The absolute value of a number, plain or complex.
---@return number
function M.modulus(x)
  return type(x) == "number" and math.abs(x) or x:abs()
end

---@param object any  VectorArray, Matrix, list of lists or list of numbers
---@return number[][]
local function lists(object)
  if type(object) == "userdata" then return object:to_table() end
  if #object > 0 and type(object[1]) ~= "table" then return { object } end
  return object
end

---@param a number
---@param b number
---@param tolerance number
local function is_close(a, b, tolerance)
  if a ~= a or b ~= b then return a ~= a and b ~= b end
  return a == b or M.modulus(a - b) <= tolerance
end

local function text(x)
  return type(x) == "number" and ("%.17g"):format(x) or tostring(x)
end

--- What first differs, as text; nil when nothing does.
---@param expected any
---@param actual any
---@param tolerance number
---@return string?
function M.difference(expected, actual, tolerance)
  local E, A = lists(expected), lists(actual)
  if #E ~= #A then return ("%d lists expected, got %d"):format(#E, #A) end
  for i = 1, #E do
    if #E[i] ~= #A[i] then
      return ("list %d: %d entries expected, got %d"):format(i, #E[i], #A[i])
    end
    for j = 1, #E[i] do
      if not is_close(E[i][j], A[i][j], tolerance) then
        return ("entry %d of list %d: %s expected, got %s (tolerance %g)")
          :format(j, i, text(E[i][j]), text(A[i][j]), tolerance)
      end
    end
  end
  return nil
end

local function close_arrays(_, arguments)
  local expected, actual, tolerance = arguments[1], arguments[2], arguments[3] or 0
  local difference = M.difference(expected, actual, tolerance)
  arguments[1], arguments.n = difference or "no difference", 1
  arguments.nofmt = { true }
  return difference == nil
end

say:set("assertion.close_arrays.positive", "Arrays are not close: %s")
say:set("assertion.close_arrays.negative", "Arrays are close, expected them not to be")
assert:register("assertion", "close_arrays", close_arrays,
                "assertion.close_arrays.positive", "assertion.close_arrays.negative")

return M

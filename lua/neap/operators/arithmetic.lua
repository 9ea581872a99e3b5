--- The arithmetic of operators: sums become one LincombOperator, products concatenations.
local blame = require "neap.blame"
local values = require "neap.operators.values"
local mu_ = require "neap.parameters.mu"
local MatrixOperator = require "neap.operators.matrix"
local LincombOperator = require "neap.operators.lincomb"
local ConcatenationOperator = require "neap.operators.concatenation"

local M = {}

-- Can factor * X be written with the operators of X, with no product of functionals?
local function is_flat(X, factor)
  if getmetatable(X) ~= LincombOperator then return false end
  if factor == 1 then return true end
  for _, coefficient in ipairs(X.coefficients) do
    if not mu_.is_scalar(coefficient) then return false end
  end
  return mu_.is_scalar(factor)
end

local function append(operators, coefficients, X, factor)
  if not is_flat(X, factor) then
    operators[#operators + 1], coefficients[#coefficients + 1] = X, factor
    return
  end
  for i, operator in ipairs(X.operators) do
    operators[#operators + 1] = operator
    coefficients[#coefficients + 1] = factor == 1 and X.coefficients[i]
      or factor * X.coefficients[i]
  end
end

-- Raises where the expression is: strings have functions of C for their arithmetic, which come
-- between.
local function operand(X, what)
  local kind = values.kind(X)
  if values.is_operator(X) then return X end
  if kind == "neap.SparseMatrix" or kind == "neap.Matrix" then return MatrixOperator(X) end
  blame(("%s: Operator, SparseMatrix or Matrix expected, got %s"):format(what, kind))
end

-- sign * B added to A.
local function sum(A, B, sign)
  A, B = operand(A, "left operand"), operand(B, "right operand")
  if A.range ~= B.range or A.source ~= B.source then
    blame(("operators differ in shape: %d x %d and %d x %d")
      :format(A.range, A.source, B.range, B.source))
  end
  local operators, coefficients = {}, {}
  append(operators, coefficients, A, 1)
  append(operators, coefficients, B, sign)
  return (LincombOperator(operators, coefficients))
end

function M.add(A, B) return (sum(A, B, 1)) end

function M.sub(A, B) return (sum(A, B, -1)) end

function M.unm(A)
  local operators, coefficients = {}, {}
  append(operators, coefficients, A, -1)
  return LincombOperator(operators, coefficients)
end

--- a * A and A * a with a number or a functional; A * B applies B first.
function M.mul(A, B)
  local factor, X
  if not values.is_operator(A) and mu_.is_coefficient(A) then factor, X = A, B end
  if not values.is_operator(B) and mu_.is_coefficient(B) then factor, X = B, A end
  if factor then
    local operators, coefficients = {}, {}
    append(operators, coefficients, X, factor)
    return LincombOperator(operators, coefficients)
  end
  A, B = operand(A, "left operand"), operand(B, "right operand")
  if A.source ~= B.range then
    blame(("operators do not fit: source of dimension %d, range of dimension %d")
      :format(A.source, B.range))
  end
  return ConcatenationOperator { A, B }
end

return M

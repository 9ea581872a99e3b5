--- Linear combinations of operators, with coefficients that may depend on mu.
local neap = require "neap"
local class = require "neap.class"
local mu_ = require "neap.parameters.mu"
local Operator = require "neap.operators.operator"
local MatrixOperator = require "neap.operators.matrix"
local selection = require "neap.operators.selection"
local simple = require "neap.operators.simple"
local values = require "neap.operators.values"

--- sum over q of coefficients[q](mu) * operators[q](mu). No summand is left out: with a coefficient
--- 0, too, a NaN or an infinity in an operator reaches the result, applied or assembled.
---@class LincombOperator: Operator
---@field operators Operator[]
---@field coefficients (number|complex|function|ParameterFunctional)[]
---@field has_constant_terms boolean  no operator depends on mu itself
local LincombOperator = class("neap.LincombOperator", Operator)

-- operator -> what has been derived from it: { evaluators }, of its summands { matrices, kind,
-- do_last }, of the last assembly { thetas, result }. Weak, and not a field, because what is
-- derived must not travel.
local derived = setmetatable({}, { __mode = "k" })

function LincombOperator._fields(operators, coefficients)
  if type(operators) ~= "table" or values.is_operator(operators) or #operators == 0 then
    error("operators: non-empty list expected", 3)
  end
  if type(coefficients) ~= "table" or #coefficients ~= #operators then
    error(("coefficients: list of %d expected, got %s"):format(#operators,
      type(coefficients) == "table" and "one of " .. #coefficients or type(coefficients)), 3)
  end
  local fields = { operators = {}, coefficients = {}, linear = true, parametric = false,
                   has_constant_terms = true }
  for q = 1, #operators do
    local A = values.as_operator(operators[q], ("operators[%d]"):format(q), 3)
    local coefficient = coefficients[q]
    if not mu_.is_coefficient(coefficient) then
      error(("coefficients[%d]: number or function of mu expected, got %s")
        :format(q, values.kind(coefficient)), 3)
    end
    fields.source, fields.range = fields.source or A.source, fields.range or A.range
    if A.source ~= fields.source or A.range ~= fields.range then
      error(("operators[%d]: shape %d x %d expected, got %d x %d")
        :format(q, fields.range, fields.source, A.range, A.source), 3)
    end
    fields.operators[q], fields.coefficients[q] = A, coefficient
    fields.linear = fields.linear and A.linear
    fields.has_constant_terms = fields.has_constant_terms and not A.parametric
    fields.parametric = fields.parametric or A.parametric or not mu_.is_scalar(coefficient)
  end
  return fields
end

local function derive(self)
  local known = { evaluators = {} }
  for q, coefficient in ipairs(self.coefficients) do
    known.evaluators[q] = mu_.evaluator(coefficient, ("coefficients[%d]"):format(q))
  end
  derived[self] = known
  return known
end

--- The coefficients for mu.
---@param mu table|nil
---@return (number|complex)[]
---@nodiscard
function LincombOperator:evaluate_coefficients(mu)
  mu = mu_.parse(mu)
  local coefficients, thetas = self.coefficients, {}
  if mu == nil then
    for q = 1, #coefficients do
      thetas[q] = mu_.evaluate(coefficients[q], nil, ("coefficients[%d]"):format(q))
    end
    return thetas
  end
  local evaluators = (derived[self] or derive(self)).evaluators
  for q = 1, #coefficients do thetas[q] = evaluators[q](mu) end
  return thetas
end

function LincombOperator:apply(U, mu)
  local thetas = self:evaluate_coefficients(mu)
  local V = thetas[1] * self.operators[1]:apply(U, mu) -- in place it might be U, or the operator's
  for q = 2, #thetas do V:axpy(thetas[q], self.operators[q]:apply(U, mu)) end
  return V
end

function LincombOperator:apply_adjoint(V, mu)
  local thetas = self:evaluate_coefficients(mu)
  for q, theta in ipairs(thetas) do thetas[q] = mu_.conjugate(theta) end
  local U = thetas[1] * self.operators[1]:apply_adjoint(V, mu)
  for q = 2, #thetas do U:axpy(thetas[q], self.operators[q]:apply_adjoint(V, mu)) end
  return U
end

-- To the last bit, so that what is computed does not depend on what was computed before.
local function is_equal(thetas, others)
  for q = 1, #thetas do
    local x, y = thetas[q], others[q]
    if x ~= y then return false end
    if x == 0 and 1 / x ~= 1 / y then return false end -- zeros have signs
  end
  return true
end

-- An assembled summand as a matrix, of the given kind where there is a choice: a sparse one beside
-- a dense one becomes dense. nil for what is none.
local function as_matrix(A, kind)
  if getmetatable(A) == MatrixOperator then
    A = A.matrix
    return values.kind(A) == kind and A or A:to_matrix()
  end
  local is_identity = getmetatable(A) == simple.IdentityOperator
  if not is_identity and getmetatable(A) ~= simple.ZeroOperator then return nil end
  local n = is_identity and A.source or 0 -- entries
  if kind == "neap.Matrix" then
    return is_identity and neap.Matrix.identity(n) or neap.Matrix.zeros(A.range, A.source)
  end
  local diagonal, ones = {}, {}
  for i = 1, n do diagonal[i], ones[i] = i, 1.0 end
  return neap.SparseMatrix.from_triplets(A.range, A.source, diagonal, diagonal, ones)
end

-- The matrices of all summands, of one kind, and whether they are the same ones at any time; else
-- nil and the number of a summand that has none.
local function summand_matrices(self, mu)
  local kind, assembled, matrices, do_last = "neap.SparseMatrix", {}, {}, true
  for q, A in ipairs(self.operators) do
    assembled[q] = A:assemble(mu)
    if getmetatable(assembled[q]) == MatrixOperator
      and values.kind(assembled[q].matrix) == "neap.Matrix" then
      kind = "neap.Matrix"
      do_last = do_last and rawequal(assembled[q], A) -- a sum of Matrices ages when they change
    end
  end
  for q, A in ipairs(assembled) do
    matrices[q] = as_matrix(A, kind)
    if matrices[q] == nil then return nil, q end
  end
  return matrices, kind, do_last
end

function LincombOperator:_why_unsolvable()
  if not self.linear then return Operator._why_unsolvable(self) end
  local _, q = summand_matrices(self)
  local A = self.operators[q]
  if A.__name == "neap.FixedParameterOperator" then A = A.operator end
  return ("operators[%d], a %s, cannot be assembled: define its assemble(mu), returning a "
    .. "MatrixOperator"):format(q, A.__name)
end

local function assemble(self, thetas, matrices, kind, mu)
  if matrices then
    local lincomb = kind == "neap.Matrix" and neap.Matrix.lincomb or neap.SparseMatrix.lincomb
    return MatrixOperator(lincomb(thetas, matrices))
  end
  if not self.parametric then return self end
  local operators = {}
  for q, A in ipairs(self.operators) do operators[q] = A:assemble(mu) end
  return LincombOperator(operators, thetas)
end

--- One matrix when the summands are matrices, else a combination with numbers. The last result
--- is kept and returned again for equal coefficients, unless it is dense: a Matrix may change.
function LincombOperator:assemble(mu)
  local thetas = self:evaluate_coefficients(mu)
  if not self.has_constant_terms then
    local matrices, kind = summand_matrices(self, mu)
    return assemble(self, thetas, matrices, kind, mu)
  end
  local known = derived[self] or derive(self)
  if known.result and is_equal(thetas, known.thetas) then return known.result end
  if not known.do_last then
    known.matrices, known.kind, known.do_last = summand_matrices(self)
  end
  local result = assemble(self, thetas, known.matrices, known.kind, mu)
  if known.kind ~= "neap.Matrix" then known.thetas, known.result = thetas, result end
  return result
end

function LincombOperator:as_range_array(mu)
  local thetas = self:evaluate_coefficients(mu)
  local W = self.operators[1]:as_range_array(mu):copy()
  W:scal(thetas[1])
  for q = 2, #thetas do W:axpy(thetas[q], self.operators[q]:as_range_array(mu)) end
  return W
end

function LincombOperator:as_source_array(mu)
  local thetas = self:evaluate_coefficients(mu)
  for q, theta in ipairs(thetas) do thetas[q] = mu_.conjugate(theta) end
  local W = self.operators[1]:as_source_array(mu):copy()
  W:scal(thetas[1])
  for q = 2, #thetas do W:axpy(thetas[q], self.operators[q]:as_source_array(mu)) end
  return W
end

function LincombOperator:restricted(dofs)
  selection.check_dofs(dofs, self.range)
  local restricted, lists = {}, {}
  for q, A in ipairs(self.operators) do restricted[q], lists[q] = A:restricted(dofs) end
  local source_dofs, places = selection.union(lists)
  for q, R in ipairs(restricted) do
    restricted[q] = selection.widen(R, lists[q], places, #source_dofs)
  end
  return LincombOperator(restricted, self.coefficients), source_dofs
end

function LincombOperator:jacobian(U, mu)
  if self.linear then return self:assemble(mu) end
  local operators = {}
  for q, A in ipairs(self.operators) do operators[q] = A:jacobian(U, mu) end
  return LincombOperator(operators, self:evaluate_coefficients(mu)):assemble()
end

return LincombOperator

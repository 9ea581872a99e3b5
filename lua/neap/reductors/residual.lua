--- The span of all residuals f(mu) - A(mu) RB u, grown with the reduced basis.
local neap = require "neap"
local class = require "neap.class"
local gram_schmidt = require "neap.algorithms.gram_schmidt"

--- Riesz representatives of the parts f_i and -A_q b_j of a residual, in an orthonormal basis:
--- the norm of a residual is the Euclidean one of its coefficients there, and small residuals
--- keep their digits, which they lose in the Gramian of the parts.
---@class ResidualBasis
---@field parts number[][]   coefficients of each part: f_1, f_2, ..., then -A_1 b_1, -A_2 b_1,
---  ..., -A_1 b_2, ...; entries below the last stored are zero
---@field dims integer[]     dims[k + 1]: how many basis vectors the parts of b_1, ..., b_k span
local ResidualBasis = class("neap.ResidualBasis")

--- operators, vectors: the A_q, and the f_i as VectorArrays of length 1; product: the Riesz
--- representatives and orthonormality are in it (nil: Euclidean).
function ResidualBasis._fields(operators, vectors, product)
  local dim = vectors[1].dim
  return {
    operators = operators, vectors = vectors, product = product, parts = {}, dims = {},
    _basis = neap.VectorArray.empty(dim),
  }
end

local function add(self, V)
  local R = self.product and self.product:apply_inverse(V) or V
  local _, columns = gram_schmidt.append(self._basis, R, { product = self.product })
  for i = 1, #V do self.parts[#self.parts + 1] = columns[i] end
  self.dims[#self.dims + 1] = #self._basis
end

--- Takes in the parts of the vectors of RB that are new.
---@param RB VectorArray  the vectors seen before, then new ones
function ResidualBasis:extend(RB)
  if #self.dims == 0 then
    local V = neap.VectorArray.empty(RB.dim, { reserve = #self.vectors })
    for _, f in ipairs(self.vectors) do V:append(f) end
    add(self, V)
  end
  for j = #self.dims, #RB do
    local V = neap.VectorArray.empty(RB.dim, { reserve = #self.operators })
    for _, A in ipairs(self.operators) do V:append(A:apply(RB[j])) end
    V:scal(-1.0)
    add(self, V)
  end
end

local function is_zero(part)
  for i = 1, #part do
    if part[i] ~= 0 then return false end
  end
  return true
end

-- The numbers of the operators that have any part, at least one: an operator on the boundary,
-- say, has none.
local function find_terms(self)
  local n_f, n_A, terms = #self.vectors, #self.operators, {}
  for q = 1, n_A do
    local has_part = #self.parts == n_f and q == 1
    for j = n_f + q, #self.parts, n_A do has_part = has_part or not is_zero(self.parts[j]) end
    if has_part then terms[#terms + 1] = q end
  end
  return #terms > 0 and terms or { 1 }
end

--- The parts as the columns of a Matrix, without those of operators that have none but zeros.
---@return Matrix [dims[#dims], #vectors + #terms * basis vectors]
---@return integer[] terms  the operators whose parts stand there
---@nodiscard
function ResidualBasis:matrix()
  local terms, columns = find_terms(self), {}
  for i = 1, #self.vectors do columns[i] = self.parts[i] end
  for first = #self.vectors, #self.parts - 1, #self.operators do
    for _, q in ipairs(terms) do columns[#columns + 1] = self.parts[first + q] end
  end
  local rows = {}
  for i = 1, #self._basis do
    local row = {}
    for j = 1, #columns do row[j] = columns[j][i] or 0.0 end
    rows[i] = row
  end
  if #rows == 0 then return neap.Matrix.zeros(0, #columns), terms end
  return neap.Matrix.from_table(rows), terms
end

return ResidualBasis

--- Orthonormalisation with re-iteration, in panels so that most of the work is done by BLAS.
local neap = require "neap"
local blame = require "neap.blame"
local options_ = require "neap.options"
local values = require "neap.operators.values"

local M = {}

local WIDTH = 16 -- of a panel: wide enough for BLAS, narrow beside the basis

local SPEC = {
  product = options_.any, atol = 1e-13, rtol = 1e-13, offset = 0, reiterate = true,
  reiteration_threshold = 0.9, check = true, check_tol = 1e-3, copy = true,
}

-- Of the vectors after the first `before`, when these are the caller's.
local function check_finite(norms, before)
  for i = 1, #norms do
    if not (norms[i] < math.huge) then
      blame(("%s has the norm %s"):format(before and "vector " .. before + i or "a vector",
        norms[i] ~= norms[i] and "NaN" or norms[i]))
    end
  end
end

-- The vectors in a list of ascending indices from 1, without a copy where there is no gap.
local function pick(V, indices)
  local n = #indices
  if n == 0 or indices[n] == n then return V:slice(1, n) end
  return V[indices]
end

-- Orthonormalises the vectors of V among themselves, in place, in one pass. initial[i] is the
-- norm that decides whether vector i is removed. Returns the indices kept, R [#kept, #V], and
-- the norms before scaling.
local function orthonormalize(V, initial, o)
  -- P V is updated beside V, which saves a product for each vector. Where much cancels it loses
  -- digits; then another round is due anyway, which starts afresh.
  local PV = o.product and o.product:apply(V) or V
  local before = V:pairwise_inner(PV)
  local kept, columns, norms = {}, {}, {}
  for i = 1, #V do
    local v, Pv, column = V[i], PV[i], {}
    if #kept > 0 and initial[i] > o.atol then
      local C = pick(V, kept):inner(Pv)
      v:axpy(-1.0, pick(V, kept):lincomb(C))
      if o.product then Pv:axpy(-1.0, pick(PV, kept):lincomb(C)) end
      column = C:col(1)
    end
    local square = v:pairwise_inner(Pv)[1]
    local norm = square > 1e-2 * before[i] and math.sqrt(square) or v:norm(o.product)[1]
    if initial[i] > o.atol and norm > o.rtol * initial[i] then
      v:scal(1 / norm)
      if o.product then Pv:scal(1 / norm) end
      kept[#kept + 1] = i
      column[#kept] = norm
    end
    columns[i], norms[i] = column, norm
  end
  check_finite(norms)
  local R = neap.Matrix.zeros(#kept, #V)
  for i, column in ipairs(columns) do
    for k, r in ipairs(column) do R:set(k, i, r) end
  end
  return kept, R, norms
end

-- One round for a panel of vectors with the norms `entry`: against Q, then in itself. Also
-- returns the coefficients on Q and whether another round is due: the norm of a kept vector has
-- fallen too far for it to be orthogonal to the others up to rounding.
local function round(Q, V, entry, initial, o)
  local C = Q:inner(V, o.product)
  V:axpy(-1.0, Q:lincomb(C))
  local kept, R, exit = orthonormalize(V, initial, o)
  local again = false
  for _, i in ipairs(kept) do
    again = again or exit[i] < o.reiteration_threshold * entry[i]
  end
  return kept, R, C, again and o.reiterate
end

-- Orthonormalises one panel, in place, against Q and in itself. Returns the indices kept, the
-- coefficients of all vectors on Q, and those on the kept ones. before: vectors of the caller's
-- array that come before the panel.
local function reduce_panel(Q, V, o, before)
  local initial = V:norm(o.product)
  check_finite(initial, before)
  local kept, R, C, again = round(Q, V, initial, initial, o)
  while again do
    -- V = Q C + W R and W = Q D + X S give V = Q (C + D R) + X (S R). Norms are in units of
    -- what the rounds before have left.
    local W, ones, in_units = pick(V, kept), {}, {}
    for k, i in ipairs(kept) do ones[k], in_units[k] = 1.0, initial[i] / R:get(k, i) end
    local kept_of_kept, S, D
    kept_of_kept, S, D, again = round(Q, W, ones, in_units, o)
    C, R = C + D * R, S * R
    for k, of_kept in ipairs(kept_of_kept) do kept[k] = kept[of_kept] end
    for k = #kept_of_kept + 1, #kept do kept[k] = nil end
  end
  return kept, C, R
end

-- Orthonormalises the vectors of V against the orthonormal Q and among themselves, appends what
-- remains to Q and returns its indices in V. Column i of the second result: the coefficients of
-- V[i] on the vectors of Q, as far as Q went when it had been dealt with. before: as above.
local function extend(Q, V, o, before)
  local kept, columns = {}, {}
  for first = 1, #V, WIDTH do
    local panel = V:slice(first, math.min(first + WIDTH - 1, #V)):copy()
    local kept_here, C, R = reduce_panel(Q, panel, o, before + first - 1)
    for i = 1, #panel do
      local column = C:col(i)
      table.move(R:col(i), 1, R.rows, #column + 1, column)
      columns[first + i - 1] = column
    end
    for _, i in ipairs(kept_here) do kept[#kept + 1] = first + i - 1 end
    Q:append(pick(panel, kept_here))
  end
  return kept, columns
end

-- The largest deviation of the Gramian of Q from the identity must be small.
local function check_orthonormal(Q, offset, o, level)
  if not o.check or #Q == offset then return end
  local new <close> = Q:slice(offset + 1, #Q)
  local G = Q:inner(new, o.product)
  local worst = 0.0
  for j = 1, G.cols do
    for i = 1, G.rows do
      local deviation = math.abs(G:get(i, j) - (i == j + offset and 1 or 0))
      if not (deviation <= worst) then worst = deviation end
    end
  end
  if not (worst <= o.check_tol) then
    error(("result not orthogonal: deviation %.3g above check_tol = %.3g")
      :format(worst, o.check_tol), level + 1)
  end
end

--- Orthonormalises the vectors of V against the orthonormal vectors of Q and among themselves,
--- and appends what remains to Q. Options: those of gram_schmidt but offset and copy.
---@param Q VectorArray  changed
---@param V VectorArray  not changed
---@param options? table
---@return integer[] kept      indices in V of what was appended, ascending
---@return number[][] columns  column i: coefficients of V[i] on the vectors of Q; those beyond
---  the last stored are zero
function M.append(Q, V, options)
  local o = options_.parse(options, SPEC, 2)
  values.check_product(o.product, 2, Q.dim)
  local before = #Q
  local kept, columns = extend(Q, V, o, 0)
  check_orthonormal(Q, before, o, 2)
  return kept, columns
end

--- Orthonormalises the vectors of A one after the other, with re-iteration; those that depend
--- on the ones before them are removed.
---
--- Options: `product` (default: Euclidean); `atol`: a vector with at most this norm is removed;
--- `rtol`: one whose norm falls to this part of its initial norm is removed; `offset`: so many
--- leading vectors are orthonormal already; `reiterate`, `reiteration_threshold`: another pass
--- while the norm falls below this part of the norm before the pass; `check`, `check_tol`: raise
--- when the result is not orthonormal; `copy = false`: A itself becomes the result.
---@param A VectorArray  [dim, n]; changed only with copy = false
---@param options? table
---@return VectorArray Q  [dim, m]
---@return Matrix R       [m, n]: A = Q:lincomb(R), up to what was removed
function M.gram_schmidt(A, options)
  local o = options_.parse(options, SPEC, 2)
  if values.kind(A) ~= "neap.VectorArray" then
    error(("A: VectorArray expected, got %s"):format(values.kind(A)), 2)
  end
  values.check_product(o.product, 2, A.dim)
  if math.type(o.offset) ~= "integer" or o.offset < 0 or o.offset > #A then
    error(("option 'offset': integer from 0 to %d expected, got %s")
      :format(#A, tostring(o.offset)), 2)
  end
  local Q = neap.VectorArray.empty(A.dim, { reserve = #A })
  local _, columns
  do
    local head <close> = A:slice(1, o.offset)
    local tail <close> = A:slice(o.offset + 1, #A)
    Q:append(head)
    _, columns = extend(Q, tail, o, o.offset)
  end
  check_orthonormal(Q, o.offset, o, 2)

  local R = neap.Matrix.zeros(#Q, #A)
  for i = 1, o.offset do R:set(i, i, 1.0) end
  for j, column in ipairs(columns) do
    for i, r in ipairs(column) do R:set(i, o.offset + j, r) end
  end
  if o.copy then return Q, R end
  local all = {}
  for i = 1, #A do all[i] = i end
  A:delete(all)
  A:append(Q)
  return A, R
end

M.gram_schmidt_biorth = require "neap.algorithms.gram_schmidt_biorth"

return M

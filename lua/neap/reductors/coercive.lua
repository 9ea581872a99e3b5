--- Galerkin reductors for coercive problems, with a bound of the error.
local class = require "neap.class"
local mu_ = require "neap.parameters.mu"
local options_ = require "neap.options"
local operators = require "neap.operators"
local AffineEstimator = require "neap.reductors.affine_estimator"
local ResidualBasis = require "neap.reductors.residual"
local StationaryRBReductor = require "neap.reductors.stationary"

--- The error is estimated by the dual norm of the residual over a lower bound of the coercivity
--- constant.
---@class CoerciveRBReductor: StationaryRBReductor
---@field coercivity_estimator number|fun(mu): number  a lower bound, in the product
local CoerciveRBReductor = class("neap.CoerciveRBReductor", StationaryRBReductor)

-- The terms of an affine decomposition: operators without parameter.
local function affine_terms(op, what, level)
  local list = getmetatable(op) == operators.LincombOperator and op.operators or { op }
  for _, A in ipairs(list) do
    if not A.linear or A.parametric then
      error(("fom: %s is no combination of linear operators with coefficients that depend on mu")
        :format(what), level + 1)
    end
  end
  return list
end

function CoerciveRBReductor._fields(fom, options)
  local spec = {
    RB = options_.any, product = options_.any, coercivity_estimator = options_.any,
  }
  local fields, o = StationaryRBReductor._read(fom, options, spec, 3)
  fields.coercivity_estimator = o.coercivity_estimator or 1.0
  if not mu_.is_coefficient(fields.coercivity_estimator) then
    error(("option 'coercivity_estimator': number or function of mu expected, got %s")
      :format(type(fields.coercivity_estimator)), 3)
  end
  local vectors = {}
  for i, f in ipairs(affine_terms(fom.rhs, "rhs", 3)) do vectors[i] = f:as_range_array() end
  fields._residual = ResidualBasis(affine_terms(fom.operator, "operator", 3), vectors, o.product)
  return fields
end

-- Dual norms of the outputs: for each term of the output functional the list by output.
local function output_norms(self)
  if self._output_norms == nil then
    local l, norms = self.fom.output_functional, {}
    for i, term in ipairs(l and affine_terms(l, "output_functional", 2) or {}) do
      local L = term:as_source_array()
      local R = self.product and self.product:apply_inverse(L) or L
      norms[i] = R:norm(self.product)
    end
    self._output_norms = norms
  end
  return self._output_norms
end

function CoerciveRBReductor:_estimator()
  local residual = self._residual
  residual:extend(self.bases.RB)
  local dims = table.move(residual.dims, 1, #residual.dims, 1, {})
  local parts, terms = residual:matrix()
  return AffineEstimator {
    parts = parts, dims = dims, rhs_parts = #residual.vectors, terms = terms,
    coercivity = self.coercivity_estimator, output_norms = output_norms(self),
  }
end

return CoerciveRBReductor

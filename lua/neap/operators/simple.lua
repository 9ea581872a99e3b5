--- Identity and zero.
local neap = require "neap"
local class = require "neap.class"
local Operator = require "neap.operators.operator"
local MatrixOperator = require "neap.operators.matrix"
local selection = require "neap.operators.selection"
local values = require "neap.operators.values"

local M = {}

local function check_dimension(dim, what)
  if math.type(dim) ~= "integer" or dim < 0 then
    error(("%s: dimension expected, got %s"):format(what, tostring(dim)), 4)
  end
end

local function check_source(self, U)
  values.check_array(U, self.source, "U")
end

local function check_range(self, V)
  values.check_array(V, self.range, "V")
end

---@class IdentityOperator: Operator
local IdentityOperator = class("neap.IdentityOperator", Operator)
M.IdentityOperator = IdentityOperator

function IdentityOperator._fields(dim)
  check_dimension(dim, "dim")
  return { source = dim, range = dim, linear = true, parametric = false }
end

function IdentityOperator:apply(U)
  check_source(self, U)
  return U:copy()
end
IdentityOperator.apply_inverse_adjoint = IdentityOperator.apply

function IdentityOperator:apply_adjoint(V)
  check_range(self, V)
  return V:copy()
end

function IdentityOperator:apply_inverse(V, _, options)
  values.refuse_options(options, self)
  check_range(self, V)
  return V:copy()
end

function IdentityOperator:as_range_array() return values.unit_vectors(self.source) end
IdentityOperator.as_source_array = IdentityOperator.as_range_array

function IdentityOperator:restricted(dofs)
  selection.check_dofs(dofs, self.range)
  local source_dofs, places = selection.union { dofs }
  local selected = {}
  for i, dof in ipairs(dofs) do selected[i] = places[dof] end
  return MatrixOperator(selection.matrix(selected, #source_dofs)), source_dofs
end

---@class ZeroOperator: Operator
local ZeroOperator = class("neap.ZeroOperator", Operator)
M.ZeroOperator = ZeroOperator

function ZeroOperator._fields(range, source)
  check_dimension(range, "range")
  check_dimension(source, "source")
  return { source = source, range = range, linear = true, parametric = false }
end

function ZeroOperator:apply(U)
  check_source(self, U)
  return neap.VectorArray.zeros(self.range, #U)
end

function ZeroOperator:apply_adjoint(V)
  check_range(self, V)
  return neap.VectorArray.zeros(self.source, #V)
end

function ZeroOperator:restricted(dofs)
  selection.check_dofs(dofs, self.range)
  return ZeroOperator(#dofs, 0), {}
end

return M

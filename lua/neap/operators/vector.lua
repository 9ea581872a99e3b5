--- Vectors as operators from coefficients, and as functionals.
local class = require "neap.class"
local Operator = require "neap.operators.operator"
local selection = require "neap.operators.selection"
local values = require "neap.operators.values"

local M = {}

local function check_array(U, what)
  if values.kind(U) ~= "neap.VectorArray" then
    error(("%s: VectorArray expected, got %s"):format(what, values.kind(U)), 4)
  end
end

--- Coefficients -> linear combination of the vectors of an array.
---@class VectorOperator: Operator
---@field array VectorArray
local VectorOperator = class("neap.VectorOperator", Operator)
M.VectorOperator = VectorOperator

function VectorOperator._fields(U)
  check_array(U, "U")
  return { array = U, source = #U, range = U.dim, linear = true, parametric = false }
end

function VectorOperator:apply(U)
  values.check_array(U, self.source, "U")
  return self.array:lincomb(values.matrix(U))
end

function VectorOperator:apply_adjoint(V)
  values.check_array(V, self.range, "V")
  return values.columns(self.array:inner(V))
end

function VectorOperator:as_range_array() return self.array end

function VectorOperator:restricted(dofs)
  selection.check_dofs(dofs, self.range)
  return VectorOperator(selection.pick(self.array, dofs)), selection.all(self.source)
end

function VectorOperator:as_source_array()
  return values.columns(values.matrix(self.array):H())
end

--- Vector -> its inner products with the vectors of an array.
---@class VectorFunctional: Operator
---@field array VectorArray
---@field product? Operator|SparseMatrix|Matrix
local VectorFunctional = class("neap.VectorFunctional", Operator)
M.VectorFunctional = VectorFunctional

function VectorFunctional._fields(U, product)
  check_array(U, "U")
  return { array = U, product = values.check_product(product, 3, U.dim), source = U.dim, range = #U,
           linear = true, parametric = false }
end

function VectorFunctional:apply(U)
  values.check_array(U, self.source, "U")
  return values.columns(self.array:inner(U, self.product))
end

function VectorFunctional:apply_adjoint(V)
  values.check_array(V, self.range, "V")
  return self:as_source_array():lincomb(values.matrix(V))
end

function VectorFunctional:as_source_array()
  if self.product == nil then return self.array end
  return values.as_operator(self.product, "product", 2):apply_adjoint(self.array)
end

function VectorFunctional:as_range_array()
  return values.columns(values.matrix(self:as_source_array()):H())
end

function VectorFunctional:restricted(dofs)
  selection.check_dofs(dofs, self.range)
  return VectorFunctional(self.array[dofs]:copy(), self.product), selection.all(self.source)
end

return M

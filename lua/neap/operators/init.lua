--- Operators: what a model is made of.
local simple = require "neap.operators.simple"
local values = require "neap.operators.values"
local vector = require "neap.operators.vector"

return {
  Operator = require "neap.operators.operator",
  MatrixOperator = require "neap.operators.matrix",
  LincombOperator = require "neap.operators.lincomb",
  VectorOperator = vector.VectorOperator,
  VectorFunctional = vector.VectorFunctional,
  IdentityOperator = simple.IdentityOperator,
  ZeroOperator = simple.ZeroOperator,
  ConcatenationOperator = require "neap.operators.concatenation",
  AdjointOperator = require "neap.operators.adjoint",
  InverseOperator = require "neap.operators.inverse",
  ProjectedOperator = require "neap.operators.projected",
  EmpiricalInterpolatedOperator = require "neap.operators.empirical",
  FixedParameterOperator = require "neap.operators.fixed_parameter",
  as_operator = values.as_operator,
  is_operator = values.is_operator,
}

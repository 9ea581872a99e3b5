--- Parameters: values mu, spaces that they are sampled from, functionals of them.
local functionals = require "neap.parameters.functionals"
local mu = require "neap.parameters.mu"

return {
  ParameterSpace = require "neap.parameters.space",
  ParameterFunctional = functionals.ParameterFunctional,
  ProjectionFunctional = functionals.ProjectionFunctional,
  MinThetaFunctional = functionals.MinThetaFunctional,
  Functional = functionals.Functional,
  parse = mu.parse,
  evaluate = mu.evaluate,
  evaluator = mu.evaluator,
  evaluate_all = mu.evaluate_all,
  is_coefficient = mu.is_coefficient,
}

--- Residual-based error estimates of reduced models with an affine decomposition.
local neap = require "neap"
local blame = require "neap.blame"
local class = require "neap.class"
local host_array = require "host.array"
local functionals = require "neap.parameters.functionals"
local mu_ = require "neap.parameters.mu"
local operators = require "neap.operators"
local values = require "neap.operators.values"

--- The norm of the residual over a lower bound of the coercivity constant.
---@class AffineEstimator
---@field parts Matrix            coefficients of the residual's parts in an orthonormal basis
---@field dims integer[]          dims[k + 1]: rows of `parts` that matter with k basis vectors
---@field rhs_parts integer       so many leading columns of `parts` belong to the right-hand side
---@field terms integer[]         the terms of the operator that the other columns belong to; the
---  rest does nothing on the reduced space
---@field coercivity number|fun(mu): number
---@field output_norms number[][] dual norms of the outputs: by term of the functional, by output
local AffineEstimator = class("neap.AffineEstimator", nil, { immutable = true })

function AffineEstimator._fields(fields) return fields end

-- estimator -> system of the C kernel, made when first needed: it does not travel.
local systems = setmetatable({}, { __mode = "k" })

local function decompose(op)
  if getmetatable(op) == operators.LincombOperator then return op.operators, op.coefficients end
  return { op }, { 1.0 }
end

-- Functions of mus that the model has checked: what it knows of is not looked at twice.
local function evaluators(coefficients, name, model)
  local functions = {}
  for i, coefficient in ipairs(coefficients) do
    local is_checked = getmetatable(coefficient) == functionals.ProjectionFunctional
      and model.parameters[coefficient.name] == coefficient.size
    functions[i] = is_checked and coefficient:trusting_evaluator()
      or mu_.evaluator(coefficient, ("%s[%d]"):format(name, i))
  end
  return functions
end

-- Is the coercivity constant one of the coefficients' values, in their order?
local function is_of_thetas(coercivity, coefficients)
  if getmetatable(coercivity) ~= functionals.MinThetaFunctional
    or #coercivity.thetas ~= #coefficients then return false end
  for q, theta in ipairs(coercivity.thetas) do
    if not rawequal(theta, coefficients[q]) then return false end
  end
  return true
end

local function system_of(self, model)
  local system = systems[self]
  if system then return system end
  local A, A_coefficients = decompose(model.operator)
  local f, rhs_coefficients = decompose(model.rhs)
  local matrices, coefficients, vectors = {}, {}, {}
  for i, q in ipairs(self.terms) do
    matrices[i], coefficients[i] = A[q].matrix, A_coefficients[q]
  end
  for i, term in ipairs(f) do vectors[i] = values.matrix(term:as_range_array()) end
  local outputs, output_coefficients = {}, {}
  if model.output_functional then
    local l
    l, output_coefficients = decompose(model.output_functional)
    for i, term in ipairs(l) do outputs[i] = values.matrix(term:as_source_array()):T() end
  end
  system = {
    kernel = host_array.affine(matrices, vectors, self.parts),
    coefficients = coefficients, thetas = evaluators(coefficients, "coefficients", model),
    rhs_coefficients = rhs_coefficients,
    rhs_thetas = evaluators(rhs_coefficients, "rhs_coefficients", model),
    coercivity = mu_.evaluator(self.coercivity, "coercivity_estimator"),
    is_of_thetas = is_of_thetas(self.coercivity, coefficients),
    outputs = outputs,
    output_thetas = evaluators(output_coefficients, "output_coefficients", model),
  }
  systems[self] = system
  return system
end

local function check_coercivity(alpha)
  if not (alpha > 0) then
    blame(("coercivity_estimator: %s for a parameter; positive number expected"):format(alpha))
  end
  return alpha
end

local function evaluate_one(functions, mu)
  local thetas = {}
  for q = 1, #functions do thetas[q] = functions[q](mu) end
  return thetas
end

--- A bound of the error of the model's solution for mu.
---@param mu table  as parameters.parse returns it
---@param model StationaryModel  the reduced model
---@param wants_solution? boolean  the second result as well
---@return number
---@return Matrix|nil  [dim, 1], the solution that it belongs to
function AffineEstimator:estimate(mu, model, wants_solution)
  local system = systems[self] or system_of(self, model)
  local kernel, thetas = system.kernel, evaluate_one(system.thetas, mu)
  local estimate = wants_solution and kernel.estimate or kernel.norms
  local norms, u = estimate(kernel, thetas, evaluate_one(system.rhs_thetas, mu))
  local alpha = system.is_of_thetas and self.coercivity:of_thetas(thetas)
    or system.coercivity(mu)
  return norms[1] / check_coercivity(alpha), u
end

--- The outputs of the model, which must have an output functional.
---@param mu table
---@param model StationaryModel
---@param u? Matrix  the solution, where it is known from estimate
---@return Matrix [outputs, 1]
function AffineEstimator:reduced_output(mu, model, u)
  local system = systems[self] or system_of(self, model)
  u = u or system.kernel:solve(evaluate_one(system.thetas, mu),
    evaluate_one(system.rhs_thetas, mu))
  local outputs, thetas = system.outputs, system.output_thetas
  local sum = outputs[1] * u
  local theta = thetas[1](mu)
  if theta ~= 1 then sum = theta * sum end
  for i = 2, #outputs do sum = sum + thetas[i](mu) * (outputs[i] * u) end
  return sum
end

-- Matrix [coefficients, mus].
local function evaluate(coefficients, mus, known)
  local rows = {}
  for q, coefficient in ipairs(coefficients) do
    rows[q] = mu_.evaluate_all(coefficient, mus, known)
  end
  return neap.Matrix.from_table(rows)
end

local function fill_cache(self, system, mus, cache)
  local known = cache.known or {}
  if cache.mus == nil then
    cache.mus = {}
    for i = 1, #mus do cache.mus[i] = mu_.parse(mus[i]) end
    cache.rhs_thetas = evaluate(system.rhs_coefficients, cache.mus, known)
    cache.coercivity = mu_.evaluate_all(self.coercivity, cache.mus, known)
    for i = 1, #mus do check_coercivity(cache.coercivity[i]) end
  end
  cache.terms = table.concat(self.terms, " ")
  cache.thetas = evaluate(system.coefficients, cache.mus, known)
  cache.known = {}
  for key, list in next, known do -- what another model's coefficients are found under as well
    if type(key) == "string" then cache.known[key] = list end
  end
end

--- Bounds for many parameters; each has the same bits whatever its neighbours are.
---@param mus table[]
---@param model StationaryModel
---@param cache table  changed: coefficients, for the next call with the same mus and another
---  model of the same reductor
---@return number[]
function AffineEstimator:estimate_batch(mus, model, cache)
  if #mus == 0 then return {} end
  local system = system_of(self, model)
  if cache.terms ~= table.concat(self.terms, " ") then fill_cache(self, system, mus, cache) end
  local bounds = system.kernel:norms(cache.thetas, cache.rhs_thetas)
  local alphas = cache.coercivity
  for i = 1, #bounds do bounds[i] = bounds[i] / alphas[i] end
  return bounds
end

--- Bounds of the errors of the outputs.
---@param bound number  of the error of the solution
---@param mu table
---@param model StationaryModel
---@return number[]
function AffineEstimator:output_errors(bound, mu, model)
  local errors = {}
  if model.output_functional == nil then return errors end
  local _, thetas = decompose(model.output_functional)
  for k = 1, model.output_functional.range do errors[k] = 0.0 end
  for i, norms in ipairs(self.output_norms) do
    local theta = math.abs(mu_.evaluate(thetas[i], mu))
    for k = 1, #errors do errors[k] = errors[k] + theta * norms[k] * bound end
  end
  return errors
end

--- The estimator of the model with the leading `dim` basis vectors.
---@param dim integer
---@return AffineEstimator
---@nodiscard
function AffineEstimator:restricted(dim)
  local rows, cols = self.dims[dim + 1], self.rhs_parts + dim * #self.terms
  local parts = neap.Matrix.zeros(rows, cols)
  for j = 1, cols do
    for i = 1, rows do parts:set(i, j, self.parts:get(i, j)) end
  end
  return AffineEstimator {
    parts = parts, dims = table.move(self.dims, 1, dim + 1, 1, {}), rhs_parts = self.rhs_parts,
    terms = self.terms, coercivity = self.coercivity, output_norms = self.output_norms,
  }
end

return AffineEstimator

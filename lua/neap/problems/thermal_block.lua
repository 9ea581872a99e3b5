--- The thermal block: heat conduction in a square of blocks with a conductivity each.
local options_ = require "neap.options"
local parameters = require "neap.parameters"
local CrisscrossGrid = require "neap.problems.crisscross"
local StationaryModel = require "neap.models.stationary"

local SPEC = { blocks = { 3, 3 }, n = 100, range = { 0.1, 1.0 } }

local function check(o, level)
  local blocks, range = o.blocks, o.range
  for i = 1, 2 do
    if #blocks ~= 2 or math.type(blocks[i]) ~= "integer" or blocks[i] < 1 then
      error("option 'blocks': numbers of blocks in x and y expected", level + 1)
    end
  end
  if #range ~= 2 or not (type(range[1]) == "number" and range[1] > 0)
    or not (type(range[2]) == "number" and range[1] <= range[2]) then
    error("option 'range': {lo, hi} with 0 < lo <= hi expected", level + 1)
  end
  if math.type(o.n) ~= "integer" or o.n < math.max(blocks[1], blocks[2]) then
    error(("option 'n': at least one square for each block expected, got %s")
      :format(tostring(o.n)), level + 1)
  end
end

--- -div(diffusion grad u) = 1 on the unit square, u = 0 on its boundary, with one component of
--- the parameter `diffusion` for each block, row by row from the bottom.
---
--- P1 elements on n x n squares, each cut by both diagonals. The output is the mean of u. The
--- operator is symmetric: the entries of the blocks' matrices in rows and in columns of the
--- boundary are left out, and the first operator is the identity there. `products.energy` (the
--- H1 semi-norm) and `products.l2` are the identity on the boundary, too.
---
--- Options: `blocks` (default {3, 3}: in x and y), `n` (default 100), `range` (default {0.1, 1}:
--- of the diffusion).
---@param options? table
---@return StationaryModel fom
---@return ParameterSpace parameter_space
---@return CrisscrossGrid grid
return function(options)
  local o = options_.parse(options, SPEC, 2)
  check(o, 2)
  local nx, ny = o.blocks[1], o.blocks[2]
  local grid = CrisscrossGrid(o.n)
  local boundary = grid:boundary_identity()
  local operators, coefficients, ones = { boundary }, { 1.0 }, { 1.0 }
  for q, A in ipairs(grid:stiffness_by_block(nx, ny)) do
    operators[q + 1], ones[q + 1] = A, 1.0
    coefficients[q + 1] = parameters.ProjectionFunctional("diffusion", nx * ny, q)
  end
  local lincomb = require "neap".SparseMatrix.lincomb
  local fom = StationaryModel {
    operator = operators,
    coefficients = coefficients,
    rhs = grid:load { boundary = false },
    output_functional = grid:load(),
    products = {
      energy = lincomb(ones, operators),
      l2 = lincomb({ 1.0, 1.0 }, { grid:mass(), boundary }),
    },
    name = ("thermal block %d x %d"):format(nx, ny),
  }
  return fom, parameters.ParameterSpace({ diffusion = nx * ny }, o.range), grid
end

--- Galerkin reductors for stationary models.
local neap = require "neap"
local class = require "neap.class"
local options_ = require "neap.options"
local values = require "neap.operators.values"
local gram_schmidt = require "neap.algorithms.gram_schmidt"
local projection = require "neap.algorithms.projection"
local StationaryModel = require "neap.models.stationary"
local ExtensionError = require "neap.reductors.extension_error"

--- Projects a stationary model onto the span of a reduced basis.
---@class StationaryRBReductor
---@field fom StationaryModel
---@field product? Operator|SparseMatrix|Matrix  the basis is orthonormal in it (nil: Euclidean)
---@field bases { RB: VectorArray }
local StationaryRBReductor = class("neap.StationaryRBReductor")

function StationaryRBReductor:__tostring()
  return ("%s(%d unknowns, %d basis vector%s)"):format(self.__name:match "^neap%.(.*)"
    or self.__name, self.fom.dim, #self.bases.RB, #self.bases.RB == 1 and "" or "s")
end

local function check_basis(RB, dim, product, level)
  if values.kind(RB) ~= "neap.VectorArray" or RB.dim ~= dim then
    error(("option 'RB': VectorArray of dimension %d expected"):format(dim), level + 1)
  end
  local G = RB:gramian(product)
  for j = 1, #RB do
    for i = 1, #RB do
      if not (math.abs(G:get(i, j) - (i == j and 1 or 0)) <= 1e-3) then
        error("option 'RB': the vectors are not orthonormal in the product", level + 1)
      end
    end
  end
end

-- Shared with subclasses. level: of the function to blame.
function StationaryRBReductor._read(fom, options, spec, level)
  if type(fom) ~= "table" or not fom.is_model then
    error(("fom: model expected, got %s"):format(options_.describe(fom)), level + 1)
  end
  local o = options_.parse(options, spec, level + 1)
  values.check_product(o.product, level + 1, fom.dim)
  if o.RB then check_basis(o.RB, fom.dim, o.product, level + 1) end
  local RB = o.RB and o.RB:copy() or neap.VectorArray.empty(fom.dim)
  return { fom = fom, product = o.product, bases = { RB = RB }, _roms = {} }, o
end

function StationaryRBReductor._fields(fom, options)
  local spec = { RB = options_.any, product = options_.any }
  local fields = StationaryRBReductor._read(fom, options, spec, 3)
  return fields
end

local EXTENSION = { method = "gram_schmidt" }

local METHODS = {}

function METHODS.gram_schmidt(self, RB, U)
  gram_schmidt.append(RB, U, { product = self.product })
end

function METHODS.trivial(_, RB, U)
  for i = 1, #U do
    local is_there = false
    for j = 1, #RB do
      is_there = is_there or RB[j]:almost_equal(U[i], { rtol = 1e-14, atol = 1e-14 })
    end
    if not is_there then RB:append(U[i]) end
  end
end

--- Adds vectors to the basis. Arrays that were taken from `bases` before keep what they have.
---@param U VectorArray  not changed
---@param options? { method: "gram_schmidt"|"trivial" }
function StationaryRBReductor:extend_basis(U, options)
  local o = options_.parse(options, EXTENSION, 2)
  local method = METHODS[o.method]
  if method == nil then
    error(("option 'method': \"gram_schmidt\" or \"trivial\" expected, got \"%s\"")
      :format(o.method), 2)
  end
  if values.kind(U) ~= "neap.VectorArray" or U.dim ~= self.fom.dim then
    error(("U: VectorArray of dimension %d expected"):format(self.fom.dim), 2)
  end
  local RB = self.bases.RB:copy()
  method(self, RB, U)
  if #RB == #self.bases.RB then
    error(ExtensionError "the basis does not grow: U is in its span already", 2)
  end
  self.bases.RB, self._roms = RB, {}
end

--- The error estimator of the full reduced model; subclasses have one.
function StationaryRBReductor:_estimator() return nil end

local function project(self)
  local fom, RB = self.fom, self.bases.RB
  local products = {}
  for name, product in pairs(fom.products) do
    products[name] = RB:gramian(product)
  end
  return StationaryModel {
    operator = projection.project(fom.operator, RB, RB),
    rhs = projection.project(fom.rhs, RB, nil),
    output_functional = fom.output_functional
      and projection.project(fom.output_functional, nil, RB),
    products = products,
    error_estimator = self:_estimator(),
    name = (fom.name or "model") .. " reduced",
  }
end

local function restrict(rom, dim)
  local products = {}
  for name, product in pairs(rom.products) do
    products[name] = projection.project_to_subbasis(product, dim, dim).matrix
  end
  local l = rom.output_functional
  return StationaryModel {
    operator = projection.project_to_subbasis(rom.operator, dim, dim),
    rhs = projection.project_to_subbasis(rom.rhs, dim, 1),
    output_functional = l and projection.project_to_subbasis(l, l.range, dim),
    products = products,
    error_estimator = rom.error_estimator and rom.error_estimator:restricted(dim),
    name = rom.name,
  }
end

--- The reduced model.
---@param dim? integer  of the model: so many leading basis vectors, all by default; no new
---  projection is made
---@return StationaryModel
---@nodiscard
function StationaryRBReductor:reduce(dim)
  local full = #self.bases.RB
  dim = dim or full
  if math.type(dim) ~= "integer" or dim < 0 or dim > full then
    error(("dim: integer from 0 to %d expected, got %s"):format(full, tostring(dim)), 2)
  end
  local roms = self._roms
  if not roms[full] then roms[full] = project(self) end
  if not roms[dim] then roms[dim] = restrict(roms[full], dim) end
  return roms[dim]
end

--- The vectors of the full space that reduced ones stand for.
---@param u VectorArray  [dim, n] of a reduced model
---@return VectorArray [fom.dim, n]
---@nodiscard
function StationaryRBReductor:reconstruct(u)
  local RB = self.bases.RB
  if values.kind(u) ~= "neap.VectorArray" or u.dim > #RB then
    error(("u: VectorArray of dimension up to %d expected"):format(#RB), 2)
  end
  local basis <close> = RB:slice(1, u.dim)
  return basis:lincomb(values.matrix(u))
end

return StationaryRBReductor

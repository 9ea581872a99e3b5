--- Random sequences of operations on VectorArrays and on a model of them in plain Lua: a base is a
--- list of tables, one per vector; a view is a list of some of the same tables. Half of the runs
--- have complex entries too, which make arrays complex.
--- NEAP_SEED and NEAP_STEPS in the environment choose another sequence; failures name theirs.
local arrays = require "spec.support.arrays"
local neap = require "neap"
local VectorArray, Matrix = neap.VectorArray, neap.Matrix

local DIM = 3
local LARGEST = 2 ^ 20 -- entries are integers below, so that every sum of products is exact

---@class Pair
---@field U VectorArray
---@field model number[][]
---@field base? Pair  of a view
---@field is_complex? boolean  of a base

--- What entries a run has.
local has_complex = false

local function root(pair) return pair.base or pair end

local function is_complex(pair) return root(pair).is_complex or false end

local function conj(x) return type(x) == "number" and x or x:conj() end

--- A random integer from low to high, or a complex number of two of them.
local function number(low, high)
  local x = math.random(low, high)
  if has_complex and math.random(4) == 1 then x = neap.complex(x, math.random(low, high)) end
  return x
end

local function has_complex_entry(list)
  for _, x in ipairs(list) do
    if type(x) ~= "number" then return true end
  end
  return false
end

local function copy_vector(v) return table.move(v, 1, #v, 1, {}) end

local function deep_copy(model)
  local copy = {}
  for j, v in ipairs(model) do copy[j] = copy_vector(v) end
  return copy
end

local function dot(x, y)
  local s = 0
  for i = 1, #x do s = s + conj(x[i]) * y[i] end
  return s
end

local function same(x, y) return x == y or arrays.modulus(x - y) == 0 end

--- A random choice of k indices in 1..n.
local function some_indices(n, k, distinct)
  local list, seen = {}, {}
  if n == 0 then return list end
  while #list < k do
    local i = math.random(n)
    if not (distinct and seen[i]) then list[#list + 1] = i end
    seen[i] = true
  end
  return list
end

---@return Pair
local function new_base()
  local model = {}
  for j = 1, math.random(0, 6) do
    model[j] = {}
    for i = 1, DIM do model[j][i] = number(-5, 5) end
  end
  local complex = has_complex and math.random(8) == 1
  local U = VectorArray.empty(DIM, { reserve = math.random(0, 8), complex = complex })
  for _, v in ipairs(model) do
    U:append(VectorArray.from_table { v })
    complex = complex or has_complex_entry(v)
  end
  return { U = U, model = model, is_complex = complex }
end

local function has_repeats(model)
  local seen = {}
  for _, v in ipairs(model) do
    if seen[v] then return true end
    seen[v] = true
  end
  return false
end

--- How a call that must fail ended.
local function assert_refused(text, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok and tostring(message):find(text, 1, true),
         ("error with '%s' expected, got %s"):format(text, tostring(message)))
end

local State = {}
State.__index = State

function State:pick() return self.pairs[math.random(#self.pairs)] end

function State:add(pair)
  table.insert(self.pairs, pair)
  if #self.pairs > 8 then table.remove(self.pairs, math.random(#self.pairs)) end
end

--- Is a view of this base still in our hands?
function State:has_views(pair)
  for _, other in ipairs(self.pairs) do
    if other.base == pair then return true end
  end
  return false
end

local steps = {}

function steps.base(state) state:add(new_base()) end

function steps.copy(state)
  local a = state:pick()
  state:add { U = a.U:copy(), model = deep_copy(a.model), is_complex = is_complex(a) }
end

function steps.view_by_list(state)
  local a = state:pick()
  local indices = some_indices(#a.model, math.random(0, 5))
  local model = {}
  for k, i in ipairs(indices) do model[k] = a.model[i] end
  state:add { U = a.U[indices], model = model, base = a.base or a }
end

function steps.view_of_one(state)
  local a = state:pick()
  local i = math.random(0, #a.model + 1)
  if a.model[i] == nil then
    assert(a.U[i] == nil)
  else
    state:add { U = a.U[i], model = { a.model[i] }, base = a.base or a }
  end
end

function steps.slice(state)
  local a = state:pick()
  if #a.model == 0 then return end
  local first, last = math.random(#a.model), math.random(#a.model)
  local step = math.random(1, 3) * (first <= last and 1 or -1)
  local model = {}
  for i = first, last, step do model[#model + 1] = a.model[i] end
  state:add { U = a.U:slice(first, last, step), model = model, base = a.base or a }
end

function steps.forget(state)
  if #state.pairs > 2 then table.remove(state.pairs, math.random(#state.pairs)) end
end

function steps.append(state)
  local a, b = state:pick(), state:pick()
  if a.base then return assert_refused("is a view", a.U.append, a.U, b.U) end
  if state:has_views(a) then return assert_refused("has views", a.U.append, a.U, b.U) end
  local added = deep_copy(b.model)
  if #a.model + #added > 20 then return end
  a.U:append(b.U)
  a.is_complex = is_complex(a) or is_complex(b)
  table.move(added, 1, #added, #a.model + 1, a.model)
end

function steps.move(state)
  local a, b = state:pick(), state:pick()
  local options = { remove_from_other = true }
  if a == b or a.base or b.base or state:has_views(a) or state:has_views(b) then
    local ok = pcall(a.U.append, a.U, b.U, options)
    return assert(not ok)
  end
  if #a.model + #b.model > 20 then return end
  a.U:append(b.U, options)
  a.is_complex = is_complex(a) or is_complex(b)
  table.move(b.model, 1, #b.model, #a.model + 1, a.model)
  b.model = {}
end

function steps.delete(state)
  local a = state:pick()
  local indices = some_indices(#a.model, math.random(0, 2))
  if a.base then return assert_refused("is a view", a.U.delete, a.U, indices) end
  if state:has_views(a) then return assert_refused("has views", a.U.delete, a.U, indices) end
  a.U:delete(indices)
  local gone = {}
  for _, i in ipairs(indices) do gone[i] = true end
  local model = {}
  for i, v in ipairs(a.model) do
    if not gone[i] then model[#model + 1] = v end
  end
  a.model = model
end

local function factors(n)
  if math.random(2) == 1 then
    local alpha = number(-1, 2)
    return alpha, function() return alpha end, has_complex_entry { alpha }
  end
  local list = {}
  for j = 1, n do list[j] = number(-1, 2) end
  return list, function(j) return list[j] end, has_complex_entry(list)
end

function steps.scal(state)
  local a = state:pick()
  local alpha, factor, complex = factors(#a.model)
  if has_repeats(a.model) then return assert_refused("occurs twice", a.U.scal, a.U, alpha) end
  a.U:scal(alpha)
  root(a).is_complex = is_complex(a) or complex
  for j, v in ipairs(a.model) do
    for i = 1, DIM do v[i] = v[i] * factor(j) end
  end
end

function steps.axpy(state)
  local a, x = state:pick(), state:pick()
  local alpha, factor, complex = factors(#a.model)
  if #x.model ~= 1 and #x.model ~= #a.model then
    return assert_refused("vectors expected", a.U.axpy, a.U, alpha, x.U)
  end
  if has_repeats(a.model) then return assert_refused("occurs twice", a.U.axpy, a.U, alpha, x.U) end
  a.U:axpy(alpha, x.U)
  root(a).is_complex = is_complex(a) or is_complex(x) or complex
  local before = deep_copy(x.model)
  for j, v in ipairs(a.model) do
    local w = before[#before == 1 and 1 or j]
    for i = 1, DIM do v[i] = v[i] + factor(j) * w[i] end
  end
end

function steps.set(state)
  local a = state:pick()
  if #a.model == 0 then return end
  local i, j, x = math.random(DIM), math.random(#a.model), number(-5, 5)
  a.U:set(i, j, x)
  root(a).is_complex = is_complex(a) or has_complex_entry { x }
  a.model[j][i] = x
end

function steps.arithmetic(state)
  local a, b = state:pick(), state:pick()
  if #a.model ~= #b.model and #b.model ~= 1 then return end
  local model = {}
  for j, v in ipairs(a.model) do
    local w = b.model[#b.model == 1 and 1 or j]
    model[j] = {}
    for i = 1, DIM do model[j][i] = 2 * v[i] - w[i] end
  end
  state:add { U = 2 * a.U - b.U, model = model, is_complex = is_complex(a) or is_complex(b) }
end

function steps.lincomb(state)
  local a = state:pick()
  local C, model, complex = {}, {}, is_complex(a)
  for j = 1, #a.model do
    C[j] = { number(-1, 1), number(-1, 1) }
    complex = complex or has_complex_entry(C[j])
  end
  for k = 1, 2 do
    model[k] = {}
    for i = 1, DIM do
      model[k][i] = 0
      for j, v in ipairs(a.model) do model[k][i] = model[k][i] + C[j][k] * v[i] end
    end
  end
  local U = a.U:lincomb(#C == 0 and Matrix.zeros(0, 2) or Matrix.from_table(C))
  state:add { U = U, model = model, is_complex = complex }
end

function steps.parts(state)
  local a = state:pick()
  if not is_complex(a) then return end
  local re, im = a.U:real(), a.U:imag()
  assert(not re.is_complex and not im.is_complex)
  assert((re + neap.complex(0, 1) * im):almost_equal(a.U, { atol = 0, rtol = 0 }), "parts")
  local model = {}
  for j, v in ipairs(a.model) do
    model[j] = {}
    for i = 1, DIM do model[j][i] = conj(v[i]) end
  end
  state:add { U = a.U:conj(), model = model, is_complex = true }
end

function steps.measure(state)
  local a, b = state:pick(), state:pick()
  local M, G, dofs = a.U:inner(b.U), a.U:gramian(), a.U:dofs { 3, 1 }
  local sup, norm2 = a.U:sup_norm(), a.U:norm2()
  assert(M.rows == #a.model and M.cols == #b.model and #sup == #a.model)
  for i, v in ipairs(a.model) do
    for j, w in ipairs(b.model) do assert(same(M:get(i, j), dot(v, w)), "inner") end
    for j, w in ipairs(a.model) do assert(same(G:get(i, j), dot(v, w)), "gramian") end
    assert(same(norm2[i], dot(v, v)), "norm2")
    local largest = 0
    for _, x in ipairs(v) do largest = math.max(largest, arrays.modulus(x)) end
    assert(math.abs(sup[i] - largest) <= 2 ^ -50 * largest, "sup_norm") -- a root, rounded
    assert(same(dofs:get(1, i), v[3]) and same(dofs:get(2, i), v[1]), "dofs")
  end
end

function steps.cat(state)
  local list, model, complex = {}, {}, false
  for k = 1, math.random(1, 3) do
    local a = state:pick()
    list[k], complex = a.U, complex or is_complex(a)
    local copy = deep_copy(a.model)
    table.move(copy, 1, #copy, #model + 1, model)
  end
  if #model <= 20 then
    state:add { U = VectorArray.cat(list), model = model, is_complex = complex }
  end
end

function steps.measure_pairs(state)
  local a, b = state:pick(), state:pick()
  if #a.model ~= #b.model then
    return assert_refused("vectors expected", a.U.pairwise_inner, a.U, b.U)
  end
  local pairwise, norm = a.U:pairwise_inner(b.U), a.U:norm()
  local indices, largest = a.U:amax()
  local equal = true
  for j, v in ipairs(a.model) do
    local w = b.model[j]
    assert(same(pairwise[j], dot(v, w)), "pairwise_inner")
    local square = arrays.modulus(dot(v, v))
    assert(math.abs(norm[j] - square ^ 0.5) <= 2 ^ -50 * norm[j], "norm")
    local place = 1
    for i = 2, DIM do
      if same(dot({ v[i] }, { v[i] }), dot({ v[place] }, { v[place] })) then goto next end
      if arrays.modulus(v[i]) > arrays.modulus(v[place]) then place = i end
      ::next::
      equal = equal and same(v[i], w[i])
    end
    equal = equal and same(v[1], w[1])
    assert(indices[j] == place, "amax")
    assert(math.abs(largest[j] - arrays.modulus(v[place])) <= 2 ^ -50 * largest[j], "amax")
  end
  assert(a.U:almost_equal(b.U, { rtol = 0, atol = 0 }) == equal, "almost_equal")
end

function steps.dofs(state)
  local a = state:pick()
  local indices = some_indices(DIM, math.random(0, 5))
  local M = a.U:dofs(indices)
  assert(M.rows == #indices and M.cols == #a.model)
  for k, i in ipairs(indices) do
    for j, v in ipairs(a.model) do assert(same(M:get(k, j), v[i]), "dofs") end
  end
end

function steps.collect() collectgarbage() end

local names = {}
for name in pairs(steps) do names[#names + 1] = name end
table.sort(names)

--- Keeps entries small; a base is rewritten through one of its views as well as directly.
local function tame(state)
  for _, pair in ipairs(state.pairs) do
    for j, v in ipairs(pair.model) do
      for i = 1, DIM do
        if arrays.modulus(v[i]) > LARGEST then
          v[i] = i
          pair.U:set(i, j, i)
        end
      end
    end
  end
end

local function run(seed, count)
  math.randomseed(seed)
  has_complex = seed % 2 == 0
  local state = setmetatable({ pairs = { new_base(), new_base() } }, State)
  for step = 1, count do
    local name = names[math.random(#names)]
    local ok, message = pcall(steps[name], state)
    if not ok then error(("seed %d, step %d, %s: %s"):format(seed, step, name, message), 0) end
    tame(state)
    for _, pair in ipairs(state.pairs) do
      local difference = arrays.difference(pair.model, pair.U, 0)
      if difference or #pair.U ~= #pair.model or pair.U.is_view ~= (pair.base ~= nil)
        or pair.U.is_complex ~= is_complex(pair) then
        error(("seed %d, step %d, after %s: %s: %s"):format(seed, step, name, pair.U,
                                                           difference or "kind"), 0)
      end
    end
  end
end

describe("VectorArray", function()
  it("does what a model in plain Lua does, over random sequences of operations", function()
    local seed = math.tointeger(os.getenv "NEAP_SEED")
    local count = math.tointeger(os.getenv "NEAP_STEPS") or 500
    for s = seed or 1, seed or 20 do run(s, count) end
  end)
end)

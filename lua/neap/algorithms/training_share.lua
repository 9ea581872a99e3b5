--- A training set on its way to the workers: many small tables of one shape as one list of numbers.
--
-- A table of one list takes about a microsecond to write and another one to read; its numbers
-- in one list take a tenth of that.
local M = {}

local move, type, unpack = table.move, type, table.unpack

-- Names and sizes of mu's lists; nil: it is no plain table of plain lists.
local function shape_of(mu)
  local names, sizes = {}, {}
  if type(mu) ~= "table" or getmetatable(mu) ~= nil then return nil end
  for name, value in next, mu do
    if type(name) ~= "string" or type(value) ~= "table" or #value == 0 then return nil end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do sizes[i] = #mu[name] end
  return names, sizes
end

-- Appends the lists of mu to flat, after entry at. Returns the new length; nil: it is of another
-- shape.
local function append(flat, at, mu, names, sizes)
  if type(mu) ~= "table" or getmetatable(mu) ~= nil then return nil end
  local fields = 0
  for _ in next, mu do fields = fields + 1 end
  if fields ~= #names then return nil end
  for j = 1, #names do
    local value, size = mu[names[j]], sizes[j]
    if type(value) ~= "table" or #value ~= size or getmetatable(value) ~= nil
      or next(value, size) ~= nil then return nil end
    for k = 1, size do
      local x = value[k]
      if type(x) ~= "number" then return nil end
      flat[at + k] = x
    end
    at = at + size
  end
  return at
end

--- Consecutive shares of the parameters, whose sizes differ by at most one.
---@param mus table[]
---@param n integer  how many shares
---@return table[]|nil shares  for unpack; nil: the mus are not all of one shape
---@nodiscard
function M.pack(mus, n)
  local names, sizes = shape_of(mus[1])
  if not names then return nil end
  local shares, i = {}, 0
  for w = 1, n do
    local count, flat, at = #mus // n + (w <= #mus % n and 1 or 0), {}, 0
    for _ = 1, count do
      i = i + 1
      at = append(flat, at, mus[i], names, sizes)
      if not at then return nil end
    end
    shares[w] = { names = names, sizes = sizes, count = count, flat = flat }
  end
  return shares
end

local function cut(flat, first, size)
  if size < 100 then return { unpack(flat, first, first + size - 1) } end
  return move(flat, first, first + size - 1, 1, {})
end

--- The parameters of a share.
---@param share table
---@return table[] mus
---@nodiscard
function M.unpack(share)
  local mus, names, sizes, flat, at = {}, share.names, share.sizes, share.flat, 1
  for i = 1, share.count do
    local mu = {}
    for j = 1, #names do
      mu[names[j]] = cut(flat, at, sizes[j])
      at = at + sizes[j]
    end
    mus[i] = mu
  end
  return mus
end

return M

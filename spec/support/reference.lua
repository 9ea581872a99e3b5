--- The data in spec/reference.
local dkjson = require "dkjson"
local neap = require "neap"

local M = {}

local FOLDER = "spec/reference/"

--- A JSON file; null becomes nil.
function M.json(path)
  local file = assert(io.open(FOLDER .. path, "r"))
  local data = assert(dkjson.decode(file:read("a"), 1, nil))
  file:close()
  return data
end

--- An array or a matrix.
function M.load(path, options)
  return neap.load(FOLDER .. path, options)
end

--- Indices that count from 0, as Lua counts.
function M.from_zero(list)
  local result = {}
  for i, x in ipairs(list) do result[i] = x + 1 end
  return result
end

--- The columns of a file as parameter values.
function M.mus(path, name)
  local mus = {}
  for i, column in ipairs(M.load(path):to_table()) do mus[i] = { [name] = column } end
  return mus
end

return M

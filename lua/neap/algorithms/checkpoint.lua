--- The steps of a greedy in a file, so that a run that was killed can be resumed.
--
-- A step is where the largest error was and how large. The solution there gives the basis vector
-- again, so nothing else needs to be kept.
local M = {}

local HEAD = "neap greedy checkpoint 1"
local ENOENT = 2

-- A fingerprint of mu (FNV-1a), to see that the training set is still the same.
local function fingerprint(mu)
  local names, hash = {}, 0xcbf29ce484222325
  for name in pairs(mu) do names[#names + 1] = name end
  table.sort(names)
  local function mix(text)
    for i = 1, #text do hash = (hash ~ text:byte(i)) * 0x100000001b3 end
  end
  for _, name in ipairs(names) do
    mix(name .. "=")
    local value = mu[name]
    for _, x in ipairs(type(value) == "table" and value or { value }) do
      mix(("%a,"):format(x))
    end
  end
  return ("%016x"):format(hash)
end

---@class GreedyStep
---@field index integer  of the training set
---@field err number     the largest error, found there

local function parse(line, training_set)
  local index, err, print = line:match "^(%d+) (%S+) (%x+)$"
  index, err = math.tointeger(index), tonumber(err)
  if not index or not err then return nil, "malformed" end
  local mu = training_set[index]
  if mu == nil or fingerprint(mu) ~= print then
    return nil, ("parameter %d of the training set is another one"):format(index)
  end
  return { index = index, err = err }
end

--- The steps in the file; none when there is no such file.
---@param path string
---@param training_set table[]
---@param level integer  of the function to blame
---@return GreedyStep[]
---@nodiscard
function M.read(path, training_set, level)
  local function refuse(number, message)
    error(("checkpoint %s, line %d: %s"):format(path, number, message), level + 2)
  end
  local file, message, code = io.open(path, "r")
  if file == nil then
    if code == ENOENT then return {} end
    error("checkpoint " .. message, level + 1)
  end
  local lines = {}
  for line in file:lines() do lines[#lines + 1] = line end
  file:close()
  if lines[1] ~= HEAD then refuse(1, ("'%s' expected"):format(HEAD)) end
  local count = ("%d parameters"):format(#training_set)
  if lines[2] ~= count then
    refuse(2, ("'%s' expected, got '%s'"):format(count, lines[2] or ""))
  end
  local steps = {}
  for number = 3, #lines do
    local step, wrong = parse(lines[number], training_set)
    if step == nil then refuse(number, wrong) end
    steps[#steps + 1] = step
  end
  return steps
end

--- Writes all steps. The file is complete at any moment: it is written beside and renamed.
---@param path string
---@param training_set table[]
---@param steps GreedyStep[]
function M.write(path, training_set, steps)
  local lines = { HEAD, ("%d parameters"):format(#training_set) }
  for _, step in ipairs(steps) do
    lines[#lines + 1] = ("%d %a %s"):format(step.index, step.err,
      fingerprint(training_set[step.index]))
  end
  local beside = path .. ".part"
  local file, message = io.open(beside, "w")
  local ok = file
  if file then
    ok, message = file:write(table.concat(lines, "\n"), "\n")
    local closed, why = file:close() -- which writes what is still in its buffer
    if ok and not closed then ok, message = closed, why end
  end
  if ok then ok, message = os.rename(beside, path) end
  if not ok then
    os.remove(beside)
    error(("checkpoint %s: %s"):format(path, message), 0)
  end
end

return M

--- Runs neap as its users do: from a shell, with what it prints and its exit code.
local M = {}

--- The neap that runs the specs.
M.neap = assert(require "lfs".symlinkattributes("/proc/self/exe", "target"))

---@param text string
---@return string  as one word of a shell command
function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

---@class Outcome
---@field out string   standard output
---@field err string   standard error
---@field code integer exit code, or -signal

--- All bytes of a file.
---@param path string
---@return string
---@nodiscard
function M.slurp(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

--- The names in a folder, sorted, hidden ones left out.
---@param folder string
---@return string[]
---@nodiscard
function M.names(folder)
  local list = {}
  for name in require "lfs".dir(folder) do
    if name:sub(1, 1) ~= "." then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

local function take(path)
  local text = M.slurp(path)
  os.remove(path)
  return text
end

--- Runs a shell command in which %neap% stands for the executable; standard input is empty
--- unless the command says otherwise.
---@param command string
---@return Outcome
---@nodiscard
function M.run(command)
  local out, err = os.tmpname(), os.tmpname()
  command = command:gsub("%%neap%%", (M.quote(M.neap):gsub("%%", "%%%%")))
  local _, how, code = os.execute(("{ %s\n} </dev/null >%s 2>%s"):format(command, out, err))
  return { out = take(out), err = take(err), code = how == "exit" and code or -code }
end

--- A fresh temporary folder, and a function that removes it and all within.
---@return string path
---@return fun() remove
---@nodiscard
function M.folder()
  local path = os.tmpname()
  os.remove(path)
  assert(require "lfs".mkdir(path))
  return path, function() assert(os.execute("rm -rf " .. M.quote(path))) end
end

---@param text string
---@param path? string  a fresh temporary file when nil
---@return string path
function M.write(text, path)
  path = path or os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  assert(file:close())
  return path
end

return M

--- Runs gnuplot: a script with its data goes in, a picture comes out.
local M = {}

local MISSING = "gnuplot was not found; install it (on Debian: apt-get install gnuplot-nox)"

---@param text string
---@return string  as a string of gnuplot in which nothing is special
function M.quote(text)
  return "'" .. text:gsub("'", "''"):gsub("\n", " ") .. "'"
end

local function slurp(path)
  local file = io.open(path, "r")
  if file == nil then return "" end
  local text = file:read("a")
  file:close()
  return text
end

--- The terminal for a file, by its extension; without file the text terminal.
---@param options { file?: string, width: integer, height: integer }
---@param level integer  of the function to blame
---@return string[] lines  of the script
---@nodiscard
function M.terminal(options, level)
  local file = options.file
  if file == nil then
    return { ("set terminal dumb %d %d"):format(math.tointeger(os.getenv "COLUMNS") or 79, 24) }
  end
  local kind = type(file) == "string" and file:match "%.(%a+)$" or nil
  if kind == "png" or kind == "svg" then -- gnuplot would go on and draw to standard output
    local handle, message = io.open(file, "wb")
    if handle == nil then error("option 'file': " .. message, level + 1) end
    handle:close()
  end
  local size = ("size %d,%d"):format(options.width, options.height)
  if kind == "png" then
    return { "set terminal pngcairo noenhanced font 'Sans,11' lw 1.3 " .. size,
             "set output " .. M.quote(file) }
  elseif kind == "svg" then
    return { "set terminal svg noenhanced font 'Sans,13' lw 1.3 background '#ffffff' " .. size,
             "set output " .. M.quote(file) }
  end
  error(("option 'file': a name that ends in .png or .svg expected, got %s")
    :format(tostring(file)), level + 1)
end

--- Runs a script. Raises what gnuplot has to say when it fails.
---@param lines string[]
---@param level integer  of the function to blame
function M.run(lines, level)
  -- Through a file: with a pipe, SIGPIPE would end us when there is no gnuplot to read it.
  local script, messages = os.tmpname(), os.tmpname()
  local file = assert(io.open(script, "w"))
  file:write(table.concat(lines, "\n"), "\n")
  file:close()
  io.stdout:flush()
  local ok, _, code = os.execute(("gnuplot %s 2>%s"):format(script, messages))
  local said = slurp(messages)
  os.remove(script)
  os.remove(messages)
  if code == 127 then error(MISSING, level + 1) end
  if not ok then error("gnuplot: " .. said:gsub("%s+$", ""), level + 1) end
end

--- The lines of an inline data block: one of columns for each row.
---@param lines string[]  changed: the block is appended
---@param name string
---@param rows number[][]
function M.data(lines, name, rows)
  lines[#lines + 1] = ("$%s << EOD"):format(name)
  for _, row in ipairs(rows) do
    local words = {}
    for i, x in ipairs(row) do words[i] = ("%.9g"):format(x) end
    lines[#lines + 1] = table.concat(words, " ")
  end
  lines[#lines + 1] = "EOD"
end

return M

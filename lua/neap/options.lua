--- Option tables: each option known by name and type, an unknown one an error.
local options = {}

--- Marks an option that has no default: nil unless given, of any type.
options.any = setmetatable({}, { __tostring = function() return "options.any" end })

local function names(spec)
  local list = {}
  for name in pairs(spec) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, ", ")
end

--- Returns a fresh table of all options: what is given, else the default.
---@param given table|nil  the caller's table; not changed
---@param spec table<string, any>  name -> default, or options.any. What is given must have the
---  type of the default.
---@param level integer  of the function to blame, as in error(): 1 is the caller of parse
---@return table
---@nodiscard
function options.parse(given, spec, level)
  if given ~= nil and type(given) ~= "table" then
    error(("options: table expected, got %s"):format(type(given)), level + 1)
  end
  local parsed = {}
  for name, value in pairs(given or {}) do
    local default = spec[name]
    if default == nil then
      error(("unknown option '%s' (known: %s)"):format(tostring(name), names(spec)), level + 1)
    end
    if default ~= options.any and type(value) ~= type(default) then
      error(("option '%s': %s expected, got %s"):format(name, type(default), type(value)),
        level + 1)
    end
    parsed[name] = value
  end
  for name, default in pairs(spec) do
    if parsed[name] == nil and default ~= options.any then parsed[name] = default end
  end
  return parsed
end

return options

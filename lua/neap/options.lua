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

--- What type says; of a userdata its name, as in "neap.VectorArray".
---@return string
---@nodiscard
function options.kind(x)
  local meta = type(x) == "userdata" and getmetatable(x)
  return type(meta) == "table" and meta.__name or type(x)
end

--- The same; of a table with a class the name of that.
---@return string
---@nodiscard
function options.describe(x)
  local meta = type(x) == "table" and getmetatable(x)
  return type(meta) == "table" and type(meta.__name) == "string" and meta.__name
    or options.kind(x)
end

--- A value as messages show what came: a string in quotes, the kind of what has no short form.
---@return string
---@nodiscard
function options.show(x)
  local kind = type(x)
  if kind == "string" then return ("%q"):format(x) end
  if kind == "number" or kind == "boolean" then return tostring(x) end
  return options.kind(x)
end

---@class OptionCheck
---@field [1] fun(x: any): boolean  is it a value for the option?
---@field [2] string                what is

--- Raises where a value is none for its option.
---@param parsed table
---@param checks table<string, OptionCheck>
---@param level integer  of the function to blame
function options.check(parsed, checks, level)
  for name, value in pairs(parsed) do
    local check = checks[name]
    if check and not check[1](value) then
      error(("option '%s': %s expected, got %s"):format(name, check[2], options.show(value)),
        level + 1)
    end
  end
end

--- Checks for options.check.
---@return OptionCheck
function options.integer(lowest, highest, words)
  return {
    function(x)
      local n = math.type(x) and math.tointeger(x)
      return n ~= nil and n >= lowest and n <= highest
    end,
    words,
  }
end

---@return boolean
function options.is_callable(x)
  local meta = getmetatable(x)
  return type(x) == "function" or (type(meta) == "table" and meta.__call ~= nil)
end

return options

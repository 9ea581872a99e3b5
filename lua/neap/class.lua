--- Classes with single inheritance.
--
-- A class is a table that is its own __index. Calling it makes an instance: Class(...) passes
-- its arguments to Class._fields, which returns a fresh table of fields, and sets the metatable.
-- Metamethods are looked up raw by Lua, so a subclass gets copies of those of its base.

---@class ClassOptions
---@field immutable? boolean  instances refuse new fields, and cross to workers once; Lua cannot
---  see a field overwritten, but one that was pushed is then refused when it crosses again

local function refuse(object, key)
  error(("%s is immutable: field '%s' cannot be set")
    :format(getmetatable(object).__name, tostring(key)), 2)
end

local function construct(class, ...)
  local fields = class._fields(...) -- no tail call: _fields raises at level 3, the caller's
  return setmetatable(fields, class)
end

---@param name string  what messages show, such as "neap.MatrixOperator"
---@param base? table  the class to inherit from
---@param options? ClassOptions
---@return table class
---@nodiscard
return function(name, base, options)
  local class = {}
  for key, value in pairs(base or {}) do
    if type(key) == "string" and key:sub(1, 2) == "__" then class[key] = value end
  end
  class.__name = name
  class.__index = class
  if options and options.immutable then
    class.__newindex = refuse
    class.__immutable = true
  end
  return setmetatable(class, { __index = base, __call = construct, __name = "class" })
end

--- Parameters as tostring shows them.

--- ", parameters a, diffusion[9]"; nothing where there are none.
---@param parameters table<string, integer>
---@param parametric boolean
---@return string
---@nodiscard
return function(parameters, parametric)
  local names = {}
  for name, size in pairs(parameters) do
    names[#names + 1] = size == 1 and name or ("%s[%d]"):format(name, size)
  end
  table.sort(names)
  if #names > 0 then return ", parameters " .. table.concat(names, ", ") end
  return parametric and ", parametric" or ""
end

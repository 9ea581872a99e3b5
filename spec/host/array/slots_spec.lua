-- Lists of numbers are read and written where Lua keeps their items. Everything holds as well where
-- those are not in one run, are not all of one kind, or neap does not know Lua's lists.
local neap = require "neap"
local command = require "spec.support.command"
package.cpath = command.neap:match "^(.*)/" .. "/?.so;" .. package.cpath -- for slots
local slots = require "slots"
local Matrix, VectorArray = neap.Matrix, neap.VectorArray

--- The same items in one run, among a table's keys, and in both places.
local function kept_everywhere(list)
  local keys, both = {}, table.move(list, 1, #list // 2, 1, {})
  for i = #list, 1, -1 do keys[i] = list[i] end
  for i = #list, #list // 2 + 1, -1 do both[i] = list[i] end
  return ipairs { { table.unpack(list) }, keys, both }
end

local function entry(i, j) return (i * 7 + j * 3 + i * j) % 11 - 5 + 0.25 end

it("are known in this Lua", function()
  local known = slots(true)
  slots(known)
  assert.is_true(known)
end)

for _, known in ipairs { true, false } do
  describe(known and "lists of Lua as it is" or "lists of a Lua that is not known", function()
    local before
    setup(function() before = slots(known) end)
    teardown(function() slots(before) end)

    it("give indices wherever their items are", function()
      local dim = 40
      local U = VectorArray.from_function(dim, 3, entry)
      for n = 0, 70 do -- more than lie on the stack
        local list = {}
        for i = 1, n do list[i] = 1 + (i * 17) % dim end
        if n > 5 then list[6] = list[6] + 0.0 end -- a float that is whole
        for _, indices in kept_everywhere(list) do
          local M = U:dofs(indices)
          for j = 1, 3 do
            for i = 1, n do assert.equal(entry(list[i], j), M:get(i, j)) end
          end
        end
      end
    end)

    it("name the first index that is none", function()
      local U = VectorArray.zeros(20, 2)
      local function refuses(value, text)
        for _, n in ipairs { 1, 3, 16, 17, 80 } do
          for _, place in ipairs { 1, (n + 1) // 2, n } do
            local list = {}
            for i = 1, n do list[i] = 20 - i % 20 end
            list[place] = value
            for _, indices in kept_everywhere(list) do
              assert.error_matches(function() return U:dofs(indices) end,
                "bad argument #1 to 'dofs' (" .. text:gsub("%%", place) .. ")", 1, true)
            end
          end
        end
      end
      refuses(0, "index 0 out of range 1..20")
      refuses(21, "index 21 out of range 1..20")
      refuses(-1, "index -1 out of range 1..20")
      refuses(math.mininteger, "index -9223372036854775808 out of range 1..20")
      refuses(1.5, "entry %: index expected, got a fraction")
      refuses("1", "entry %: index expected, got string")
      refuses(false, "entry %: index expected, got boolean")
      assert.error_matches(function()
        return VectorArray.zeros(0, 1):dofs { 1 }
      end, "index 1 out of range: there are none", 1, true)
    end)

    it("give numbers, integers and floats alike", function()
      for _, n in ipairs { 1, 2, 15, 16, 17, 40 } do
        local list, expected = {}, 0
        for i = 1, n do
          list[i] = i % 3 == 0 and i or i + 0.5
          expected = expected + list[i] * entry(1, i)
        end
        local U = VectorArray.from_function(1, n, entry)
        for _, coefficients in kept_everywhere(list) do
          -- All terms are multiples of 1/8 and below 2^10, so that sums are exact in any order.
          assert.equal(expected, U:lincomb(coefficients):get(1, 1))
          local D = Matrix.diag(coefficients)
          for i = 1, n do assert.equal(list[i], D:get(i, i)) end
        end
      end
      assert.equal(2.0 ^ 53, Matrix.diag { 2 ^ 53 | 0, (2 ^ 53 | 0) + 1 }:get(2, 2))
    end)

    it("give complex numbers after plain ones, and name what is no number", function()
      for _, n in ipairs { 1, 3, 20 } do
        local list = {}
        for i = 1, n do list[i] = i end
        list[n] = neap.complex(1, 2)
        for _, coefficients in kept_everywhere(list) do
          local D = Matrix.diag(coefficients)
          assert.equal(neap.complex(1, 2), D:get(n, n))
          for i = 1, n - 1 do assert.equal(neap.complex(i, 0), D:get(i, i)) end
        end
        list[n] = "1"
        for _, coefficients in kept_everywhere(list) do
          assert.error_matches(function() return Matrix.diag(coefficients) end,
            ("entry %d: number expected, got string"):format(n), 1, true)
        end
      end
    end)

    it("take results for any number of vectors", function()
      for _, n in ipairs { 0, 1, 2, 31, 32, 33, 64, 100 } do
        local U = VectorArray.from_function(5, n, entry)
        local indices, values = U:amax()
        local lists = { U:norm(), U:norm2(), U:sup_norm(), values, indices }
        for k, list in ipairs(lists) do
          assert.equal(n, #list)
          for i = 1, n do
            assert.equal(k == 5 and "integer" or "float", math.type(list[i]))
          end
        end
        for i = 1, n do
          local one, value = U[i]:amax()
          assert.equal(one[1], indices[i])
          assert.equal(math.abs(U:get(indices[i], i)), value[1])
          assert.same({ U[i]:norm()[1], U[i]:norm2()[1], U[i]:sup_norm()[1], value[1] },
            { lists[1][i], lists[2][i], lists[3][i], values[i] })
        end
        values[n + 1] = "more" -- they are lists like all others
        table.remove(values, 1)
        collectgarbage()
        assert.equal("more", values[n] or n == 0 and "more")
        assert.same(U:to_table(), VectorArray.from_table(U:to_table(), { dim = 5 }):to_table())
      end
    end)

    it("cross to workers and back", function()
      local pool <close> = neap.pool { workers = 0 }
      for _, n in ipairs { 0, 1, 15, 16, 40 } do
        local integers, floats, mixed = {}, {}, {}
        for i = 1, n do
          integers[i], floats[i] = i, i / 4
          mixed[i] = i % 2 == 0 and i or i / 4
        end
        for _, list in ipairs { integers, floats, mixed } do
          for _, sent in kept_everywhere(list) do
            local got = pool:apply_only(function(x) return x end, 1, sent)
            assert.same(list, got)
            for i = 1, n do assert.equal(math.type(list[i]), math.type(got[i])) end
            local mapped = pool:map(function(x) return x end, list)
            for i = 1, n do assert.equal(list[i], mapped[i]) end
          end
        end
      end
    end)
  end)
end

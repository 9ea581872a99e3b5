-- Metamethods and finalizers of the user's run in the midst of what the pool does, and may call it.
local neap = require "neap"
local pools = require "spec.support.pools"

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool, object
    before_each(function()
      pool = kind.open()
      object = pool:push { n = 0 }
    end)
    after_each(function() pool:close() end)

    -- Whatever was refused, calls go on as before, and objects are brought back as they were.
    local function check(n)
      for _ = 1, 3 do
        pool:apply(function(o) o.n = o.n + 1 end, object)
        n = n + 1
        if not kind.is_inline then pool:kill(1) end
        assert.equal(n, object:get(1).n)
      end
      assert.equal(30, pool:map(function(i) return i end, neap.range(1, 30))[30])
    end

    local ways = {
      apply = function() pool:apply(function() end) end,
      apply_only = function() pool:apply_only(function(o) o.n = -1 end, 1, object) end,
      push = function() return pool:push { 1 } end,
      scatter_list = function() return pool:scatter_list { 1 } end,
      map = function() pool:map(function(i) return i end, { 1, 2, 3 }) end,
      submit = function() return pool:submit(function() end) end,
      get = function() return object:get(1) end,
      status = function() return pool:status() end,
      close = function() pool:close() end,
    }
    for name, call in pairs(ways) do
      it(("refuses %s in an __index of what is being sent, and is in step"):format(name),
        function()
          local refusals = 0
          local list = setmetatable({}, {
            __len = function() return 40 end,
            __index = function(_, i)
              local ok, e = pcall(pool.status, pool) -- the list is looked through earlier as well
              if not ok then ok, e = pcall(call) end
              if not ok then
                refusals = refusals + 1
                assert.matches("the pool cannot be called by a metamethod", e, 1, true)
              end
              return i
            end,
          })
          local results = pool:map(function(i) return 2 * i end, list)
          for i = 1, 40 do assert.equal(2 * i, results[i]) end
          assert.is_true(refusals >= 40)
          check(0)
        end)
    end

    it("refuses a call in a finalizer that runs while another is sent, which goes on", function()
      local refused = 0
      local list = setmetatable({}, {
        __len = function() return 6 end,
        __index = function(_, i)
          setmetatable({}, { __gc = function()
            local ok, e = pcall(pool.apply_only, pool, function() end, 1)
            if ok then return end
            refused = refused + 1
            assert(e:find("the pool cannot be called", 1, true), e)
          end })
          collectgarbage()
          return i
        end,
      })
      local results = pool:map(function(i) return 2 * i end, list)
      for i = 1, 6 do assert.equal(2 * i, results[i]) end
      assert.is_true(refused > 0)
      check(0)
    end)

    it("says that an object was removed while it was sent", function()
      local removed = pool:push { 1 }
      local list = setmetatable({ removed }, {
        __len = function() return 40 end,
        __index = function(_, i)
          removed:remove()
          return i
        end,
      })
      local ok, e = pcall(pool.map, pool, function(x) return x end, list)
      if not ok then assert.matches("removed", tostring(e)) end
      check(0)
    end)
  end)
end

describe("greedy", function()
  local neap = require "neap"
  local greedy = require "neap.algorithms.greedy"
  local leaks = require "spec.support.leaks"
  local reductors = require "neap.reductors"
  local reference = require "spec.support.reference"
  local thermal_block = require "neap.problems".thermal_block
  require "spec.support.numbers"

  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  local fom, space = thermal_block { blocks = { 2, 2 }, n = 30 }
  local energy = fom.products.energy
  local data = reference.json "thermalblock/greedy.json"
  local training_list = reference.mus("thermalblock/training_list.npy", "diffusion")

  local function coercivity(mu) return math.min(table.unpack(mu.diffusion)) end

  local function coercive_reductor()
    return reductors.CoerciveRBReductor(fom,
      { product = energy, coercivity_estimator = coercivity })
  end

  -- Of parameters in a list, counted from 0.
  local function indices(mus, list)
    local place, found = {}, {}
    for i, mu in ipairs(list) do place[mu] = i - 1 end
    for k, mu in ipairs(mus) do found[k] = place[mu] end
    return found
  end

  local runs = {
    list_run = function(pool)
      return greedy.rb_greedy(fom, coercive_reductor(), training_list,
        { max_extensions = 20, pool = pool }), training_list
    end,
    list_run_true_error = function(pool)
      local reductor = reductors.StationaryRBReductor(fom, { product = energy })
      return greedy.rb_greedy(fom, reductor, training_list,
        { max_extensions = 8, pool = pool, use_error_estimator = false, error_norm = energy }),
        training_list
    end,
    grid_run = function(pool)
      local grid = space:sample_uniformly(4)
      return greedy.rb_greedy(fom, coercive_reductor(), grid,
        { max_extensions = 14, pool = pool }), grid
    end,
  }
  -- As the reference states them: relative, absolute.
  local tolerances = {
    list_run = { 1e-6, 1e-12 }, list_run_true_error = { 1e-8, 0 }, grid_run = { 1e-7, 0 },
  }

  local without_pool = {}
  for name, run in pairs(runs) do
    it("agrees with the reference: " .. name, function()
      local expected = data[name]
      local result, list = run(nil)
      assert.equal(expected.extensions, result.extensions)
      assert.equal(expected.extensions + 1, #result.max_errs)
      local errs = table.move(expected.max_errs, 1, #expected.max_errs, 1, {})
      errs[#errs + 1] = expected.final_max_err
      assert.close_lists(errs, result.max_errs, table.unpack(tolerances[name]))
      local selected = indices(result.max_err_mus, list)
      if name == "grid_run" then
        assert.equal(0, selected[1]) -- equal in exact arithmetic: the first wins
      else
        assert.same(expected.selected_index, { table.unpack(selected, 1, expected.extensions) })
      end
      assert.equal(result.extensions, result.rom.dim)
      without_pool[name] = { max_errs = result.max_errs, selected = selected }
    end)
  end

  for _, workers in ipairs { 0, 1, 2, 3, 5 } do
    it(("gives the same bits with %d workers"):format(workers), function()
      local pool <close> = neap.pool { workers = workers }
      for name, run in pairs(runs) do
        local result, list = run(pool)
        assert.same(without_pool[name].max_errs, result.max_errs)
        assert.same(without_pool[name].selected, indices(result.max_err_mus, list))
      end
    end)
  end

  it("leaves no basis on the workers that another has taken the place of", function()
    local pool <close> = neap.pool { workers = 2 }
    local reductor = reductors.StationaryRBReductor(fom, { product = energy })
    local seen = {}
    local function count()
      local blocks = pool:apply(function()
        collectgarbage()
        return (require "host.array".blocks())
      end)
      seen[#seen + 1] = { objects = pool:status()[1].objects, blocks[1], blocks[2] }
    end
    count()
    local counting = setmetatable({
      extend_basis = function(_, ...)
        count()
        return reductor:extend_basis(...)
      end,
    }, { __index = reductor, __newindex = reductor })
    local result = greedy.rb_greedy(fom, counting, training_list,
      { max_extensions = 5, pool = pool, use_error_estimator = false, error_norm = energy })
    count()
    assert.equal(5, result.extensions)
    for k = 3, 6 do assert.same(seen[2], seen[k]) end -- nothing is added by a step
    assert.same(seen[1], seen[7])
  end)

  it("works with fewer parameters than workers", function()
    local pool <close> = neap.pool { workers = 3 }
    local few = { training_list[3], training_list[5] }
    local expected = greedy.rb_greedy(fom, coercive_reductor(), few, { max_extensions = 2 })
    local result = greedy.rb_greedy(fom, coercive_reductor(), few,
      { max_extensions = 2, pool = pool })
    assert.same(expected.max_errs, result.max_errs)
    assert.equal(expected.max_err_mus[1], result.max_err_mus[1])
  end)

  it("says which argument is wrong, in the caller's line", function()
    local in_line = require "spec.support.refusals".in_line
    local closed = neap.pool { workers = 1 }
    closed:close()
    local few, reductor = { training_list[3], training_list[5] }, coercive_reductor()
    local function refused(expected, ...)
      local arguments = table.pack(...)
      in_line(expected, function()
        greedy.rb_greedy(table.unpack(arguments, 1, arguments.n))
      end)
    end
    refused("fom: model expected, got neap.CoerciveRBReductor", reductor, fom, few)
    refused("fom: model expected, got nil")
    refused("reductor: reductor expected, got neap.StationaryModel", fom, fom, few)
    refused("training_set: list of mu expected, got number", fom, reductor, 5)
    refused("training_set: at least one mu expected, got none", fom, reductor, {})
    refused("training_set[2]: mu expected, got number", fom, reductor, { few[1], 3 })
    refused("training_set[2]: parameter 'diffusion' has 2 components; 4 expected", fom, reductor,
      { few[1], { diffusion = { 1, 2 } } })
    refused("training_set[1].diffusion[3]: finite number expected, got NaN", fom, reductor,
      { { diffusion = { 1, 1, 0 / 0, 1 } } })
    refused("option 'pool': WorkerPool expected, got 2", fom, reductor, few, { pool = 2 })
    refused("option 'pool': the pool is closed", fom, reductor, few, { pool = closed })
    refused("option 'max_extensions': integer from 0 expected, got -1", fom, reductor, few,
      { max_extensions = -1 })
    refused("option 'max_extensions': integer from 0 expected, got 1.5", fom, reductor, few,
      { max_extensions = 1.5 })
    refused("option 'atol': number from 0 expected, got -0.5", fom, reductor, few, { atol = -0.5 })
    refused("option 'on_evaluation': function expected, got 3", fom, reductor, few,
      { on_evaluation = 3 })
    refused("error_norm: product of 1861 x 1861 expected, got 2 x 2", fom, reductor, few,
      { error_norm = neap.Matrix.identity(2) })
    local plain = reductors.StationaryRBReductor(fom)
    refused("reductor: its model has no error estimator; use_error_estimator = false?", fom, plain,
      few)
    for got, norm in pairs {
      ["3"] = function() return 3 end, ["an empty one"] = function() return {} end,
    } do
      local message = "error_norm: list of numbers expected, got " .. got
      local ok, where = pcall(greedy.rb_greedy, fom, plain, few,
        { use_error_estimator = false, error_norm = norm })
      assert.is_false(ok)
      assert.matches(message, where, 1, true)
      local pool <close> = neap.pool { workers = 1 }
      assert.error_matches(function()
        greedy.rb_greedy(fom, plain, few,
          { use_error_estimator = false, error_norm = norm, pool = pool })
      end, message, 1, true)
    end
    assert.equal(0, #reductor.bases.RB)
  end)

  it("spans the space of the reference", function()
    local reductor = coercive_reductor()
    greedy.rb_greedy(fom, reductor, training_list, { max_extensions = 20 })
    local expected = reference.load "thermalblock/basis_list_run.npy"
    for _, k in ipairs { 1, 5, 20 } do
      -- Cosines of the principal angles; the sine of the largest is below 1e-5.
      local _, cosines = expected:slice(1, k):inner(reductor.bases.RB:slice(1, k), energy):svd()
      assert.is_true(cosines[k] >= math.sqrt(1 - 1e-10))
    end
  end)

  describe("weak_greedy", function()
    -- Errors that are halved by each extension where it happened.
    local function surrogate(errors, log)
      return {
        evaluate = function(_, mus)
          local list = {}
          for i, mu in ipairs(mus) do list[i] = errors[mu.x] end
          return list
        end,
        extend = function(_, mu)
          errors[mu.x] = errors[mu.x] / 4
          if log then log[#log + 1] = mu.x end
        end,
      }
    end
    local mus = { { x = 1 }, { x = 2 }, { x = 3 } }

    it("takes the first of equal errors", function()
      local log = {}
      local result = greedy.weak_greedy(surrogate({ 1, 2, 2 }, log), mus, { max_extensions = 3 })
      assert.same({ 2, 3, 1 }, log)
      assert.same({ 2, 2, 1, 0.5 }, result.max_errs)
      assert.equal(mus[2], result.max_err_mus[1])
      assert.equal("float", math.type(result.time))
    end)

    it("stops at atol and at rtol, inclusive, and before the first extension", function()
      assert.equal(0, greedy.weak_greedy(surrogate { 1, 2, 2 }, mus, { atol = 2 }).extensions)
      assert.equal(2, greedy.weak_greedy(surrogate { 1, 2, 2 }, mus, { atol = 1 }).extensions)
      assert.equal(2, greedy.weak_greedy(surrogate { 1, 2, 2 }, mus, { rtol = 0.5 }).extensions)
      assert.equal(0, greedy.weak_greedy(surrogate { 1, 2, 2 }, mus, { max_extensions = 0 })
        .extensions)
    end)

    it("counts a zero first error as reached", function()
      local result = greedy.weak_greedy(surrogate { 0, 0, 0 }, mus, { rtol = 1e-3 })
      assert.same({ 0, { 0 } }, { result.extensions, result.max_errs })
    end)

    it("refuses NaN and names the parameter", function()
      assert.error_matches(function()
        greedy.weak_greedy(surrogate { 1, 0 / 0, 2 }, mus, { max_extensions = 1 })
      end, "the error of parameter 2 is NaN", 1, true)
    end)

    it("ends when an extension adds nothing, and passes other errors on", function()
      local s = surrogate { 1, 2, 2 }
      s.extend = function() error(reductors.ExtensionError "full") end
      local result = greedy.weak_greedy(s, mus)
      assert.same({ 0, { 2 } }, { result.extensions, result.max_errs })
      s.extend = function() error("broken", 0) end
      assert.error_matches(function() greedy.weak_greedy(s, mus) end, "broken", 1, true)
    end)

    it("tells about each evaluation", function()
      local steps = {}
      greedy.weak_greedy(surrogate { 1, 2, 2 }, mus,
        { max_extensions = 1, on_evaluation = function(step) steps[#steps + 1] = step end })
      assert.equal(2, #steps)
      assert.same({ 1, 2, mus[3] }, { steps[2].extensions, steps[2].max_err, steps[2].max_err_mu })
      assert.is_true(steps[2].evaluation_time >= 0 and steps[2].extension_time >= 0)
    end)

    it("gives the surrogate a pool to work on", function()
        local s = surrogate { 1, 2, 2 }
      local old = s.evaluate
      s.evaluate = function(self, list, pool)
        assert.same({ n = 3, 2, 4, 6 }, (pool:map(function(mu) return 2 * mu.x end, list)))
        return old(self, list)
      end
      assert.equal(1, greedy.weak_greedy(s, mus, { max_extensions = 1 }).extensions)
    end)

    it("checks its arguments", function()
      assert.error_matches(function() greedy.weak_greedy(surrogate { 1 }, mus, { tol = 1 }) end,
        "unknown option 'tol' (known: atol, checkpoint, max_extensions, on_evaluation, pool, rtol)",
        1, true)
      assert.error_matches(function() greedy.weak_greedy(surrogate { 1 }, 3) end,
        "training_set: list of mu expected, got number", 1, true)
      assert.error_matches(function() greedy.weak_greedy(fom, mus) end,
        "surrogate: table with a method 'extend' expected, got neap.StationaryModel", 1, true)
      assert.error_matches(function() greedy.weak_greedy(surrogate { 1 }, {}) end,
        "training_set: at least one mu expected, got none", 1, true)
      local s = surrogate { 1 }
      s.evaluate = function() return { 1 } end
      assert.error_matches(function() greedy.weak_greedy(s, mus) end,
        "surrogate: 3 errors expected, got 1", 1, true)
    end)
  end)

  describe("with a checkpoint", function()
    local command = require "spec.support.command"
    local folder, remove, path
    before_each(function()
      folder, remove = command.folder()
      path = folder .. "/greedy.txt"
    end)
    after_each(function() remove() end)

    local function run(options)
      options.checkpoint = path
      return greedy.rb_greedy(fom, coercive_reductor(), training_list, options)
    end

    it("resumes with the same result", function()
      local expected = greedy.rb_greedy(fom, coercive_reductor(), training_list,
        { max_extensions = 6 })
      assert.same(3, run({ max_extensions = 3 }).extensions)
      local result = run { max_extensions = 6 }
      assert.same(expected.max_errs, result.max_errs)
      for k, mu in ipairs(expected.max_err_mus) do assert.equal(mu, result.max_err_mus[k]) end
      assert.same(expected.rom:estimate_error(training_list[1]),
        result.rom:estimate_error(training_list[1]))
      -- Asked for less than is there, it stops there.
      assert.equal(2, run({ max_extensions = 2 }).extensions)
    end)

    it("repeats extensions without evaluations", function()
      local evaluations, extensions = 0, 0
      local surrogate = {
        evaluate = function()
          evaluations = evaluations + 1
          return { 1 / evaluations, 0 }
        end,
        extend = function() extensions = extensions + 1 end,
      }
      local mus = { { a = 1 }, { a = { 2 }, t = 0 } }
      greedy.weak_greedy(surrogate, mus, { max_extensions = 3, checkpoint = path })
      assert.same({ 4, 3 }, { evaluations, extensions })
      local result = greedy.weak_greedy(surrogate, mus, { max_extensions = 5, checkpoint = path })
      assert.same({ 4 + 3, 3 + 5 }, { evaluations, extensions })
      assert.same({ 1, 1 / 2, 1 / 3, 1 / 5, 1 / 6, 1 / 7 }, result.max_errs)
    end)

    it("resumes after the run was killed in the middle", function()
      local calls = 0
      local ok = pcall(run, { max_extensions = 6, on_evaluation = function()
        calls = calls + 1
        if calls == 5 then error "killed" end
      end })
      assert.is_false(ok)
      local expected = greedy.rb_greedy(fom, coercive_reductor(), training_list,
        { max_extensions = 6 })
      assert.same(expected.max_errs, run({ max_extensions = 6 }).max_errs)
    end)

    it("refuses the file of another training set, and what is no such file", function()
      run { max_extensions = 2 }
      local other = table.move(training_list, 1, #training_list, 1, {})
      other[69] = { diffusion = { 1, 1, 1, 1 } }
      assert.error_matches(function()
        greedy.rb_greedy(fom, coercive_reductor(), other, { checkpoint = path })
      end, "greedy.txt, line 3: parameter 69 of the training set is another one", 1, true)
      other[#other + 1] = other[1]
      assert.error_matches(function()
        greedy.rb_greedy(fom, coercive_reductor(), other, { checkpoint = path })
      end, "greedy.txt, line 2: '151 parameters' expected, got '150 parameters'", 1, true)
      command.write("neap greedy checkpoint 1\n150 parameters\n69 x\n", path)
      assert.error_matches(function() run {} end, "greedy.txt, line 3: malformed", 1, true)
      command.write("", path)
      assert.error_matches(function() run {} end,
        "greedy.txt, line 1: 'neap greedy checkpoint 1' expected", 1, true)
      path = folder .. "/nowhere/greedy.txt"
      assert.error_matches(function() run { max_extensions = 1 } end,
        "nowhere/greedy.txt.part: No such file or directory", 1, true)
      path = 3
      assert.error_matches(function() run {} end, "option 'checkpoint': path expected, got number",
        1, true)
    end)
  end)

  it("asks for an estimator where there is none", function()
    assert.error_matches(function()
      greedy.rb_greedy(fom, reductors.StationaryRBReductor(fom), training_list)
    end, "reductor: its model has no error estimator; use_error_estimator = false?", 1, true)
  end)

  it("refuses NaN, wherever it is", function()
    local pool <close> = neap.pool { workers = 2 }
    local bad = fom:solve(training_list[120]):norm()[1]
    for _, p in ipairs { require "neap.direct".pool, pool } do
      assert.error_matches(function()
        greedy.rb_greedy(fom, reductors.StationaryRBReductor(fom), training_list, {
          use_error_estimator = false, max_extensions = 0, pool = p,
          error_norm = function(U)
            local norm = U:norm()[1]
            return { norm, math.abs(norm - bad) <= 1e-14 and 0 / 0 or norm }
          end,
        })
      end, "the error of parameter 120 is NaN", 1, true)
    end
  end)

  it("takes error norms as options name them", function()
    for norm, expected in pairs {
      sup = fom:solve(training_list[1]):sup_norm()[1],
      [function(U) return { 3, 7 * #U, 5 } end] = 7,
    } do
      local result = greedy.rb_greedy(fom, reductors.StationaryRBReductor(fom),
        { training_list[1] },
        { max_extensions = 0, use_error_estimator = false, error_norm = norm })
      assert.near(expected, result.max_errs[1], 1e-14)
    end
    assert.error_matches(function()
      greedy.rb_greedy(fom, reductors.StationaryRBReductor(fom), { training_list[1] },
        { use_error_estimator = false, error_norm = "max" })
    end, 'error_norm: nil, "sup", a product or a function expected, got string', 1, true)
  end)
end)

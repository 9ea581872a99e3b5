local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local run, write = command.run, command.write

--- A run that went well and printed this.
local function prints(expected, line)
  assert.same({ out = expected, err = "", code = 0 }, run(line))
end

--- A run that failed with a message that holds each of the texts; returns the message.
local function fails(line, ...)
  local got = run(line)
  assert.equal(1, got.code)
  for _, text in ipairs { ... } do
    assert(got.err:find(text, 1, true), ("%q not in %q"):format(text, got.err))
  end
  return got.err
end

--- The path of a script with this text, gone after the spec.
local scripts = {}
local function script(text)
  local path = write(text)
  scripts[#scripts + 1] = path
  return path
end

describe("the command line", function()
  leaks.watch(before_each, after_each)
  after_each(function()
    for _, path in ipairs(scripts) do os.remove(path) end
    scripts = {}
  end)

  describe("runs a script", function()
    it("with its arguments", function()
      local path = script [[
        print(..., select('#', ...), arg[2], arg[0] == debug.getinfo(1).short_src)]]
      prints("a\t3\tb c\ttrue\n", "%neap% " .. path .. " a 'b c' ''")
      prints("nil\t0\tnil\ttrue\n", "%neap% " .. path)
    end)

    it("with everything else at negative indices of arg", function()
      local path = script [[
        assert(#arg == 2 and arg[1] == "x" and arg[2] == "-y" and arg[3] == nil)
        assert(arg[-1] == "--" and arg[-2] == " " and arg[-3] == "-e" and arg[-5] == nil)
        print(arg[-4])]]
      prints(command.neap .. "\n", "%neap% -e ' ' -- " .. path .. " x -y")
    end)

    it("with hundreds of arguments", function()
      prints("300\t300\n", "%neap% " .. script "print(select('#', ...), (select(300, ...)))"
        .. " $(seq 300)")
    end)

    it("and skips a byte order mark and a first line with #", function()
      prints("", "%neap% " .. script "\xEF\xBB\xBF")
      prints("3\n", "%neap% " .. script "\xEF\xBB\xBFprint(3)")
      prints("3\n", "%neap% " .. script "\xEF\xBB\xBF# comment\nprint(3)")
      prints("", "%neap% " .. script "#!no end of line")
      fails("%neap% " .. script "\xEF\xBBprint(3)", "unexpected symbol")
    end)

    it("in binary form", function()
      prints("3\n", "%neap% " .. script("#comment\n" .. string.dump(load "print(3)")))
    end)

    it("as the first line of a file asks for", function()
      local path = script("#!" .. command.neap .. "\nprint(arg[0], ...)")
      prints(path .. "\tone\n", ("chmod +x %s && %s one"):format(path, path))
    end)

    it("that is named like an option, after --", function()
      fails("%neap% -- -i", "cannot open -i")
    end)
  end)

  describe("says what is wrong, and where", function()
    it("with a script that does not exist", function()
      assert.equal("neap: cannot open /no/such/script.lua: No such file or directory\n",
        fails("%neap% /no/such/script.lua"))
      fails("%neap% /", "neap: cannot read /")
    end)

    it("with a syntax error", function()
      local path = script "local x = 1\nx = = 2\n"
      assert.equal(("neap: %s:2: unexpected symbol near '='\n"):format(path),
        fails("%neap% " .. path))
    end)

    it("with an error, and shows the traceback", function()
      local path = script "local function f()\n  error('oh no')\nend\nf()\nprint('never')"
      local message = fails("%neap% " .. path,
        ("neap: %s:2: oh no\nstack traceback:\n"):format(path),
        ("\n\t%s:2: in local 'f'\n"):format(path), ("\n\t%s:4: in main chunk\n"):format(path))
      assert.equal("", run("%neap% " .. path).out)
      assert.is_nil(message:find("never", 1, true))
    end)

    it("with a mistake in a call of neap's, and shows nothing of its inside", function()
      local path = script [[local neap = require "neap"
        local function f() neap.wait_all(3) end
        f()]]
      assert.equal(("neap: %s:2: futures: list expected, got number\nstack traceback:\n\t"
        .. "%s:2: in local 'f'\n\t%s:3: in main chunk\n\t[C]: in ?\n"):format(path, path, path),
        fails("%neap% " .. path))
    end)

    it("with an error inside of neap, and shows all of the traceback", function()
      fails("%neap% " .. script "require 'neap.pool.finish'.finish({ _options = {} }, 1)",
        "finish.lua:", "(local 'call')\nstack traceback:\n\t", "in upvalue 'wait'\n\t")
    end)

    it("with an error that is an object", function()
      assert.equal("neap: told by itself\n", fails("%neap% " .. script
        "error(setmetatable({}, {__tostring = function() return 'told by itself' end}))"))
      fails("%neap% " .. script "error {}", "neap: (error object is a table value)")
      fails("%neap% " .. script "error()", "neap: (error object is a nil value)")
      fails("%neap% " .. script "error(5, 0)", "neap: 5\nstack traceback:")
    end)

    it("with a function that fails on a worker", function()
      local path = script [[
        local pool <close> = require "neap".pool { workers = 1 }
        pool:map(function(x)
          if x == 3 then error "three" end
        end, { 1, 2, 3 })]]
      fails("%neap% " .. path, ("neap: %s:3: three\non worker 1, item 3 = 3\n"):format(path),
        ("\n\t%s:3: in function <%s:2>\n"):format(path, path),
        ("\n\t%s:2: in main chunk\n"):format(path))
    end)

    it("with a file that is cut short", function()
      local path = script "%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1 1.0\n"
      fails("%neap% -e 'require [[neap]].load [[" .. path .. "]]'",
        path .. ": line 3: file ends after 1 of 2 entries")
    end)

    it("after what was printed before", function()
      local got = run("%neap% " .. script "io.write('before'); error('after')" .. " 2>&1")
      assert.matches("^beforeneap: .*after\n", got.out)
    end)

    it("with an option it does not know", function()
      for _, option in ipairs { "-h", "---", "-Ex", "-vv", "-iv", "-Wx", "--nonsense" } do
        fails("%neap% " .. option, "unrecognized option '" .. option .. "'", "usage: neap")
      end
      fails("%neap% -e", "'-e' needs argument")
      fails("%neap% -l", "'-l' needs argument")
      fails("%neap% -e -v", "'-e' needs argument")
      fails("%neap% -e a", "(command line):1: syntax error near <eof>")
      fails("%neap% -l no.such.module", "module 'no.such.module' not found")
    end)
  end)

  describe("reads standard input", function()
    it("as a script where it is no terminal", function()
      prints("10\n2\n", "echo 'print(10)\nprint(2)' | %neap%")
      prints("", "%neap%")
      prints("1\tnil\n", "printf 'print(\\n1, a\\n)\\n' | %neap% -")
    end)

    it("as the script -, which has arguments", function()
      prints("-h\n", "echo 'print(arg[1])' | %neap% - -h")
      prints("100\n", "echo 'print(...)' | %neap% -e 'arg[1] = 100' -")
      prints("-\n", "echo 'print(arg[0])' | %neap% -")
    end)

    it("and needs an arg that is a table", function()
      fails("echo | %neap% -e 'arg = 1' -", "'arg' is not a table")
    end)

    it("through debug.debug", function()
      local got = run [[printf 'io.stderr:write(1000)\ncont\n' | %neap% -e 'debug.debug()']]
      assert.same({ out = "", err = "lua_debug> 1000lua_debug> ", code = 0 }, got)
    end)
  end)

  describe("takes", function()
    it("-e, as often as given, and then ends", function()
      prints("1\n3\n", "echo 'print(5)' | %neap% '-eprint(1)' -ea=3 -e 'print(a)'")
      prints("2\nscript\n", "%neap% -e 'a = 2' -e 'print(a)' " .. script "print 'script'")
      fails("%neap% -e 'error[[x]]' -e 'print(2)'", "(command line):1: x")
    end)

    it("-l, with a global of another name where asked", function()
      local folder, remove = command.folder()
      write("loaded = (loaded or 0) + 1; return { x = 15, arg = arg }", folder .. "/my_module.lua")
      prints("1\t15\ttrue\n", ("cd %s && LUA_PATH='./?.lua;;' %%neap%% -l my_module -lmy_module"
        .. " -l string -e 'print(loaded, my_module.x, my_module.arg == arg)'"):format(folder))
      write("return 'versioned'", folder .. "/thing-v2.lua")
      prints("versioned\n", ("cd %s && %%neap%% -l thing-v2 -e 'print(thing)'"):format(folder))
      remove()
      prints("ALO\t20\n",
        "%neap% -l str=string -lm=math -e 'print(str.upper [[alo]], m.max(10, 20))'")
    end)

    it("-v, and then ends unless there is more to do", function()
      local version = run("%neap% -v")
      assert.equal(0, version.code)
      assert.matches("^neap %d+%.%d+%.%d+, Lua 5%.4%.%d+ .*PUC%-Rio\n$", version.out)
      prints(version.out .. "hello\n", [[%neap% -v -e "print'hello'"]])
    end)

    it("-i, and goes to the prompt after the script", function()
      local got = run("echo '1 + x' | %neap% -i -e 'x = 3' "
        .. script "print(x); _PROMPT = 'ask '")
      assert.matches("PUC%-Rio\n3\nask 4\nask \n$", got.out)
      got = run("echo 'print(1)' | %neap% -i " .. script "error 'no prompt after this'")
      assert.equal(1, got.code)
      assert.matches("PUC%-Rio\n$", got.out)
    end)

    it("-E, and reads none of Lua's variables", function()
      local path = script "print(package.path, package.cpath)"
      local default = run("env -i %neap% " .. path).out
      assert.matches("/usr/share/lua/5.4/?.lua", default, 1, true)
      local set = "LUA_INIT='error(10)' LUA_PATH=xxx LUA_PATH_5_4=xxx LUA_CPATH=xxx"
      prints(default, set .. " %neap% -E " .. path)
    end)

    it("-W, and shows warnings", function()
      local path = script [[
        warn("@allow")
        warn("@off", "XXX", "@off")
        warn("@off")
        warn("@on", "YYY", "@on")
        warn("@on")
        warn("Z", "Z")]]
      assert.equal("Lua warning: @offXXX@off\nLua warning: ZZ\n", run("%neap% -W " .. path).err)
      assert.equal("Lua warning: ZZ\n", run("%neap% " .. path).err)
      assert.equal("", run [[%neap% -e 'warn "silent"']].err)
    end)

    it("--workers N and --workers=N", function()
      prints("", "%neap% --workers 3 -e ' '")
      prints("", "%neap% --workers=0 -e ' '")
      for _, bad in ipairs { "x", "-1", "1.5", "5000", "''", "99999999999999999999" } do
        fails("%neap% --workers " .. bad .. " -e ' '",
          "--workers: a number from 0 to 4096 expected, got ")
      end
      fails("%neap% --workers", "'--workers' needs argument")
    end)

    it("--version, with what neap runs on", function()
      local got = run "%neap% --version"
      assert.same({ "", 0 }, { got.err, got.code })
      assert.matches("^neap +%d+%.%d+%.%d+\nLua +5%.4%.%d+\nlibuv +1%.%d+%.%d+\n", got.out)
      assert.matches("\nBLAS +OpenBLAS [%d.]+, kernels for %w+, %d+ threads?\n", got.out)
      assert.matches("\nSuiteSparse +[%d.]+ %(CHOLMOD [%d.]+, UMFPACK [%d.]+%)\n", got.out)
      assert.matches("\nMPI +none\n$", got.out)
      assert.matches("\nBLAS [^\n]* kernels for Haswell, 1 thread\n",
        run "OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 %neap% --version".out)
    end)

    it("--help, with every option", function()
      local got = run "%neap% --help"
      assert.same({ "", 0 }, { got.err, got.code })
      for option in ("-e -l -i -v -E -W - -- --workers --trace --version --help"):gmatch "%S+" do
        assert(got.out:find("\n  " .. option .. " ", 1, true), option)
      end
    end)

    it("--trace later", function()
      fails("%neap% --trace x.json", "--trace is not available yet")
    end)
  end)

  describe("reads from the environment", function()
    it("the paths, those of this version first", function()
      local path = script "print(package.path)"
      prints("x\n", "LUA_PATH=x %neap% -- " .. path)
      prints("y\n", "LUA_PATH_5_4=y LUA_PATH=x %neap% " .. path)
      path = script "print(package.cpath)"
      prints("x\n", "LUA_CPATH=x %neap% " .. path)
      prints("y\n", "LUA_CPATH_5_4=y LUA_CPATH=x %neap% " .. path)
    end)

    it("the default path where two semicolons stand", function()
      local path = script "print(package.path)"
      local default = run("env -u LUA_PATH -u LUA_PATH_5_4 %neap% " .. path).out:sub(1, -2)
      prints(default .. "\n", "LUA_PATH=';;' %neap% " .. path)
      prints("a;" .. default .. ";b\n", "LUA_PATH='a;;b' %neap% " .. path)
      prints(default .. ";b\n", "LUA_PATH=';;b' %neap% " .. path)
      prints("a;b;" .. default .. "\n", "LUA_PATH='a;b;;' %neap% " .. path)
    end)

    it("LUA_INIT, code or a file, before everything else", function()
      local path = script "print(X)"
      prints("3.2\n", "LUA_INIT='X = tonumber(arg[1])' %neap% " .. path .. " 3.2")
      prints("10\n", "LUA_INIT_5_4='X = 10' LUA_INIT='X = 3' %neap% " .. path)
      path = script "x = x or 10; print(x); x = x + 1"
      prints("10\n11\n", ("LUA_INIT=@%s %%neap%% %s"):format(path, path))
    end)

    it("LUA_INIT, and ends with its error", function()
      fails([[LUA_INIT='error("msg")' %neap% -e 'print(1)']], "neap: LUA_INIT:1: msg\n")
      fails("LUA_INIT=@/no/such/file %neap%", "cannot open /no/such/file")
    end)
  end)

  describe("ends", function()
    it("with the code that os.exit is given", function()
      for exit, code in pairs { ["0"] = 0, ["3"] = 3, ["true"] = 0, ["false"] = 1, ["nil"] = 0 } do
        assert.same({ out = "", err = "", code = code },
          run(("%%neap%% -e 'os.exit(%s, true)'"):format(exit)))
        assert.same({ out = "", err = "", code = code },
          run(("%%neap%% -e 'os.exit(%s)'"):format(exit)))
      end
    end)

    it("with variables closed, in the script's end and in os.exit", function()
      local closing = [[
        local x <close> = setmetatable({}, {__close = function(_, e) print(e) end})
        ]]
      prints("1\nnil\n", "%neap% " .. script(closing .. "print(1)"))
      prints("nil\n", "%neap% " .. script(closing .. "os.exit(true, true)"))
      assert.matches("^.*:2: oh\n", run("%neap% " .. script(closing .. "error 'oh'")).out)
    end)

    it("with finalizers run in reverse order, their errors being warnings", function()
      prints("2\n1\n", "%neap% " .. script [[
        for i = 1, 2 do setmetatable({}, {__gc = function() print(i) end}) end]])
      local got = run("%neap% -W " .. script [[
        A = setmetatable({}, {__gc = function() error "one" end})]])
      assert.equal(0, got.code)
      assert.matches("^Lua warning: error in __gc[^\n]*one", got.err)
    end)

    it("with open files written", function()
      local path = script ""
      prints("", ("%%neap%% -e 'io.output(%q); io.write [[alo]]'"):format(path))
      prints("alo", "cat " .. path)
    end)
  end)

  describe("on Ctrl-C", function()
    --- Starts a script in the background, waits for its first line, sends the signal, or does
    --- what else the shell is told, with the process in $pid.
    local function interrupted(text, signal)
      local folder, remove = command.folder()
      write(text, folder .. "/script.lua")
      local got = run(([[cd %s && mkfifo out
        timeout -s KILL 20 sh -c 'echo $$; exec "$0" script.lua' %%neap%% >out & job=$!
        { read -r pid; read -r line; %s; cat; } <out
        wait $job]]):format(folder, signal or "kill -INT $pid"))
      remove()
      return got
    end

    it("raises an error at the next instruction", function()
      local got = interrupted "print(1) while true do end"
      assert.equal(1, got.code)
      assert.matches("^neap: [^\n]*interrupted!\nstack traceback:\n", got.err)
      assert.matches("\n\tscript.lua:1: in main chunk\n", got.err, 1, true)
    end)

    it("raises an error that can be caught, again and again", function()
      assert.same({ out = "script.lua\t2\n", err = "", code = 0 }, interrupted([[
        local function wait() print(1) while true do end end
        local _, message = pcall(wait)
        assert(message:find "interrupted!")
        _, message = pcall(wait)
        assert(message:find "interrupted!")
        print(arg[0], 2)]], "kill -INT $pid; read -r line; kill -INT $pid"))
    end)

    it("raises an error in the coroutine that runs", function()
      assert.same({ out = "false\ttrue\tdead\n", err = "", code = 0 }, interrupted [[
        local co = coroutine.create(function()
          coroutine.wrap(function() print(1) while true do end end)()
        end)
        local ok, message = coroutine.resume(co)
        print(ok, message:find "interrupted!" ~= nil, coroutine.status(co))]])
    end)

    it("raises an error in who resumes coroutines that are soon done", function()
      local got = interrupted [[
        print(1)
        while true do coroutine.wrap(coroutine.yield)() end]]
      assert.equal(1, got.code)
      assert.matches("interrupted!", got.err, 1, true)
    end)

    it("ends a long C function at the second time", function()
      -- string.find is what uses the processor for a fifth of a second after the first line
      local got = interrupted("print(1) string.find(('a'):rep(10^6), '.*b')", [[
        used() { cut -d ' ' -f 14 /proc/$pid/stat; }; start=$(used)
        while [ $(used) -lt $((start + 20)) ]; do :; done
        while kill -INT $pid 2>&-; do :; done]])
      assert.equal(130, got.code)
    end)
  end)
end)

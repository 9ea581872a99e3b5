std = "lua54"
max_line_length = 100
include_files = { "lua", "spec", "examples", ".busted", ".luacheckrc" }
files["spec"] = { std = "lua54+busted" }
files[".luacheckrc"] = { std = "luacheckrc" }

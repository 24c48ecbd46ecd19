module worktrees/web

go 1.21

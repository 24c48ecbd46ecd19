/** Words of other tools, and the command of ours that is meant. */
export const OTHER_WORDS: ReadonlyMap<string, string> = new Map([
  ['address', 'url'],
  ['browse', 'open'],
  ['build', 'up'],
  ['check', 'validate'],
  ['config', 'validate'],
  ['dash', 'dashboard'],
  ['delete', 'stop'],
  ['dev', 'up --watch'],
  ['inspect', 'why'],
  ['kill', 'stop'],
  ['pause', 'stop'],
  ['port', 'url'],
  ['reload', 'restart'],
  ['remove', 'stop'],
  ['requests', 'calls'],
  ['rm', 'stop'],
  ['serve', 'up'],
  ['shell', 'exec'],
  ['stats', 'ps -w'],
  ['tail', 'logs -f'],
  ['top', 'ps -w']
])

/** Flags of other tools behind a command of ours, and what is meant. */
export const OTHER_FLAGS: ReadonlyMap<string, string> = new Map([
  ['calls --app', 'a filter says it: pillion calls app:ID'],
  ['calls --from', 'a filter says it: pillion calls from:ID'],
  ['calls --status', 'a filter says it: pillion calls status:503'],
  ['calls --to', 'a filter says it: pillion calls to:ID'],
  ['fault --from', 'the caller comes first: pillion fault ID any'],
  ['fault --to', 'the callee comes second: pillion fault any ID'],
  ['ps -a', 'pillion ps shows all apps'],
  ['ps --all', 'pillion ps shows all apps'],
  ['restart --all', 'name the apps: pillion restart ID ID'],
  ['run --rest', 'name the apps to start here: pillion run -f . --only ID,ID'],
  ['up --build', 'nothing is built: apps are started by their commands'],
  ['up --rest', 'name the apps to start here: pillion up --only ID,ID']
])

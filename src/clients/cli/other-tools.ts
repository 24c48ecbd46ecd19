/**
 * Commands and flags of other tools, and the answer: a command of ours, or a sentence (with a full stop). A key is a command, or a flag after one of our commands; `*` is any command.
 */
const ANSWERS: ReadonlyMap<string, string> = new Map([
  ['address', 'url'],
  ['browse', 'open'],
  ['build', 'Nothing is built: each app starts by its command, which may build it. pillion up starts all apps.'],
  ['call', 'Use any client: curl "$(pillion url ID)/path". With Dapr: pillion invoke --app-id ID --method PATH.'],
  ['check', 'validate'],
  ['config', 'validate'],
  ['connect', 'attach'],
  ['dash', 'dashboard'],
  ['delete', 'stop'],
  ['dev', 'up --watch'],
  ['inspect', 'why'],
  ['kill', 'stop'],
  ['new', 'import'],
  ['pause', 'stop'],
  ['port', 'url'],
  ['reload', 'restart'],
  ['remove', 'stop'],
  ['requests', 'calls'],
  ['rm', 'stop'],
  ['scale', 'Write replicas: 2 for the app into the template. With --watch the edit counts at once.'],
  ['serve', 'up'],
  ['shell', 'exec'],
  ['stats', 'ps -w'],
  ['tail', 'logs -f'],
  ['top', 'ps -w'],
  ['watch', 'up --watch'],
  ['* --no-color', 'Set NO_COLOR=1 for output without colours.'],
  ['* --verbose', 'There is no verbose mode: pillion why and pillion logs say more.'],
  ['* --rest', 'A copy calls no app of another copy. Name the apps to start here: pillion up --only ID,ID.'],
  ['calls --app', 'A filter says it: pillion calls app:ID.'],
  ['calls --failed', 'A filter says it: pillion calls is:failed.'],
  ['calls --from', 'A filter says it: pillion calls from:ID.'],
  ['calls --status', 'A filter says it: pillion calls status:503.'],
  ['calls --to', 'A filter says it: pillion calls to:ID.'],
  ['down --volumes', 'down removes no data. pillion copies forget NAME removes the data of a copy.'],
  ['down -v', 'down removes no data. pillion copies forget NAME removes the data of a copy.'],
  ['fault --from', 'The caller comes first: pillion fault ID any.'],
  ['fault --to', 'The callee comes second: pillion fault any ID.'],
  ['ps --all', 'pillion ps shows all apps.'],
  ['ps -a', 'pillion ps shows all apps.'],
  ['restart --all', 'Name the apps: pillion restart ID ID.'],
  ['run --diff', 'kubectl compares: pillion export kubernetes -f PATH -o - | kubectl diff -f -.'],
  ['run --dry-run', 'kubectl checks: pillion export kubernetes -f PATH -o - | kubectl apply --dry-run=server -f -.'],
  ['trace --failed', 'A filter says it: pillion trace is:failed.'],
  ['up --build', 'Nothing is built: each app starts by its command, which may build it.'],
  ['up --port', 'Write port: NUMBER for the app into the template: others call the app there.'],
  ['up --scale', 'Write replicas: 2 for the app into the template.']
])

/** Returns the answer to a command that we do not have, if one is known: a command of ours, or a sentence. */
export const answerToCommand = (word: string): string | undefined => ANSWERS.get(word)

/** Returns the answer to a flag that a command of ours does not have, if one is known. */
export const answerToFlag = (command: string, flag: string): string | undefined =>
  ANSWERS.get(`${command} ${flag}`) ?? ANSWERS.get(`* ${flag}`)

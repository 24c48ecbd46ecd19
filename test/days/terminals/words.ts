/** What can be typed, and how it may end. */
export interface Words {
  readonly args: (in_: {readonly folder: string; readonly app: string}) => readonly string[]
  /** `run`: it is a run itself; `follows`: it ends with the run, or with Ctrl-C. */
  readonly lasts?: 'run' | 'follows'
  /** It may end runs and apps. */
  readonly ends?: 'run' | 'app'
  readonly isJson?: boolean
  /** A command of its own never ends with 0. */
  readonly fails?: boolean
  /** Besides 0 and 1. */
  readonly codes?: readonly number[]
  readonly weight?: number
}

const file = (folder: string): readonly string[] => ['--run-file', folder]
const json = ['-o', 'json']

export const WORDS = {
  up: {args: ({folder}) => ['up', '-f', folder], lasts: 'run', weight: 4},
  'up json': {args: ({folder}) => ['up', '-f', folder, '--log-as-json'], lasts: 'run'},
  'up watch': {args: ({folder}) => ['up', '-f', folder, '--watch'], lasts: 'run'},
  run: {args: ({folder}) => ['run', '-f', folder], lasts: 'run', weight: 2},
  'up -d': {args: ({folder}) => ['up', '-d', '-f', folder, '--timeout', '20s'], codes: [124], weight: 5},
  'up --run': {
    args: ({folder}) => ['up', '-f', folder, '--run', 'sleep 0.2; exit 7'],
    fails: true,
    codes: [7, 125, 130, 143, 129],
    weight: 2
  },
  down: {args: ({folder}) => ['down', '-f', folder], ends: 'run', weight: 5},
  'stop -f': {args: ({folder}) => ['stop', '-f', folder], ends: 'run', weight: 2},
  'up named': {args: ({folder}) => ['up', '-f', folder, '--name', 'two'], lasts: 'run'},
  'up -d named': {
    args: ({folder}) => ['up', '-d', '-f', folder, '--name', 'two', '--timeout', '20s'],
    codes: [124],
    weight: 2
  },
  'down named': {args: () => ['down', '--name', 'two'], weight: 2},
  'run single': {
    args: () => ['run', '-a', 'solo', '--', 'sh', '-c', 'while :; do echo line; sleep 0.2; done'],
    lasts: 'run',
    weight: 2
  },
  'stop single': {args: () => ['stop', 'solo'], ends: 'app'},
  'stop two': {
    args: ({folder}) => ['stop', ...(folder === 'a' ? ['server', 'worker', 'shell'] : ['other', 'second'])],
    weight: 2
  },
  'stop app': {args: ({app}) => ['stop', '--app-id', app], ends: 'app', weight: 3},
  start: {args: ({app, folder}) => ['start', app, '-f', folder], weight: 2},
  restart: {args: ({app, folder}) => ['restart', app, '-f', folder], ends: 'app', weight: 2},
  ps: {args: ({folder}) => ['ps', ...json, ...file(folder)], isJson: true, weight: 2},
  'ps table': {args: ({folder}) => ['ps', ...file(folder)]},
  'ps -w': {args: ({folder}) => ['ps', '-w', ...file(folder)], lasts: 'follows'},
  list: {args: () => ['list', ...json], isJson: true},
  logs: {args: ({folder}) => ['logs', ...file(folder)]},
  'logs app': {args: ({folder, app}) => ['logs', app, '--tail', '3', ...file(folder)]},
  'logs -f': {args: ({folder}) => ['logs', '-f', ...file(folder)], lasts: 'follows', weight: 3},
  'logs -f app': {args: ({folder, app}) => ['logs', '-f', app, ...file(folder)], lasts: 'follows'},
  wait: {
    args: ({folder}) => ['wait', '--for', 'ready', '--timeout', '3s', ...json, ...file(folder)],
    isJson: true,
    codes: [124],
    weight: 2
  },
  'wait exit': {
    args: ({folder, app}) => ['wait', '--for', `exit:${app}`, '--timeout', '2s', ...file(folder)],
    codes: [124]
  },
  events: {args: ({folder}) => ['events', '-o', 'ndjson', ...file(folder)], isJson: true},
  'events -f': {
    args: ({folder}) => ['events', '-f', '-o', 'ndjson', ...file(folder)],
    isJson: true,
    lasts: 'follows',
    weight: 2
  },
  invoke: {args: ({folder}) => ['invoke', '-a', 'server', '-m', 'x', '-v', 'GET', ...file(folder)], weight: 2},
  publish: {args: ({folder}) => ['publish', '-i', 'server', '-p', 'bus', '-t', 't', '-d', '1', ...file(folder)]},
  exec: {
    args: ({folder, app}) => ['exec', app, ...file(folder), '--', 'sh', '-c', 'sleep 0.3; exit 9'],
    fails: true,
    codes: [9, 130, 143, 129],
    weight: 2
  },
  'exec reads': {
    args: ({folder, app}) => ['exec', app, ...file(folder), '--', 'cat'],
    lasts: 'follows',
    codes: [130, 143, 129],
    weight: 2
  },
  attach: {args: ({folder}) => ['attach', '-f', folder], lasts: 'follows', weight: 2},
  'attach app': {
    args: ({folder}) => ['attach', 'shell', '-f', folder],
    lasts: 'follows',
    codes: [130, 143, 129],
    weight: 2
  },
  ui: {args: ({folder}) => ['ui', '-f', folder], lasts: 'follows', weight: 2},
  fault: {args: ({folder}) => ['fault', 'server', 'worker', '--delay', '10ms', ...file(folder)]},
  faults: {args: ({folder}) => ['fault', ...json, ...file(folder)], isJson: true},
  calls: {args: ({folder}) => ['calls', '-o', 'ndjson', ...file(folder)], isJson: true},
  'calls -f': {args: ({folder}) => ['calls', '-f', ...file(folder)], lasts: 'follows'},
  trace: {args: ({folder}) => ['trace', 'last', ...json, ...file(folder)], isJson: true},
  graph: {args: ({folder}) => ['graph', ...json, ...file(folder)], isJson: true},
  why: {args: ({folder, app}) => ['why', app, ...json, ...file(folder)], isJson: true},
  runs: {args: ({folder}) => ['runs', ...json, ...file(folder)], isJson: true},
  url: {args: ({folder}) => ['url', 'server', '-f', folder]},
  env: {args: ({folder, app}) => ['env', app, '-f', folder]},
  debug: {args: ({folder, app}) => ['debug', app, '-f', folder], ends: 'app'},
  dashboard: {args: ({folder}) => ['dashboard', '--no-open', '-f', folder], lasts: 'follows'},
  validate: {args: ({folder}) => ['validate', '-f', folder, ...json], isJson: true},
  export: {args: ({folder}) => ['export', 'compose', '-f', folder]},
  copies: {args: ({folder}) => ['copies', ...json, '-f', folder], isJson: true},
  doctor: {args: ({folder}) => ['doctor', '-f', folder]},
  jobs: {args: ({folder}) => ['jobs', ...json, '-f', folder], isJson: true},
  workflow: {args: ({folder}) => ['workflow', 'list', ...json, '-f', folder], isJson: true},
  skip: {args: ({folder}) => ['skip', '1s', '-f', folder]},
  mcp: {args: ({folder}) => ['mcp', ...file(folder)], lasts: 'follows'},
  redis: {args: () => ['redis', '46379'], lasts: 'follows'},
  help: {args: () => ['help', 'up']},
  completion: {args: () => ['completion', 'bash']}
} as const satisfies Readonly<Record<string, Words>>

/** What each exit of the program is asked, so that a test can look at what it shows; or why what it shows is not masked. */
import {API} from './api-schema.ts'
import type {SecretShop} from './secret-shop.ts'

/** A path, or a path with a body. */
export type Asked = string | readonly [path: string, body: object]
/** What an exit is asked; a text: why what it shows is not masked. */
export type Exits<A> = Readonly<Record<string, readonly A[] | string>>

const OWN_WORDS = 'what apps have written themselves is shown as it is'
const LOAN = 'is for another run of the same user'
const INSTANCE = {id: 'w1', app: 'shop'}
const REMINDER = {type: 'Cart', id: '7', name: 'late'}
const JOB = {app: 'shop', name: 'nightly'}

/** In this order. `numbers`: of all calls; `again`: of those that may be sent again. */
export const routes = (
  numbers: readonly number[],
  again: readonly number[],
  payload: SecretShop['payload']
): Exits<Asked> => ({
  'GET /run': ['/run'],
  'GET /apps': ['/apps'],
  'GET /apps/{id}': ['/apps/shop'],
  'GET /apps/{id}/why': ['/apps/shop/why', '/apps/stock/why'],
  'GET /apps/{id}/environment': ['/apps/shop/environment', '/apps/stock/environment'],
  'GET /apps/{id}/deaths': ['/apps/shop/deaths'],
  'GET /apps/{id}/docs': ['/apps/shop/docs'],
  'GET /deaths/{number}': ['/deaths/1'],
  'GET /troubles': ['/troubles'],
  'GET /copies': ['/copies'],
  'POST /copies/{number}/dashboard': [['/copies/1/dashboard', {}]],
  'GET /calls': ['/calls?limit=1000', '/calls?q=is:failed', '/calls?q=nothing:at-all'],
  'GET /calls/{number}': numbers.map(number => `/calls/${number}`),
  'GET /requests': ['/requests?limit=1000'],
  'GET /trace': ['/trace?q=trace:0af7651916cd43dd', ...numbers.map(number => `/trace?q=${number}`)],
  'GET /calls.{format}': ['har', 'curl'].map(format => `/calls.${format}`),
  'GET /graph': ['/graph'],
  'GET /template': ['/template'],
  'GET /usage': ['/usage'],
  'GET /traffic': ['/traffic'],
  'GET /edges': ['/edges'],
  'GET /events': ['/events?once&format=ndjson', '/events?once&after=1'],
  'GET /openapi.json': ['/openapi.json'],
  'GET /services': ['/services'],
  'GET /notifications': ['/notifications'],
  'POST /pins': again.slice(0, 3).map(call => ['/pins', {call}]),
  'GET /pins': ['/pins'],
  'POST /calls/{number}/replay': again.map(number => [`/calls/${number}/replay`, {unsafe: true}]),
  'POST /replays': [
    ['/replays', {pinned: true}],
    ['/replays', {calls: again, unsafe: true}]
  ],
  'DELETE /pins/{number}': [`/pins/${again[0]}`],
  'DELETE /pins': ['/pins'],
  'POST /workflows': [['/workflows', {...INSTANCE, name: 'order', input: payload('the input of a workflow')}]],
  'POST /workflow/{action}': [
    ['/workflow/raise', {...INSTANCE, event: 'paid', data: payload('an event of a workflow')}],
    ['/workflow/suspend', {...INSTANCE, reason: JSON.stringify(payload('the reason of a pause'))}],
    ['/workflow/terminate', {...INSTANCE, output: payload('the output of a workflow')}]
  ],
  'GET /workflows': ['/workflows'],
  'GET /workflow': ['/workflow?id=w1'],
  'GET /workflow/history': ['/workflow/history?id=w1'],
  'GET /workflow/timeline': ['/workflow/timeline?id=w1'],
  'POST /workflows/replay': 'has the kinds and names of steps alone, and waits for a worker',
  'POST /wait': [['/wait', {for: ['workflow:w1:completed', 'ready', 'exit:shop', 'calls:1'], timeout: '100ms'}]],
  'POST /workflows/purge': [['/workflows/purge', {ids: ['w1']}]],
  'POST /job/{change}': ['pause', 'resume', 'run'].map(change => [`/job/${change}`, JOB]),
  'GET /jobs': ['/jobs'],
  'GET /job': ['/job?name=nightly'],
  'GET /scheduled': ['/scheduled'],
  'GET /scheduled/jobs': 'what `scheduler export` writes is what `scheduler import` reads: the data as they are',
  'POST /scheduled/jobs': [['/scheduled/jobs', {jobs: [payload('a job that cannot be read')]}]],
  'GET /actors': ['/actors'],
  'GET /actors/of': ['/actors/of?type=Cart'],
  'GET /actor': ['/actor?type=Cart&id=7'],
  'GET /reminders': ['/reminders'],
  'GET /reminder': [`/reminder?${new URLSearchParams(REMINDER).toString()}`],
  'POST /reminder/run': [['/reminder/run', REMINDER]],
  'POST /reminder/delete': [['/reminder/delete', REMINDER]],
  'POST /scheduled/delete': [['/scheduled/delete', {within: 'all'}]],
  'POST /skip': [['/skip', {ms: 1}]],
  'POST /faults': [['/faults', {to: 'stock', status: 503}]],
  'GET /faults': ['/faults'],
  'POST /faults/{number}': [['/faults/1', {to: 'stock', status: 502}]],
  'POST /faults/{number}/{verb}': [['/faults/1/disable', {}]],
  'POST /faults/disable': [['/faults/disable', {}]],
  'POST /faults/enable': [['/faults/enable', {}]],
  'DELETE /faults/{number}': ['/faults/1'],
  'DELETE /faults': ['/faults'],
  'POST /dashboard': [['/dashboard', {}]],
  'POST /show': [['/show', {kind: 'end'}]],
  'DELETE /redis/{number}': ['/redis/1'],
  'POST /services/{name}/{version}/assign': [['/services/a/1.0.0/assign', {}]],
  'DELETE /services/{name}/{version}': ['/services/a/1.0.0'],
  'POST /apps/{id}/restart': [['/apps/stock/restart', {}]],
  'POST /apps/{id}/debug': [['/apps/stock/debug', {}]],
  'POST /apps/{id}/stop': [['/apps/stock/stop', {}]],
  'POST /apps/{id}/start': [['/apps/stock/start', {}]],
  'POST /stop': 'says nothing, and ends with the process',
  'GET /apps/{id}/launch':
    'is for `exec`, `env` and `debug`, which start a process with its secrets; at the socket alone',
  'GET /apps/{id}/terminal': OWN_WORDS,
  'POST /apps/{id}/terminal': OWN_WORDS,
  'GET /apps/{id}/logs': OWN_WORDS,
  'GET /logs': OWN_WORDS,
  'GET /apps/{id}/sidecar': LOAN
})

export const tools = (numbers: readonly number[], again: readonly number[]): Exits<object> => ({
  list_apps: [{}],
  app_logs: OWN_WORDS,
  calls: [{limit: 500}],
  call: numbers.map(number => ({number})),
  trace: numbers.map(number => ({filter: `${number}`, bodies: true})),
  graph: [{}],
  why: [{app: 'shop'}, {end: 1}],
  wait: [{for: ['ready'], timeout: '1s'}],
  invoke: ['count', 'headers', 'fail', 'gzip', 'raw', 'text', 'lines', 'cut'].map(path => ({app: 'stock', path})),
  replay: [{calls: again, unsafe: true}],
  fault: [{}],
  workflows: [{}, {id: 'w1'}],
  replay_workflow: [{id: 'w1'}],
  change_workflow: [{id: 'w1', action: 'suspend'}],
  jobs: [{}, {name: 'nightly'}],
  change_job: [{name: 'nightly', action: 'run'}],
  actors: [{}, {type: 'Cart'}, {type: 'Cart', id: '7'}, REMINDER],
  change_reminder: [{...REMINDER, action: 'run'}],
  restart: [{app: 'stock'}],
  start: [{app: 'stock'}],
  up: 'starts the run that the other tools ask',
  down: 'ends it'
})

/** All routes, by the description of the API. */
export const ROUTES = Object.entries(API.paths).flatMap(([path, methods]) =>
  Object.keys(methods)
    .filter(method => method !== 'parameters')
    .map(method => `${method.toUpperCase()} ${path}`)
)

const WITH_SECRETS = 'gives a process what it needs'
const WRITES = 'writes a file for other programs, with what the template and its sources have; it says so'
const SCREEN = 'shows what the API gives to the page'
const WORKER = 'waits for a worker'
const NO_TEXT = 'says how many, and names alone'
const OTHER = 'is about other runs, or about none'

/** What each command is given, in this order; a text: why what it prints is not masked, or shows no run. */
export const COMMANDS_ASKED: Readonly<Record<string, readonly string[] | string>> = {
  list: ['', '-o json'],
  ps: ['', '-o json', '-o wide'],
  validate: ['', '-o json'],
  doctor: [''],
  version: [''],
  why: ['', 'shop', '1', 'shop -o json'],
  graph: ['', '-o json', '-o mermaid'],
  runs: ['', '-o json'],
  wait: ['--for ready', '--for ready -o json'],
  url: ['shop', 'shop -o json'],
  name: ['shop'],
  events: ['--once', '--once -o json'],
  calls: ['-n 1000', '1', '5', '-o ndjson', '-o curl', '-o har'],
  trace: ['', '1', '1 --bodies', 'is:failed', '-o json'],
  replay: ['1 2 3 4 5', '1 -o json', '12 --unsafe'],
  fault: ['', '-o json'],
  workflow: [''],
  'workflow run': ['order --app-id shop --instance-id w1 --input {"password":1}'],
  'workflow list': ['', '-o json'],
  'workflow history': ['w1', 'w1 -o json'],
  actors: ['', 'Cart', 'Cart/7', 'Cart/7 -o json'],
  'reminders get': ['Cart/7/late', 'Cart/7/late -o json'],
  'reminders run': ['Cart/7/late'],
  'reminders list': ['', '-o json'],
  'jobs list': ['', '-o json'],
  'jobs get': ['nightly', 'nightly -o json'],
  'jobs run': ['nightly'],
  jobs: [''],
  reminders: [''],
  'scheduler list': ['', '-o json', '-o wide'],
  'scheduler get': ['app/shop/nightly', 'app/shop/nightly -o json'],
  scheduler: [''],
  copies: [''],
  ls: [''],
  notifications: [''],
  publish: ['--publish-app-id shop --pubsub rabbit --topic orders --data {}'],
  'workflow timeline': ['w1', 'w1 -o json'],
  'workflow raise-event': ['w1/paid'],
  'workflow suspend': ['w1'],
  'workflow resume': ['w1'],
  'workflow terminate': ['w1'],
  'workflow purge': ['w1'],
  'jobs pause': ['nightly'],
  'jobs resume': ['nightly'],
  'jobs delete': ['nightly'],
  'reminders delete': ['Cart/7/late'],
  restart: ['stock'],
  stop: ['--app-id stock'],
  start: ['stock'],
  down: [''],
  'workflow replay': WORKER,
  'workflow rerun': WORKER,
  'workflow skip': WORKER,
  skip: NO_TEXT,
  assign: NO_TEXT,
  'scheduler delete': NO_TEXT,
  'scheduler delete-all': NO_TEXT,
  'scheduler import': NO_TEXT,
  dashboard: SCREEN,
  ui: SCREEN,
  open: SCREEN,
  mcp: 'every-exit asks its tools',
  agent: OTHER,
  'agent init': WRITES,
  logs: OWN_WORDS,
  attach: OWN_WORDS,
  invoke: OWN_WORDS,
  debug: WITH_SECRETS,
  env: WITH_SECRETS,
  exec: WITH_SECRETS,
  import: WRITES,
  export: WRITES,
  'scheduler export': WRITES,
  run: 'every-command looks at what the run of the test has printed',
  up: 'prints what run prints',
  'copies down': OTHER,
  'copies forget': OTHER,
  show: OTHER,
  redis: 'is a server',
  init: OTHER,
  uninstall: OTHER,
  trust: OTHER,
  upgrade: OTHER,
  schema: OTHER,
  completion: OTHER,
  'build-info': OTHER
}

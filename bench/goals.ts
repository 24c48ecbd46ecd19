import type {MeasureName} from './figure.ts'

/** What a figure has to reach; `ratio` is ours divided by the peer's, `difference` ours less the peer's. */
export interface Goal {
  readonly of: 'ours' | 'ratio' | 'difference'
  /** The peer that is meant where there are several. */
  readonly to?: string
  readonly atLeast?: number
  readonly atMost?: number
  /** Where the time or the memory goes, if the goal is missed: sentences for the page. */
  readonly account?: string
}

/** Rows that are not named here are told without a verdict. */
export const GOALS: Partial<Readonly<Record<MeasureName, Goal>>> = {
  'wait: ready': {of: 'ours', atMost: 100},
  'wait: idle, late': {of: 'ours', atMost: 50},
  'ten apps: listen': {of: 'ratio', to: 'process-compose', atMost: 1.5},
  'ten apps: memory': {of: 'ours', atMost: 60},
  'start: all started': {of: 'ours', atMost: 150},
  'start: all answered': {of: 'ours', atMost: 300},
  calls: {of: 'ratio', to: 'nginx, headers', atLeast: 0.95},
  'calls: metrics': {of: 'ratio', atLeast: 0.98},
  'calls: retries, metrics': {of: 'ratio', atLeast: 0.9},
  'calls: access control': {of: 'ratio', atLeast: 0.9},
  'calls: recorder': {of: 'ratio', atLeast: 0.96},
  'port: calls': {
    of: 'ratio',
    to: 'nginx',
    atLeast: 0.95,
    account:
      'Its table compares it with a relay in Node, too, that copies bytes and reads none of them: most of the difference to nginx is what Node itself costs, two reads and two writes for each call.'
  },
  'port: p50': {of: 'ratio', to: 'nginx', atMost: 1.1},
  latency: {of: 'ratio', to: 'nginx, headers', atMost: 1},
  'p99.9, 5,000 calls/s': {of: 'ratio', to: 'nginx, headers', atMost: 1.2},
  'gRPC: 32 streams': {of: 'ratio', atLeast: 1.8},
  'gRPC: 32 connections': {of: 'ratio', atLeast: 1.2},
  'gRPC: latency': {of: 'ratio', atMost: 1.15},
  'gRPC: InvokeService': {of: 'ratio', atLeast: 0.8},
  'gRPC: InvokeService, HTTP': {of: 'ratio', atLeast: 0.4},
  'gRPC: settings': {of: 'ours', atMost: 20},
  'gRPC: memory': {of: 'ours', atMost: 10},
  'blocks: get': {
    of: 'ratio',
    atLeast: 4,
    account:
      'Of its processor time 32 % is write(2) to the caller, 13 % the collection of garbage; no other function takes 4 %.'
  },
  'blocks: p50': {of: 'ratio', atMost: 0.35},
  'blocks: save': {
    of: 'ratio',
    atLeast: 4,
    account:
      'Of its processor time 24 % is write(2) to the caller, 19 % the collection of garbage; no other function takes 4 %.'
  },
  'blocks: published': {
    of: 'ratio',
    atLeast: 3,
    account:
      'Of the processor time of an event 36 % is write(2), to who publishes and to the app, 15 % the collection of garbage; no other function takes 4 %.'
  },
  'blocks: delivered': {of: 'ratio', atLeast: 3},
  'blocks on Redis: get': {of: 'ratio', atLeast: 1.5},
  'blocks on Redis: p50': {of: 'ratio', atMost: 0.67},
  'blocks on Redis: save': {of: 'ratio', atLeast: 1.5},
  'blocks on Redis: published': {of: 'ratio', atLeast: 1.5},
  'blocks on Redis: delivered': {of: 'ratio', atLeast: 1.5},
  'blocks: memory': {of: 'difference', atMost: 12},
  'gRPC blocks: get': {of: 'ratio', atLeast: 3},
  'gRPC blocks: save': {of: 'ratio', atLeast: 3},
  'gRPC blocks: delivered': {of: 'ratio', atLeast: 2.5},
  // a shadow takes its share of the same cores
  "manager's port": {of: 'ratio', atMost: 1.1},
  "manager's port, with a shadow": {of: 'ratio', atMost: 1.25},
  'pump, line by line': {of: 'ratio', to: 'plain', atLeast: 0.7},
  'pump, buffered': {of: 'ours', atLeast: 1_500_000},
  'pump, line by line: lost': {of: 'ours', atMost: 0},
  'pump, buffered: lost': {of: 'ours', atMost: 0},
  'flood: full speed': {of: 'ours', atMost: 50},
  'save → new code': {of: 'ours', atMost: 45},
  'save: lost calls': {of: 'ours', atMost: 0},
  'overlap: p99.9, saves': {of: 'difference', atMost: 50},
  stop: {of: 'ours', atMost: 300},
  'page: first paint': {of: 'difference', atMost: 60},
  'page: first row': {of: 'difference', atMost: 150},
  'page: 50,000 calls/s': {of: 'ours', atMost: 25},
  'page: 1,600 lines/s': {of: 'ours', atMost: 40},
  'page: longest task': {of: 'ours', atMost: 100},
  'watched: p99, page': {of: 'ratio', atMost: 1.1},
  'watched: p99, exports': {of: 'ratio', atMost: 1.5},
  memory: {of: 'ours', atMost: 70},
  'memory: calm': {of: 'ours', atMost: 75},
  'memory: calm, not recorded': {of: 'ours', atMost: 70},
  'apps: 10, started': {of: 'ours', atMost: 150},
  'apps: 10, CPU': {of: 'ours', atMost: 90},
  'apps: 200, started': {of: 'ratio', atMost: 2},
  'apps: 200, memory': {of: 'ours', atMost: 85},
  'apps: 200, stop': {of: 'ours', atMost: 300},
  'lazy: 40 addresses': {of: 'ours', atMost: 300},
  'lazy: 40 apps, memory': {of: 'ours', atMost: 60},
  'lazy: first call': {of: 'difference', atMost: 50},
  'lazy: 40 first calls at once': {of: 'ratio', atMost: 1.1},
  'memory: after a flood': {of: 'ours', atMost: 65},
  'hostile: longest, rapid resets': {of: 'ours', atMost: 200},
  'hostile: p99, streams that never end': {of: 'ours', atMost: 100},
  'hostile: longest, gRPC: rapid resets': {of: 'ours', atMost: 200},
  'hostile: p99, gRPC: streams that never end': {of: 'ours', atMost: 100},
  'hostile: p99, 14 posts of 4 MB in one-byte chunks': {of: 'ours', atMost: 100},
  'hostile: memory, 14 posts of 4 MB in one-byte chunks': {of: 'ours', atMost: 200},
  'hostile: p99, 6 answers of 15 MB in one-byte chunks': {of: 'ours', atMost: 100},
  'hostile: memory, 6 answers of 15 MB in one-byte chunks': {of: 'ours', atMost: 200},
  'actors: 1,000 ids, CPU': {of: 'ratio', atMost: 2},
  'actors: one id, CPU': {of: 'ratio', atMost: 2.2},
  'actors: other sidecar, CPU': {of: 'ratio', atMost: 2.2},
  'actors: p50': {of: 'ratio', atMost: 1.2},
  'actors: transactions, CPU': {of: 'ours', atMost: 50},
  'actors: 2,000 reminders, late': {of: 'ours', atMost: 300},
  'actors: memory, idle': {of: 'ours', atMost: 4},
  'actors: memory, after': {of: 'ours', atMost: 25},
  'actors: memory, 100,000 active': {of: 'ours', atMost: 60},
  'workflows: one activity, CPU': {of: 'ratio', atMost: 0.1},
  'workflows: one activity': {
    of: 'ratio',
    atLeast: 2.5,
    account:
      'The worker, a program of the SDK for JavaScript in both, takes 60 to 75 % of one of the two cores meanwhile: it is most of what both wait for.'
  },
  'workflows: three activities, CPU': {of: 'ratio', atMost: 0.1},
  'workflows: three activities': {of: 'ratio', atLeast: 2.5},
  'workflows: 100 activities in sequence': {of: 'ratio', atLeast: 2.5},
  'workflows: p50': {of: 'ratio', atMost: 0.25},
  'workflows: p90': {of: 'ratio', atMost: 0.3},
  'workflows: memory, idle': {of: 'ours', atMost: 8},
  'workflows: memory, after 10,000': {of: 'ours', atMost: 40},
  'workflows: 100,000 timers, memory': {of: 'ours', atMost: 60},
  'workflows: 100,000 timers, start': {of: 'ours', atMost: 500},
  'jobs: 2,000 in one second, last': {of: 'ours', atMost: 500},
  'jobs: 100,000, memory': {of: 'ours', atMost: 40},
  'jobs: 100,000, start': {of: 'ours', atMost: 500},
  'crypto: encrypt': {of: 'ratio', atLeast: 0.5},
  'crypto: decrypt': {of: 'ratio', atLeast: 0.5},
  'crypto: memory': {of: 'ours', atMost: 20},
  'conversation: p50, added': {of: 'ours', atMost: 2},
  'hostile: one command of Redis': {of: 'ours', atMost: 1000},
  'startup: --version, npm': {of: 'ratio', atMost: 2.2},
  'startup: --help, npm': {of: 'ratio', atMost: 2.2},
  'startup: run, npm': {of: 'ratio', atMost: 5},
  'startup: --version, binary': {of: 'ratio', atMost: 1.5},
  'startup: --help, binary': {of: 'ratio', atMost: 1.5},
  'startup: run, binary': {of: 'ratio', atMost: 4}
}

/** What was measured of Dapr, once, elsewhere: it tells the order of size and is no part of a ratio. */
export const DAPR: Partial<Readonly<Record<MeasureName, string>>> = {
  'start: all started': '10.2 s',
  calls: '0.16–0.20 × nginx',
  latency: '3.8–4.9 × nginx',
  'pump, buffered': '143,000/s',
  memory: '294 MB'
}

export const DAPR_SOURCE = 'measured of CLI 1.14.1 / daprd 1.13.5 on two cores; 10 apps where apps are counted'

import type {MeasureName} from './figure.ts'
import type {Goal} from './goal.ts'
import {WORK_GOALS} from './work-goals.ts'

/** Rows that are not named here are told without a verdict. */
export const GOALS: Partial<Readonly<Record<MeasureName, Goal>>> = {
  'wait: ready': {of: 'ours', atMost: 100},
  'wait: idle, late': {of: 'ours', atMost: 50},
  'ten apps: listen': {
    of: 'ratio',
    to: 'process-compose',
    atMost: 1.5,
    account:
      "Before it reads the template, Node's own start takes 14 % of the processor time of a start, and loading our code and Node's, which are compiled already, takes another 22 %."
  },
  'ten apps: memory': {
    of: 'ours',
    atMost: 60,
    account:
      "41 of its 70 MB are pages of Node's program, and 20 MB are V8's heap. Seven calm seconds later it has given half of that back and takes 37 MB."
  },
  'start: all started': {
    of: 'ours',
    atMost: 150,
    account:
      "Of its processor time loading our code and Node's takes 22 %, Node's own start 14 %, the template 12 %, ten sidecars and their ports 9 %, the collection of garbage 7 %, logs 7 %, and spawning ten processes 5 %; no other part takes 10 %."
  },
  'start: all answered': {of: 'ours', atMost: 300},
  calls: {
    of: 'ratio',
    to: 'nginx, headers',
    atLeast: 0.95,
    account:
      'Of its processor time on a busy machine 63 to 78 % is write(2), to the app and to the caller, and 2 to 6 % the collection of garbage; no other function takes 4 %.'
  },
  'calls: metrics': {
    of: 'ratio',
    atLeast: 0.98,
    account:
      'The functions of the metrics take 1.3 % of the processor time of a call: they count in the series of both sidecars.'
  },
  'calls: retries, metrics': {
    of: 'ratio',
    atLeast: 0.9,
    account: 'The functions of retries take 0.2 % of the processor time of a call, those of the metrics 1.5 %.'
  },
  'calls: access control': {of: 'ratio', atLeast: 0.9},
  'calls: recorder': {
    of: 'ratio',
    atLeast: 0.96,
    account:
      'The functions of the recorder take 1 to 3 % of the processor time of a call: they copy both heads, the bodies and 64 bytes of numbers.'
  },
  'port: calls': {
    of: 'ratio',
    to: 'nginx',
    atLeast: 0.95,
    account:
      'Its table compares it with a relay in Node, too, that copies bytes and reads none of them: most of the difference to nginx is what Node itself costs, two reads and two writes for each call.'
  },
  'port: p50': {of: 'ratio', to: 'nginx', atMost: 1.1},
  latency: {
    of: 'ratio',
    to: 'nginx, headers',
    atMost: 1,
    account:
      'Of the processor time of a call that is alone 65 % is write(2), to the app and to the caller; no other function takes 3 %.'
  },
  'p99.9, 5,000 calls/s': {
    of: 'ratio',
    to: 'nginx, headers',
    atMost: 1.2,
    account:
      'Nearly all late calls are of the first 0.2 s of a round, when the caller opens its 64 connections and our code is not compiled yet: of rounds that follow each other at once, all but the first are hardly later than the app without us. 25 late calls of 25,000 are enough. Memory that is given back between rounds is not the reason: without it, the figure is the same.'
  },
  'gRPC: 32 streams': {
    of: 'ratio',
    atLeast: 1.8,
    account:
      'In a second of its processor time it makes twice as many calls as nginx: most of both cores is what the caller and the app take. 23 % of its own is write(2), 19 % the collection of garbage; no function of ours takes 2 %.'
  },
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
  'blocks: p50': {
    of: 'ratio',
    atMost: 0.35,
    account:
      'Of its processor time 24 % is write(2) to the caller, 8 % the collection of garbage. A server in Go that does nothing but pass on to Redis takes longer: see `blocks, bare`.'
  },
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
  'blocks: delivered': {
    of: 'ratio',
    atLeast: 3,
    account:
      'Of the processor time of an event, published and delivered, 19 % is write(2), 12 % the collection of garbage; no other function takes 3 %.'
  },
  'blocks on Redis: get': {
    of: 'ratio',
    atLeast: 1.5,
    account:
      'Each call waits for a second one, as with `blocks on Redis: p50`. The run serves with one thread, daprd with both cores.'
  },
  'blocks on Redis: p50': {
    of: 'ratio',
    atMost: 0.67,
    account:
      'Each call waits for a second one, from the run to redis-server: 30 % of its processor time is write(2) to Redis, 29 % write(2) to the caller, 9 % the collection of garbage.'
  },
  'blocks on Redis: save': {
    of: 'ratio',
    atLeast: 1.5,
    account:
      'Each call waits for a second one, as with `blocks on Redis: p50`. The run serves with one thread, daprd with both cores.'
  },
  'blocks on Redis: published': {of: 'ratio', atLeast: 1.5},
  'blocks on Redis: delivered': {
    of: 'ratio',
    atLeast: 1.5,
    account: 'Each event goes to Redis and comes back from it, for which the run has one thread and daprd both cores.'
  },
  'blocks: memory': {
    of: 'difference',
    atMost: 12,
    account:
      "4.7 MB of it are pages of Node's program, which SQLite uses first, and 7 to 8 MB are V8's heap and code. Ten calm seconds later 6 to 7 MB are left."
  },
  'gRPC blocks: get': {
    of: 'ratio',
    atLeast: 3,
    account:
      'The run serves with one thread, daprd with both cores: in a second of processor time it does 3.8 times as many.'
  },
  'gRPC blocks: save': {
    of: 'ratio',
    atLeast: 3,
    account:
      'The run serves with one thread, daprd with both cores: in a second of processor time it does 3.2 times as many.'
  },
  'gRPC blocks: delivered': {
    of: 'ratio',
    atLeast: 2.5,
    account:
      'The run serves with one thread, daprd with both cores: in a second of processor time it does 2.6 times as many.'
  },
  // a shadow takes its share of the same cores
  "manager's port": {of: 'ratio', atMost: 1.1},
  "manager's port, with a shadow": {
    of: 'ratio',
    atMost: 1.25,
    account:
      'The same request goes to the shadow, too: one more write(2) and read(2) of the run, and a second server that wants one of the two cores.'
  },
  'pump, line by line': {
    of: 'ratio',
    to: 'plain',
    atLeast: 0.7,
    account:
      'Straight into wc the writer and wc have one of the two cores each. Below a run three programs share them, and the run reads each line, prefixes it, and writes it to a file and to its output.'
  },
  'pump, buffered': {
    of: 'ours',
    atLeast: 1_500_000,
    account:
      'Of its processor time, the start included, 11 % is writing, 13 % the collection of garbage, and 9 % adding the prefix to each line.'
  },
  'pump, line by line: lost': {of: 'ours', atMost: 0},
  'pump, buffered: lost': {of: 'ours', atMost: 0},
  'flood: full speed': {
    of: 'ours',
    atMost: 50,
    account:
      'Of its processor time 30 % is writing lines and answers, 10 % the collection of garbage, and 9 % handling lines. The writer and the reader of the lines use the same two cores.'
  },
  'save → new code': {
    of: 'ours',
    atMost: 45,
    account:
      'For 30 ms a saved file has to rest, so that one that is written piece by piece is not read in between. In the rest the change is noticed, the process before ends and the new one is spawned.'
  },
  'save: lost calls': {of: 'ours', atMost: 0},
  'overlap: p99.9, saves': {of: 'difference', atMost: 50},
  stop: {of: 'ours', atMost: 300},
  'page: first paint': {
    of: 'difference',
    atMost: 60,
    account: 'The blank page is one answer. This one needs a style sheet of 6.5 kB before it can be painted.'
  },
  'page: first row': {
    of: 'difference',
    atMost: 150,
    account:
      'The blank page is one answer. This one needs 17 files of script, 39 kB, and then asks the run for its apps.'
  },
  'page: 50,000 calls/s': {of: 'ours', atMost: 25},
  'page: 1,600 lines/s': {of: 'ours', atMost: 40},
  'page: longest task': {of: 'ours', atMost: 100},
  'watched: p99, page': {
    of: 'ratio',
    atMost: 1.1,
    account: 'The browser that draws the page uses an eighth to a fifth of the two cores meanwhile.'
  },
  'watched: p99, exports': {
    of: 'ratio',
    atMost: 1.5,
    account:
      'An export uses 0.5 ms of the event loop at a time and then rests for 2 ms. The program that receives it takes its share of the same two cores.'
  },
  memory: {
    of: 'ours',
    atMost: 70,
    account:
      "Right after the calls 25 MB are pages of Node's program, 19 MB are V8's heap and 11 MB what the recorder has kept; the rest is what V8 and malloc keep for the next calls, and give back when the run is calm."
  },
  'memory: calm': {of: 'ours', atMost: 75},
  'memory: calm, not recorded': {of: 'ours', atMost: 70},
  'apps: 10, started': {
    of: 'ours',
    atMost: 150,
    account: 'Its parts are those of `start: all started`.'
  },
  'apps: 10, CPU': {
    of: 'ours',
    atMost: 90,
    account:
      "Node's own start takes 12 %, loading our code and Node's 18 %, and V8's threads, which compile and collect garbage, 16 %. The rest is that of `start: all started`."
  },
  'apps: 200, started': {
    of: 'ratio',
    atMost: 2,
    account:
      'Of its processor time the supervision of the processes takes 23 %, spawning them 14 %, the collection of garbage 13 %, their sidecars and ports 13 %, and the template 10 %.'
  },
  'apps: 200, memory': {of: 'ours', atMost: 85},
  'apps: 200, stop': {
    of: 'ours',
    atMost: 300,
    account:
      'Of its processor time closing 200 sidecars and their listeners takes 32 %, telling what waits that it ends 13 %, the collection of garbage 11 %, and the last lines 9 %.'
  },
  'lazy: 40 addresses': {of: 'ours', atMost: 300},
  'lazy: 40 apps, memory': {
    of: 'ours',
    atMost: 60,
    account:
      "It is read two seconds after the start. A run that has been calm for ten seconds takes 44 MB: 17 MB are pages of Node's program, 23 MB are V8's heap and malloc's."
  },
  'lazy: first call': {of: 'difference', atMost: 50},
  'lazy: 40 first calls at once': {of: 'ratio', atMost: 1.1},
  'memory: after a flood': {of: 'ours', atMost: 65},
  'hostile: longest, rapid resets': {
    of: 'ours',
    atMost: 200,
    account:
      'In its longest turn of the event loop it loads the code that the first calls need, while the attack is under way; 11 % of that is the collection of garbage. The attacker uses the same two cores.'
  },
  'hostile: p99, streams that never end': {
    of: 'ours',
    atMost: 100,
    account:
      "A listener accepts one connection in a turn of the event loop, so a new caller waits for as many turns as there are new connections before its own; the first turn loads Node's HTTP/2."
  },
  'hostile: longest, gRPC: rapid resets': {of: 'ours', atMost: 200},
  'hostile: p99, gRPC: streams that never end': {of: 'ours', atMost: 100},
  'hostile: p99, 14 posts of 4 MB in one-byte chunks': {
    of: 'ours',
    atMost: 100,
    account:
      'No turn of the event loop takes as long as a tenth of that: the rest is waiting for one of the two cores, which the sender of the posts uses, too.'
  },
  'hostile: memory, 14 posts of 4 MB in one-byte chunks': {of: 'ours', atMost: 200},
  'hostile: p99, 6 answers of 15 MB in one-byte chunks': {of: 'ours', atMost: 100},
  'hostile: memory, 6 answers of 15 MB in one-byte chunks': {of: 'ours', atMost: 200},
  ...WORK_GOALS,
  'crypto: encrypt': {
    of: 'ratio',
    atLeast: 0.5,
    account:
      'Against an echo of the same bytes by Node’s own HTTP/2 it is 0.76 ×: most of its time each byte is on its way through Node’s streams.'
  },
  'crypto: decrypt': {
    of: 'ratio',
    atLeast: 0.5,
    account: 'The same as of encrypt.'
  },
  'crypto: memory': {
    of: 'ours',
    atMost: 20,
    account:
      'Of 40 MB after the first streams 12 are V8’s heap, with the code of gRPC and cryptography, 11 the pieces under way, and 17 pages of Node’s program that HTTP/2 and OpenSSL use first.'
  },
  'conversation: p50, added': {of: 'ours', atMost: 2},
  'hostile: one command of Redis': {of: 'ours', atMost: 1000},
  'size: binary': {
    of: 'ours',
    atMost: 110,
    account:
      'Node alone, without its symbols, takes 116 MB of it: the goal would need a Node that is built with fewer parts.'
  },
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

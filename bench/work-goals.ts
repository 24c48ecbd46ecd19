import type {MeasureName} from './figure.ts'
import type {Goal} from './goal.ts'

/** The goals of what outlives a run: actors, workflows, jobs. */
export const WORK_GOALS: Partial<Readonly<Record<MeasureName, Goal>>> = {
  'actors: 1,000 ids, CPU': {of: 'ratio', atMost: 2},
  'actors: one id, CPU': {
    of: 'ratio',
    atMost: 2.2,
    account:
      'The calls of one actor come one after the other: each has a turn of the event loop for itself, and wakes the app and the caller, where calls of several actors share turns. 52 % of its processor time is write(2), 4 % the collection of garbage; no other function takes 3 %.'
  },
  'actors: other sidecar, CPU': {of: 'ratio', atMost: 2.2},
  'actors: p50': {
    of: 'ratio',
    atMost: 1.2,
    account: '50 % of its processor time is write(2), 8 % the collection of garbage; no other function takes 3 %.'
  },
  'actors: transactions, CPU': {
    of: 'ours',
    atMost: 50,
    account: 'It takes 1.8 times the processor time of a plain call of the same table.'
  },
  'actors: 2,000 reminders, late': {
    of: 'ours',
    atMost: 300,
    account:
      'Of its processor time 19 % is the collection of garbage, 18 % reading and writing their rows with SQLite, 8 % write(2) to the app; no other function takes 4 %.'
  },
  'actors: memory, idle': {of: 'ours', atMost: 4},
  'actors: memory, after': {of: 'ours', atMost: 25},
  'actors: memory, 100,000 active': {of: 'ours', atMost: 60},
  'workflows: one activity, CPU': {
    of: 'ratio',
    atMost: 0.1,
    account:
      '19 % of it is the collection of garbage, 17 % SQLite, 10 % the messages of gRPC, and 9 % writing them to the worker; no other function takes 2 %.'
  },
  'workflows: one activity': {
    of: 'ratio',
    atLeast: 2.5,
    account:
      'The worker, a program of the SDK for JavaScript in both, takes 60 to 75 % of one of the two cores meanwhile: it is most of what both wait for.'
  },
  'workflows: three activities, CPU': {
    of: 'ratio',
    atMost: 0.1,
    account:
      '17 % of it is SQLite, 12 % the collection of garbage, and 10 % writing to the worker; no other function takes 2 %.'
  },
  'workflows: three activities': {
    of: 'ratio',
    atLeast: 2.5,
    account: 'As with one activity, the worker takes 60 to 73 % of one of the two cores meanwhile.'
  },
  'workflows: 100 activities in sequence': {
    of: 'ratio',
    atLeast: 2.5,
    account: 'As with one activity, the worker takes 62 to 73 % of one of the two cores meanwhile.'
  },
  'workflows: p50': {
    of: 'ratio',
    atMost: 0.25,
    account:
      '37 % of it is our processor time, see `workflows: one activity, CPU`; the rest is that of the worker, and waiting.'
  },
  'workflows: p90': {
    of: 'ratio',
    atMost: 0.3,
    account:
      '31 % of it is our processor time, see `workflows: one activity, CPU`; the rest is that of the worker, and waiting.'
  },
  'workflows: memory, idle': {
    of: 'ours',
    atMost: 8,
    account:
      "It is read right after the start: 8 MB of it are pages of Node's program that gRPC and SQLite have used. The run gives them back, and 5.5 MB are left eight seconds later."
  },
  'workflows: memory, after 10,000': {of: 'ours', atMost: 40},
  'workflows: 100,000 timers, memory': {of: 'ours', atMost: 60},
  'workflows: 100,000 timers, start': {of: 'ours', atMost: 500},
  'jobs: 2,000 in one second, last': {of: 'ours', atMost: 500},
  'jobs: 100,000, memory': {of: 'ours', atMost: 40},
  'jobs: 100,000, start': {of: 'ours', atMost: 500}
}
